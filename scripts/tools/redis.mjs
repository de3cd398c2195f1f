// A real redis-server for the tests of the stores: REDIS_SERVER_BIN, else PATH, else Debian's package where we are root.
import { run, Stop } from '../run.mjs';

export const REDIS_MAJOR_LEAST = 7;

/**
 * @param {string} binary
 * @returns {Promise<string | null>} its version, or null where it does not run
 */
async function versionOf(binary) {
  const asked = await run(binary, ['--version'], { timeoutMs: 20_000 });
  return /v=(\d+\.\d+\.\d+)/.exec(asked.stdout)?.[1] ?? null;
}

/**
 * Finds redis-server or gets it.
 * @returns {Promise<{ path: string, version: string, from: string }>}
 */
export async function findRedis() {
  const named = process.env['REDIS_SERVER_BIN'];
  const path = named === undefined || named === '' ? 'redis-server' : named;
  let from = path === named ? 'REDIS_SERVER_BIN' : 'PATH';
  let version = await versionOf(path);
  if (version === null && from === 'PATH') {
    await installByApt();
    from = 'apt';
    version = await versionOf(path);
  }
  if (version === null) throw new Stop(`${path} does not run as redis-server.`);
  if (Number(version.split('.')[0]) < REDIS_MAJOR_LEAST)
    throw new Stop(`redis-server is ${version}; ${REDIS_MAJOR_LEAST} or later is needed.`);
  return { path, version, from };
}

async function installByApt() {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !(await run('apt-get', ['--version'])).ok) {
    throw new Stop(`redis-server ${REDIS_MAJOR_LEAST} or later is needed for the tests: install it, or name one with REDIS_SERVER_BIN.`);
  }
  console.log('Installing redis-server by apt-get.');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const updated = await run('apt-get', ['update', '-q'], { env });
  const added = await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', 'redis-server'], { env });
  if (!added.ok)
    throw new Stop(
      `apt-get could not install redis-server.\n${(updated.ok ? added : updated).stderr.trim().split('\n').slice(-6).join('\n')}`,
    );
}

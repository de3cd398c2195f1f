// Real nginx, HAProxy and Caddy for the gateway tests: NGINX_BIN, HAPROXY_BIN, CADDY_BIN, else .tools/gateways, unpacked from Debian's packages. No root is needed.
import { chmod, cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TOOLS } from '../project.mjs';
import { run, Stop } from '../run.mjs';
import { place, withScratch } from './place.mjs';

const FOLDER = join(TOOLS, 'gateways');

/**
 * `libraries` are packages of Debian that a small machine lacks.
 * @typedef {{ name: string, variable: string, binary: string, libraries: string[], asks: string[], says: RegExp }} Gateway
 * @type {Readonly<Record<'nginx' | 'haproxy' | 'caddy', Gateway>>}
 */
export const GATEWAYS = {
  nginx: {
    name: 'nginx',
    variable: 'NGINX_BIN',
    binary: 'usr/sbin/nginx',
    libraries: ['libpcre2-8-0', 'libssl3', 'libcrypt1', 'zlib1g'],
    asks: ['-v'],
    says: /nginx\/([\d.]+)/,
  },
  haproxy: {
    name: 'haproxy',
    variable: 'HAPROXY_BIN',
    binary: 'usr/sbin/haproxy',
    libraries: ['liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1', 'libpcre2-8-0', 'libssl3', 'libcrypt1'],
    asks: ['-v'],
    says: /HAProxy version ([\d.]+)/,
  },
  caddy: { name: 'caddy', variable: 'CADDY_BIN', binary: 'usr/bin/caddy', libraries: [], asks: ['version'], says: /v?(\d+\.\d+\.\d+)/ },
};

/**
 * @param {Gateway} gateway
 * @param {string} path
 * @returns {Promise<string | null>} its version, or null where it does not run
 */
async function versionOf({ asks, says }, path) {
  const asked = await run(path, asks, { timeoutMs: 20_000 });
  return asked.ok ? (says.exec(`${asked.stdout}${asked.stderr}`)?.[1] ?? null) : null;
}

/**
 * Finds a gateway or gets it.
 * @param {Gateway} gateway
 * @returns {Promise<{ path: string, version: string, from: string }>}
 */
export async function findGateway(gateway) {
  const named = process.env[gateway.variable];
  if (named !== undefined && named !== '') {
    const version = await versionOf(gateway, named);
    if (version === null) throw new Stop(`${gateway.variable} names ${named}, which does not run as ${gateway.name}.`);
    return { path: named, version, from: gateway.variable };
  }
  const own = join(FOLDER, gateway.name, 'run');
  let version = await versionOf(gateway, own);
  if (version === null) {
    await unpack(gateway);
    version = await versionOf(gateway, own);
  }
  if (version === null) throw new Stop(`The ${gateway.name} that was unpacked does not run here; name one with ${gateway.variable}.`);
  return { path: own, version, from: '.tools' };
}

/**
 * apt-get checks the packages against Debian's signatures; they are unpacked, not installed, so that no service is started and no root is needed.
 * @param {Gateway} gateway
 */
async function unpack(gateway) {
  const { name, binary, libraries } = gateway;
  if (!(await run('apt-get', ['--version'])).ok || !(await run('dpkg-deb', ['--version'])).ok) {
    throw new Stop(
      `The gateway tests need ${name}: name one with ${gateway.variable} (it is taken from Debian's packages where apt-get is).`,
    );
  }
  console.log(`Getting ${name} from Debian's packages (once).`);
  await withScratch(async (scratch) => {
    const packages = join(scratch, 'packages');
    await mkdir(packages);
    await download([name, ...libraries], packages, scratch);
    const made = join(scratch, name);
    await mkdir(made);
    for (const file of await readdir(packages)) {
      if (!file.endsWith('.deb')) continue;
      const done = await run('dpkg-deb', ['-x', join(packages, file), made]);
      if (!done.ok) throw new Stop(`dpkg-deb could not unpack ${file}.\n${done.stderr.trim()}`);
    }
    // libraries lie in lib and usr/lib, below the name of the machine's kind
    await mkdir(join(made, 'libraries'));
    for (const folder of ['lib', 'usr/lib']) {
      for (const kind of await readdir(join(made, folder)).catch(() => /** @type {string[]} */ ([]))) {
        if (!kind.endsWith('-linux-gnu')) continue;
        await cp(join(made, folder, kind), join(made, 'libraries'), { recursive: true, verbatimSymlinks: true });
      }
    }
    const target = join(FOLDER, name);
    const quoted = (/** @type {string} */ text) => `'${text.replaceAll("'", "'\\''")}'`;
    const script = `#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nLD_LIBRARY_PATH="$here/libraries" exec "$here"/${quoted(binary)} "$@"\n`;
    await writeFile(join(made, 'run'), script);
    await chmod(join(made, 'run'), 0o755);
    await place(made, target, scratch);
  });
}

/**
 * By the machine's own package lists; where it has none (a fresh container), by lists of our own.
 * @param {string[]} names
 * @param {string} folder
 * @param {string} scratch
 */
async function download(names, folder, scratch) {
  // apt's own user could not write here; it warns and goes on as the caller
  const plain = await run('apt-get', ['-q', 'download', ...names], { cwd: folder });
  if (plain.ok) return;
  const [state, cache] = [join(scratch, 'state'), join(scratch, 'cache')];
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  const own = ['-o', `Dir::State=${state}`, '-o', 'Dir::State::status=/var/lib/dpkg/status', '-o', `Dir::Cache=${cache}`];
  const unsandboxed = ['-o', 'APT::Sandbox::User='];
  const updated = await run('apt-get', ['-q', ...own, ...unsandboxed, 'update'], { cwd: folder });
  const fetched = await run('apt-get', ['-q', ...own, ...unsandboxed, 'download', ...names], { cwd: folder });
  if (fetched.ok) return;
  const why = (updated.ok ? fetched : updated).stderr.trim().split('\n').slice(-6).join('\n');
  throw new Stop(`apt-get could not download ${names[0]}.\n${why}`);
}

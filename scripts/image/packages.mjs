// The packages that the service needs at run time, by the lock file: what `npm ci` has verified is copied, nothing is installed again.
import { cp, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Stop } from '../run.mjs';

/** @typedef {{ path: string, name: string, version: string }} LockedPackage */

/** What no process reads: TypeScript, source maps, tests. */
const LEFT_OUT = /(\.([cm]?ts|map)|\/(test|tests|specs|__tests__|bench|benchmarks|examples))$/;

/**
 * @param {string} root
 * @returns {Promise<LockedPackage[]>} without those for development and those that a platform may lack
 */
export async function runtimePackages(root) {
  /** @type {{ packages: Record<string, { version?: string, dev?: boolean, optional?: boolean, devOptional?: boolean, link?: boolean }> }} */
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(lock.packages)
    .filter(([path, one]) => path !== '' && !one.dev && !one.optional && !one.devOptional && !one.link)
    .map(([path, { version = '' }]) => ({ path, name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length), version }))
    .sort((a, b) => a.path.localeCompare(b.path));
}

/**
 * Copies each package alone: a package inside another is an entry of its own.
 * @param {string} root
 * @param {string} target
 * @param {readonly LockedPackage[]} packages
 */
export async function copyPackages(root, target, packages) {
  for (const { path, name, version } of packages) {
    const from = join(root, path);
    const found = await readFile(join(from, 'package.json'), 'utf8').catch(() => null);
    if (found === null) throw new Stop(`${path} is in package-lock.json and not installed: run npm ci.`);
    if (JSON.parse(found).version !== version) throw new Stop(`${name} is installed at another version than ${version}: run npm ci.`);
    const filter = (/** @type {string} */ source) =>
      !LEFT_OUT.test(source.slice(from.length)) && !(source !== from && basename(source) === 'node_modules');
    await cp(from, join(target, path), { recursive: true, dereference: true, filter });
  }
}

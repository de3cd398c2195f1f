// `npm ci`, and only where it is needed.
import { readFile } from 'node:fs/promises';
import { inRoot } from './project.mjs';
import { must } from './run.mjs';

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string[], cpu?: string[] }} Locked */

/**
 * @param {string} file
 * @returns {Promise<Record<string, Locked> | null>}
 */
async function packagesOf(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8')).packages ?? null;
  } catch {
    return null; // not there or cut off: the install is then done anew
  }
}

/**
 * Why the installed packages are not those of the lock file, or null where they are.
 * @param {Record<string, Locked> | null} locked `packages` of package-lock.json
 * @param {Record<string, Locked> | null} installed `packages` of node_modules/.package-lock.json, which npm writes last
 * @param {{ platform: string, arch: string }} machine
 * @returns {string | null}
 */
export function installGap(locked, installed, machine) {
  if (locked === null) return 'package-lock.json cannot be read';
  if (installed === null) return 'nothing is installed yet';
  for (const [path, wanted] of Object.entries(locked)) {
    if (path === '') continue;
    const found = installed[path];
    const name = path.replace('node_modules/', '');
    if (found === undefined) {
      const isNodeHere = /^node-/.test(name) && wanted.os?.includes(machine.platform) && wanted.cpu?.includes(machine.arch);
      if (wanted.optional !== true || isNodeHere) return `${name} is missing`;
    } else if (found.version !== wanted.version || found.integrity !== wanted.integrity) {
      return `${name} is ${found.version} instead of ${wanted.version}`;
    }
  }
  const foreign = Object.keys(installed).find((path) => locked[path] === undefined);
  return foreign === undefined ? null : `${foreign.replace('node_modules/', '')} is not in the lock file`;
}

/** Makes `node_modules` what the lock file says; a current one is left alone. */
export async function install() {
  const locked = await packagesOf(inRoot('package-lock.json'));
  const installed = await packagesOf(inRoot('node_modules', '.package-lock.json'));
  const gap = installGap(locked, installed, process);
  if (gap === null) {
    console.log('The npm packages are those of the lock file.');
    return;
  }
  console.log(`Installing the npm packages (npm ci): ${gap}.`);
  await must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--include=dev', '--include=optional'], { show: true });
}

// Where things lie. Plain JavaScript without dependencies, as all of scripts/*.mjs: it runs before `npm ci`, also on Node 20.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Binaries of npm packages, Node.js 26 among them. */
export const NPM_BIN = join(ROOT, 'node_modules', '.bin');

/** Tools that are no npm packages; git-ignored. */
export const TOOLS = join(ROOT, '.tools');

/** @param {string[]} names */
export const inRoot = (...names) => join(ROOT, ...names);

/**
 * The environment that everything is spawned with: `node_modules/.bin` comes first, so `node` is the one that the install brought.
 * @param {Record<string, string>} extra
 * @returns {NodeJS.ProcessEnv}
 */
export function toolEnv(extra = {}) {
  const path = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '' && folder !== NPM_BIN);
  return { ...process.env, PATH: [NPM_BIN, ...path].join(':'), ...extra };
}

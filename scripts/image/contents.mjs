// What lies in the folder of the image, and what must not.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Stop } from '../run.mjs';

/** Everything at the top of `/app`. */
const TOP = ['LICENSE', 'NOTICE', 'THIRD-PARTY-LICENSES.md', 'dist', 'node_modules', 'package.json', 'policies.tar.gz', 'sbom.cdx.json'];

/** Sources, tests, secrets and what is for development. */
const FORBIDDEN = [/\.[cm]?ts$/, /\.(test|spec)\.[cm]?js$/, /\.map$/, /(^|\/)\.(env|git|npmrc|tools|local)(\/|$)/, /\.(pem|key|p12|jwt)$/];

/**
 * @param {string} folder
 * @returns {Promise<string[]>} paths of the files, from the folder
 */
export async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * Throws with everything that is wrong.
 * @param {string} folder
 * @param {readonly import('./packages.mjs').LockedPackage[]} packages
 * @returns {Promise<{ files: number, bytes: number }>}
 */
export async function checkContents(folder, packages) {
  const files = await filesIn(folder);
  const problems = files.filter((file) => FORBIDDEN.some((pattern) => pattern.test(file))).map((file) => `${file} has no place there`);
  const top = (await readdir(folder)).sort();
  for (const name of TOP) if (!top.includes(name)) problems.push(`${name} is missing`);
  for (const name of top) if (!TOP.includes(name)) problems.push(`${name} was not expected`);
  /** @type {{ components?: { type: string, name: string, version: string }[] }} */
  const sbom = JSON.parse(await readFile(join(folder, 'sbom.cdx.json'), 'utf8'));
  // the platform is beside this folder
  const inside = (sbom.components ?? []).filter(({ type }) => type !== 'platform');
  const listed = new Set(inside.map(({ name, version }) => `${name}@${version}`));
  for (const { name, version } of packages)
    if (!listed.delete(`${name}@${version}`)) problems.push(`${name}@${version} is not in the SBOM`);
  for (const one of listed) problems.push(`${one} is in the SBOM and not in the image`);
  if (problems.length > 0) throw new Stop(`The image is not as it should be:\n${problems.map((one) => `  ${one}`).join('\n')}`);
  let bytes = 0;
  for (const file of files) bytes += (await stat(join(folder, file))).size;
  return { files: files.length, bytes };
}

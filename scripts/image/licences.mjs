// Under which licences the packages of the image are, with their texts.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Stop } from '../run.mjs';

/** Licences that ask for no more than that their text goes along. */
const KNOWN = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'CC0-1.0', 'ISC', 'MIT', 'Unlicense']);

/**
 * @param {string} expression an SPDX expression as package.json has it
 * @returns {boolean} true where one of its alternatives is wholly known
 */
export function isKnown(expression) {
  const plain = expression.replaceAll(/[()]/g, ' ').trim();
  return plain.split(/\s+OR\s+/).some((choice) => choice.split(/\s+AND\s+/).every((one) => KNOWN.has(one.trim())));
}

/**
 * @param {unknown} manifest package.json
 * @returns {string} the SPDX expression, or '' where there is none
 */
export function licenceOf(manifest) {
  if (typeof manifest !== 'object' || manifest === null || !('license' in manifest)) return '';
  const { license } = manifest;
  if (typeof license === 'string') return license;
  return typeof license === 'object' && license !== null && 'type' in license ? String(license.type) : '';
}

/**
 * The text of THIRD-PARTY-LICENSES.md. Throws where a package has a licence that nobody has looked at.
 * @param {string} root
 * @param {readonly import('./packages.mjs').LockedPackage[]} packages
 * @returns {Promise<string>}
 */
export async function licenceReport(root, packages) {
  const rows = [];
  const texts = [];
  const refused = [];
  for (const { path, name, version } of packages) {
    const licence = licenceOf(JSON.parse(await readFile(join(root, path, 'package.json'), 'utf8')));
    if (!isKnown(licence)) refused.push(`${name} ${version}: ${licence === '' ? 'none' : licence}`);
    rows.push(`| ${name} | ${version} | ${licence} |`);
    const files = (await readdir(join(root, path))).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort();
    for (const file of files) texts.push(`## ${name} ${version}: ${file}`, '', (await readFile(join(root, path, file), 'utf8')).trim(), '');
  }
  if (refused.length > 0) throw new Stop(`These licences were not looked at:\n${refused.map((one) => `  ${one}`).join('\n')}`);
  return ['# Third-party packages in this image', '', '| package | version | licence |', '|---|---|---|', ...rows, '', ...texts].join('\n');
}

import type { Violation } from './check-source.ts';
import { parseSource } from './parse-source.ts';

/** One row of the table in docs/architecture.md. */
export type Dependency = { readonly library: string; readonly owners: readonly string[]; readonly reason: string };

/** Reads the rows `| \`library\` | \`owner\`, … | reason |` between the markers. */
export function parseDependencyTable(markdown: string): Dependency[] {
  const table = /<!-- dependencies -->([\s\S]*?)<!-- \/dependencies -->/.exec(markdown)?.[1] ?? '';
  return table
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter((cells) => cells.length === 5 && cells[1]?.startsWith('`') === true)
    .map(([, library = '', owners = '', reason = '']) => ({ library: ticked(library)[0] ?? '', owners: ticked(owners), reason }));
}

function ticked(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}

/** The package behind `@scope/name/sub` or `name/sub`; null for our own files and for Node.js itself. */
export function packageOf(specifier: string): string | null {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return null;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** Imports of libraries outside the file or folder that owns them. */
export function checkOwners(path: string, text: string, table: readonly Dependency[]): Violation[] {
  return parseSource(text).imports.flatMap(({ specifier, line }) => {
    const library = packageOf(specifier);
    if (library === null) return [];
    const row = table.find((one) => one.library === library);
    if (row?.owners.some((owner) => isWithin(path, owner)) === true) return [];
    const owner = row === undefined ? 'docs/architecture.md does not list it' : `it belongs to ${row.owners.join(', ')}`;
    return [{ path, line, rule: 'owner', text: `${library}: ${owner}` }];
  });
}

/** True where `path` is the file `owner`, or lies in the folder `owner/`. */
export function isWithin(path: string, owner: string): boolean {
  return owner.endsWith('/') ? path.startsWith(owner) : path === owner;
}

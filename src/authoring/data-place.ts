import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { Place } from './rego-ast.ts';

const DATA_FILE = /(^|\/)data\.(json|ya?ml)$/;

/** Where a path of the data is written, or the longest part of it that is there; null where no file could hold it. */
export async function placeOfData(
  directory: string,
  files: readonly string[],
  path: readonly string[],
): Promise<({ readonly file: string } & Place) | null> {
  const candidates = files
    .filter((file) => DATA_FILE.test(file))
    .map((file) => ({ file, root: dirname(file) === '.' ? [] : dirname(file).split('/') }))
    .filter(({ root }) => root.every((name, index) => name === path[index]))
    .sort((a, b) => b.root.length - a.root.length);
  for (const { file, root } of candidates) {
    const lines = new LineCounter();
    const document = parseDocument(await readFile(join(directory, file), 'utf8'), { lineCounter: lines, uniqueKeys: false });
    const rest = path.slice(root.length);
    for (let length = rest.length; length > 0; length--) {
      const at = startOf(document, rest.slice(0, length));
      if (at === null) continue;
      const { line, col } = lines.linePos(at);
      return { file, line, column: col };
    }
  }
  // what is missing belongs into the file that is nearest to it
  const nearest = candidates[0];
  return nearest === undefined ? null : { file: nearest.file, line: 1, column: 1 };
}

function startOf(document: ReturnType<typeof parseDocument>, path: readonly string[]): number | null {
  const keys = path.map((name) => (/^\d+$/.test(name) ? Number(name) : name));
  const node = document.getIn(path, true) ?? document.getIn(keys, true);
  return isNode(node) && node.range ? node.range[0] : null;
}

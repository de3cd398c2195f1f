import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceFile } from './sections.ts';

/** Which half of the registry a file belongs to. */
export type Part = 'records' | 'revocations';

/** A file that was found, before it is read. */
export type FoundFile = {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** False for a pipe, a device and a folder: opening one could wait for ever, and reading one have no end. */
  readonly regular: boolean;
};

/** What is there, with a text that is another one whenever a file is. */
export type Found = { readonly files: readonly FoundFile[]; readonly signature: string };

const NAME = /^[^.][^/]*\.(ya?ml|jsonl)$/;
const REVOCATIONS = /^revocations\.(ya?ml|jsonl)$/;
/** More files than this are refused. */
export const FILES_MAX = 1000;

/** The names of a part's files: `revocations.yaml` (or `.yml`, `.jsonl`) is the one, every other file of these kinds the other; dot files are none. */
export function namesOf(part: Part, names: readonly string[]): string[] {
  return names
    .filter((name) => NAME.test(name) && REVOCATIONS.test(name) === (part === 'revocations'))
    .sort()
    .slice(0, FILES_MAX + 1);
}

/** Looks at the files of a part, through symbolic links, by which mounted volumes swap them. Rejects where one cannot be looked at. */
export async function findFiles(directory: string, part: Part): Promise<Found> {
  const names = namesOf(part, await readdir(directory));
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const found = await stat(path);
      const { size: bytes, ino, mtimeMs, ctimeMs } = found;
      return { name, path, bytes, regular: found.isFile(), mark: `${name} ${ino} ${bytes} ${mtimeMs} ${ctimeMs}` };
    }),
  );
  return { files, signature: files.map(({ mark }) => mark).join('\n') };
}

/** The same at once, for the command line. */
export function listFiles(directory: string, part: Part): FoundFile[] {
  return namesOf(part, readdirSync(directory)).map((name) => {
    const path = join(directory, name);
    const found = statSync(path);
    return { name, path, bytes: found.size, regular: found.isFile() };
  });
}

/** The text of a file; null where it is not UTF-8. Throws where it cannot be read. */
export function readSource({ name, path }: Pick<FoundFile, 'name' | 'path'>): SourceFile | null {
  return decode(name, readFileSync(path));
}

/** The text of bytes, without a byte order mark; null where they are not UTF-8. */
export function decode(name: string, bytes: Uint8Array): SourceFile | null {
  try {
    return { name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    // that it is not UTF-8 is the answer
    return null;
  }
}

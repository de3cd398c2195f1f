import { createSecretKey, type KeyObject } from 'node:crypto';
import { CountersignError } from '../contract/errors.ts';
import type { ReadDocumentFile } from '../stores/read-file.ts';

/** One server key that digests of API keys are made with; exactly one of `secret` and `file` is set. */
export type HashKeyOptions = { readonly id: string; readonly secret: string | null; readonly file: string | null };

const CHARS_MIN = 32;
const BYTES_MAX = 4096;

/** The keys by id. Fails with `config_invalid`, naming the key of the configuration, where a file cannot be read or holds too little. */
export async function loadHashKeys(
  options: readonly HashKeyOptions[],
  readFile: ReadDocumentFile,
): Promise<ReadonlyMap<string, KeyObject>> {
  const keys = new Map<string, KeyObject>();
  for (const [index, { id, secret, file }] of options.entries()) {
    const field = `registry.hashKeys[${index}].${file === null ? 'secret' : 'file'}`;
    const text = file === null ? (secret ?? '') : await read(file, field, readFile);
    const key = parseHashKey(text);
    if (key === null) throw new CountersignError('config_invalid', { field, detail: `needs ${CHARS_MIN} printable characters at least` });
    keys.set(id, key);
  }
  return keys;
}

/** A hash key out of its text: one line of 32 characters at least, without spaces; null for anything else. */
export function parseHashKey(text: string): KeyObject | null {
  const line = text.replace(/\r?\n$/, '');
  return line.length >= CHARS_MIN && /^[\x21-\x7e]+$/.test(line) ? createSecretKey(Buffer.from(line)) : null;
}

async function read(file: string, field: string, readFile: ReadDocumentFile): Promise<string> {
  try {
    return (await readFile(file, BYTES_MAX)).toString('utf8');
  } catch (cause) {
    throw new CountersignError('config_invalid', { field, detail: 'could not be read', cause });
  }
}

import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, keyedHashText } from '../../src/formats/api-key-hash.ts';
import { makeApiKey } from '../../src/formats/api-key-text.ts';

/** The secret of the one hash key of the tests, and its id. */
export const HASH_SECRET = 'the hash secret of the tests, 32+'.replaceAll(' ', '-');
export const HASH_KEY_ID = 't1';
export const HASH_KEYS = new Map([[HASH_KEY_ID, createSecretKey(Buffer.from(HASH_SECRET))]]);

/** A folder with the files of a registry, which a test writes as it goes. */
export type RegistryFolder = {
  readonly directory: string;
  /** Writes a file beside and moves it over, as a careful operator does; values are written as JSON, which is YAML. */
  write(name: string, content: unknown): void;
};

/** A folder with an empty list of clients and of revocations. */
export function createRegistryFolder(): RegistryFolder {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-registry-'));
  const write = (name: string, content: unknown): void => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(join(directory, `.${name}.new`), text);
    renameSync(join(directory, `.${name}.new`), join(directory, name));
  };
  write('clients.yaml', { clients: [] });
  write('revocations.yaml', { revocations: [] });
  return { directory, write };
}

/** A new key with its entry for `keys:`. */
export function createKey(client: string, more: object = {}) {
  const { id, text } = makeApiKey(randomBytes);
  const hash = keyedHashText(HASH_KEY_ID, digestOf(text, HASH_SECRET_BYTES));
  return { id, text, entry: { id, client, hash, ...more } };
}
const HASH_SECRET_BYTES = Buffer.from(HASH_SECRET);

import { createSecretKey, randomBytes } from 'node:crypto';
import { digestOf, keyedHashText } from '../formats/api-key-hash.ts';
import { makeApiKey } from '../formats/api-key-text.ts';

/* API keys of cases: made for one run, and worth nothing outside of it. */

const SECRET = createSecretKey(randomBytes(32));

/** The id of the one hash key of all cases, and by that id the key. */
export const CASE_HASH_KEY_ID = 'cases';
export const CASE_HASH_KEYS = new Map([[CASE_HASH_KEY_ID, SECRET]]);

/** A new key with its entry for `keys:`. */
export function createCaseKey(client: string, more: object = {}) {
  const { id, text } = makeApiKey(randomBytes);
  return { id, text, entry: { id, client, hash: keyedHashText(CASE_HASH_KEY_ID, digestOf(text, SECRET)), ...more } };
}

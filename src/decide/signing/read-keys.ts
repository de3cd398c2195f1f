import { CountersignError } from '../../contract/errors.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import type { SigningOptions } from '../options.ts';
import type { SigningKeys } from './signatures.ts';

const KEY_BYTES_MAX = 65_536;

/**
 * The keys that may sign, read anew each time: a key is replaced by replacing its file. The secret of an HS key is the file's text without
 * the line end behind it.
 * @throws CountersignError bundle_signature_invalid, the field is the key's id
 */
export async function readSigningKeys(signing: SigningOptions | null, readFile: ReadDocumentFile): Promise<SigningKeys | null> {
  if (signing === null) return null;
  const keys: Record<string, SigningKeys['keys'][string]> = {};
  for (const [id, { algorithm, keyFile }] of Object.entries(signing.keys)) {
    try {
      const text = (await readFile(keyFile, KEY_BYTES_MAX)).toString('utf8');
      keys[id] = { algorithm, key: algorithm.startsWith('HS') ? text.replace(/\r?\n$/, '') : text };
    } catch (cause) {
      throw new CountersignError('bundle_signature_invalid', { field: id, detail: 'the file of the key could not be read', cause });
    }
  }
  return { keys, keyId: signing.keyId, scope: signing.scope };
}

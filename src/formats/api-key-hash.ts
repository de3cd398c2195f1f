import { createHmac, type KeyObject } from 'node:crypto';

/** What stands in a registry file in place of a key: `hmac-sha256:<hash key id>:<base64url>`. */
export type KeyedHash = { readonly hashKeyId: string; readonly digest: string };

const FORM = /^hmac-sha256:([a-z0-9][a-z0-9_-]{0,63}):([A-Za-z0-9_-]{43})$/;

/** Digest of the whole key, id included, so that an entry's hash serves no other entry. */
export function digestOf(text: string, hashKey: KeyObject | Uint8Array): Buffer {
  return createHmac('sha256', hashKey).update(text).digest();
}

/** The text for a registry file. */
export function keyedHashText(hashKeyId: string, digest: Buffer): string {
  return `hmac-sha256:${hashKeyId}:${digest.toString('base64url')}`;
}

/** Parts of a keyed hash; null where it is none, or is not in its one canonical spelling. */
export function parseKeyedHash(text: string): KeyedHash | null {
  const [, hashKeyId, digest] = FORM.exec(text) ?? [];
  if (hashKeyId === undefined || digest === undefined) return null;
  return Buffer.from(digest, 'base64url').toString('base64url') === digest ? { hashKeyId, digest } : null;
}

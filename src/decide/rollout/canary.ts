import { createHmac } from 'node:crypto';
import { CountersignError } from '../../contract/errors.ts';
import type { Identity } from '../../contract/identity.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';

/** Whose part of the requests a candidate decides. */
export type CanaryOptions = {
  /** Of the callers, 0 to 100. */
  readonly percent: number;
  /** Where the key comes from: a file with it, or itself; hexadecimal, 128 bits at least. With 0 percent none is needed. */
  readonly keyFile: string | null;
  readonly secret: string | null;
};

const KEY_FORM = /^(?:[0-9a-fA-F]{2}){16,256}$/;
const FILE_BYTES_MAX = 1024;
/** A hash has more bits than a number holds exactly. */
const HASH_BYTES = 6;
const HASHES = 2 ** (8 * HASH_BYTES);
const ALL = 100;
/** Callers whose side is remembered, and how long their names may be. */
const KNOWN_MAX = 10_000;
const KNOWN_CHARS_MAX = 256;

/**
 * The key of a canary.
 * @throws CountersignError canary_key_invalid where it cannot be read, or is no hexadecimal text of 128 bits
 */
export async function readCanaryKey({ keyFile, secret }: CanaryOptions, readFile: ReadDocumentFile): Promise<Buffer> {
  const text = secret ?? (keyFile === null ? '' : await textOf(keyFile, readFile));
  if (!KEY_FORM.test(text)) throw new CountersignError('canary_key_invalid', { detail: 'not hexadecimal of 128 bits at least' });
  return Buffer.from(text, 'hex');
}

async function textOf(path: string, readFile: ReadDocumentFile): Promise<string> {
  try {
    return (await readFile(path, FILE_BYTES_MAX)).toString('latin1').trim();
  } catch (cause) {
    throw new CountersignError('canary_key_invalid', { detail: 'file', cause });
  }
}

/**
 * Who a caller is to a canary: its verified client, else the address that pays for its requests (IPv6: its /64); null where neither is known. What is
 * only asserted is no client: a caller must not be able to choose its side.
 */
export function callerOf({ subject }: Identity, account: string | null): string | null {
  if (subject.client !== null && !subject.asserted) return `client\0${subject.client}`;
  return account === null ? null : `address\0${account}`;
}

/**
 * Whether a caller is in the canary: by HMAC-SHA-256 (RFC 2104) of the policy and the caller, so that nobody without the key can say who is. A caller
 * has one place between 0 and 100 for good: a higher `percent` only adds callers.
 */
export function createCanary(policy: string, percent: number, key: Buffer): (caller: string) => boolean {
  const below = (Math.min(ALL, Math.max(0, percent)) / ALL) * HASHES;
  const find = (caller: string): boolean =>
    createHmac('sha256', key).update(`${policy}\0${caller}`).digest().readUIntBE(0, HASH_BYTES) < below;
  // a hash takes as long as a tenth of a decision; a full memory is emptied
  const known = new Map<string, boolean>();
  return (caller) => {
    const before = known.get(caller);
    if (before !== undefined) return before;
    const found = find(caller);
    if (caller.length > KNOWN_CHARS_MAX) return found;
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(caller, found);
    return found;
  };
}

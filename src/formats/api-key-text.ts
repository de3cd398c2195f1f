import { crc32 } from 'node:zlib';

/* `csk_<id>_<secret><checksum>`: 15, 43 and 6 characters of base62. Scanners of leaked secrets find it by `csk_[0-9A-Za-z]{15}_[0-9A-Za-z]{49}`. */

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FORM = /^csk_([0-9A-Za-z]{15})_[0-9A-Za-z]{49}$/;
const CHECKSUM_CHARS = 6;
const ID_BYTES = 11;
const ID_CHARS = 15;
const SECRET_BYTES = 32;
const SECRET_CHARS = 43;

/** An id by itself, as files and revocations name it. */
export const API_KEY_ID = /^[0-9A-Za-z]{15}$/;

/** The id of a key of the right form, or what is wrong with it: a checksum that does not fit is a typo and needs no look-up. */
export function parseApiKey(text: string): { readonly id: string } | 'malformed' | 'checksum_wrong' {
  const id = FORM.exec(text)?.[1];
  if (id === undefined) return 'malformed';
  const end = text.length - CHECKSUM_CHARS;
  return text.slice(end) === checksumOf(text.slice(0, end)) ? { id } : 'checksum_wrong';
}

/** A new key of 256 random bits; `randomBytes` must be a cryptographic source. */
export function makeApiKey(randomBytes: (size: number) => Uint8Array): { readonly id: string; readonly text: string } {
  const id = base62(randomBytes(ID_BYTES), ID_CHARS);
  const body = `csk_${id}_${base62(randomBytes(SECRET_BYTES), SECRET_CHARS)}`;
  return { id, text: body + checksumOf(body) };
}

/** CRC-32 in base62: no protection, only a way to tell a key from something like one. */
function checksumOf(body: string): string {
  return digitsOf(BigInt(crc32(body)), CHECKSUM_CHARS);
}

function base62(bytes: Uint8Array, chars: number): string {
  return digitsOf(BigInt(`0x${Buffer.from(bytes).toString('hex')}`), chars);
}

function digitsOf(number: bigint, chars: number): string {
  let text = '';
  for (let rest = number; text.length < chars; rest /= 62n) text = (DIGITS[Number(rest % 62n)] ?? '') + text;
  return text;
}

import { isUtf8 } from 'node:buffer';

/*
 * A Rego string is a row of bytes, mostly UTF-8 and not always (`base64.decode` of a digest). A byte that is not part of UTF-8 is held as
 * one lone surrogate, U+DC80 to U+DCFF, and becomes that byte again: so `hex.encode(base64.decode(x))` is what OPA says.
 */

const ESCAPE = 0xdc00;

/** A string of bytes. */
export function textOfBytes(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let made = '';
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length > 0) made += Buffer.from(bytes.subarray(at, at + length)).toString('utf8');
    else made += String.fromCharCode(ESCAPE + (bytes[at] ?? 0));
    at += Math.max(length, 1);
  }
  return made;
}

/** Length of the good UTF-8 sequence that begins here; 0 where none does. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
  return length > 0 && at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

/** The bytes of a string. */
export function bytesOfText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  for (const one of text) {
    const code = one.charCodeAt(0);
    const isEscape = one.length === 1 && code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff;
    parts.push(isEscape ? Buffer.of(code - ESCAPE) : Buffer.from(one, 'utf8'));
  }
  return Buffer.concat(parts);
}

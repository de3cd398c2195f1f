/** What percent-decoding met: a `%` without two hex digits (kept as it is), or bytes that are not UTF-8 (they become U+FFFD). */
export type PercentProblem = 'invalid_encoding' | 'invalid_utf8';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const encoder = new TextEncoder();

/** Percent-decoding (RFC 3986 2.1), exactly once, as strict UTF-8 (no overlong form, no surrogate). Never throws: it tells what it met. */
export function percentDecode(text: string, met: (problem: PercentProblem) => void): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // malformed somewhere: read byte by byte and say what it was
  }
  const source = encoder.encode(text);
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let at = 0; at < source.length; at++) {
    let byte = source[at] ?? 0;
    if (byte === 37) {
      const high = hexValue(source[at + 1]);
      const low = hexValue(source[at + 2]);
      if (high < 0 || low < 0) {
        met('invalid_encoding');
      } else {
        byte = high * 16 + low;
        at += 2;
      }
    }
    bytes[length++] = byte;
  }
  const decoded = bytes.subarray(0, length);
  try {
    return strict.decode(decoded);
  } catch {
    met('invalid_utf8');
    return decoder.decode(decoded);
  }
}

function hexValue(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

import { type Builtin, type BuiltinTable, ofTexts } from './builtin.ts';
import { bytesOfText, textOfBytes } from './bytes.ts';

/** Bytes of a base64url text; its padding may be left out (RFC 7515 appendix C). Undefined where it is none. */
export function base64UrlBytes(text: string): Buffer | undefined {
  const plain = text.replaceAll(/[\r\n]/g, '');
  if (!/^[A-Za-z0-9_-]*={0,2}$/.test(plain)) return undefined;
  const unpadded = plain.replace(/=+$/, '');
  const isPadded = unpadded.length < plain.length;
  if (unpadded.length % 4 === 1 || (isPadded && plain.length % 4 !== 0)) return undefined;
  return Buffer.from(unpadded, 'base64url');
}

/** Bytes of a base64 text with its padding. */
export function base64Bytes(text: string): Buffer | undefined {
  const plain = text.replaceAll(/[\r\n]/g, '');
  return plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain) ? Buffer.from(plain, 'base64') : undefined;
}

/** Strict JSON (RFC 8259); what is no text is not valid. */
const isJson: Builtin = ([text]) => {
  if (typeof text !== 'string') return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

export const ENCODING: BuiltinTable = {
  'hex.encode': ofTexts(1, (text) => bytesOfText(text).toString('hex')),
  'hex.decode': ofTexts(1, (text) =>
    text.length % 2 === 0 && /^[0-9a-f]*$/i.test(text) ? textOfBytes(Buffer.from(text, 'hex')) : undefined,
  ),
  'base64url.encode_no_pad': ofTexts(1, (text) => bytesOfText(text).toString('base64url')),
  'json.is_valid': isJson,
};

import type { CertificateOffer } from '../contract/request.ts';
import { elementAt } from '../formats/der.ts';
import { bytesOf, parseFieldItem, parseFieldList } from '../formats/structured-fields.ts';
import { wholePemBlocks } from './certificate.ts';

/** A leaf and what was handed on of its issuers, each one PEM block or DER bytes, not read yet. */
export type CertificateTexts = { readonly leaf: string | Buffer; readonly issuers: readonly (string | Buffer)[] };

type HeaderOffer = Extract<CertificateOffer, { readonly chain: string | null }>;

const HEADER_LENGTH_MAX = 65_536;
/** More issuers than any path may have are an attempt at making us work. */
export const ISSUERS_MAX = 8;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Takes a certificate header apart; null where it is malformed, also where it came twice: its lines are joined by commas, which none of the
 * three forms has. The empty header is the caller's to sort out.
 */
export function readCertificateHeader({ form, header, chain }: HeaderOffer): CertificateTexts | null {
  if (header.length > HEADER_LENGTH_MAX || (chain?.length ?? 0) > HEADER_LENGTH_MAX) return null;
  if (form === 'pem_escaped') return readEscaped(header);
  const leaf = form === 'rfc9440' ? readFieldItem(header) : readBase64(header);
  const issuers = chain === null || chain === '' ? [] : form === 'rfc9440' ? readFieldChain(chain) : readConcatenated(chain);
  return leaf === null || issuers === null || issuers.length > ISSUERS_MAX ? null : { leaf, issuers };
}

/** The leaf comes first; nothing but white space may stand between the blocks. */
function readEscaped(header: string): CertificateTexts | null {
  const [leaf, ...issuers] = wholePemBlocks(header) ?? [];
  if (leaf === undefined || issuers.length > ISSUERS_MAX || header.includes(',')) return null;
  return { leaf, issuers };
}

/** RFC 9440 section 2.2: an Item, whose value is a Byte Sequence; parameters have no meaning. */
function readFieldItem(header: string): Buffer | null {
  const item = parseFieldItem(header);
  return item === null ? null : bytesOf(item[0]);
}

/** RFC 9440 section 2.3: a List of Byte Sequences, without the leaf. */
function readFieldChain(header: string): readonly Buffer[] | null {
  // parsing thousands of members takes ten milliseconds; a comma within a parameter's text is no member, and no gateway writes one
  if (header.split(',', ISSUERS_MAX + 1).length > ISSUERS_MAX) return null;
  const list = parseFieldList(header);
  if (list === null) return null;
  const found: Buffer[] = [];
  for (const [value] of list) {
    const bytes = Array.isArray(value) ? null : bytesOf(value);
    if (bytes === null) return null;
    found.push(bytes);
  }
  return found;
}

function readBase64(text: string): Buffer | null {
  return BASE64.test(text) ? Buffer.from(text, 'base64') : null;
}

/** HAProxy `ssl_c_chain_der`: the certificates one behind the other. */
function readConcatenated(text: string): readonly Buffer[] | null {
  const bytes = readBase64(text);
  if (bytes === null) return null;
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at, bytes.length);
    if (element === null) return null;
    found.push(bytes.subarray(at, element.end));
    at = element.end;
  }
  return found;
}

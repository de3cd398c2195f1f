import { CountersignError } from '../../contract/errors.ts';
import { childrenOf, type Element, elementAt, extensionsOf, hexOf, sequenceOf, TAG, timeOf, wholeHexOf } from '../../formats/der.ts';

/** A revocation list (RFC 5280 section 5.1) that was read and is not yet believed. */
export type RevocationList = {
  /** Distinguished name as its DER in hex. */
  readonly issuerName: string;
  /** Unix seconds. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Serials in lower-case hex without leading zeros. */
  readonly serials: ReadonlySet<string>;
  /** Object id in hex. */
  readonly signatureAlgorithm: string;
  /** The bytes that were signed. */
  readonly signed: Buffer;
  readonly signature: Buffer;
};

export const CRL_BYTES_MAX = 8_388_608;
const EXPLICIT_EXTENSIONS = 0xa0;
/** 2.5.29.27 and .28, delta indicator and issuing distribution point, have to be critical: a CA that forgets it means the same. */
const PARTIAL = new Set(['551d1b', '551d1c']);
const PEM_BLOCK = /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/;
/** A list of 200,000 takes as long to read as some hundred decisions: others get their turn in between. */
const ENTRIES_AT_ONCE = 5000;

/**
 * Reads a list in DER or PEM. Fails with `crl_invalid` where it is malformed, has no `nextUpdate`, or has a critical extension: lists of a part of the
 * certificates (issuing distribution point), of changes (delta) and of other issuers' certificates say nothing that can be used alone.
 */
export async function readRevocationList(bytes: Buffer): Promise<RevocationList> {
  const der = derOf(bytes);
  const [list, algorithm, signature] = sequenceOf(der) ?? [];
  if (list?.tag !== TAG.sequence || algorithm === undefined || signature?.tag !== TAG.bitString) throw invalid('not a CertificateList');
  const members = childrenOf(der, list) ?? [];
  // RFC 5280 asks for version 2, and OpenSSL still makes lists of version 1: without the number, and without extensions
  const [innerAlgorithm, issuer, thisUpdate, ...rest] = members[0]?.tag === TAG.integer ? members.slice(1) : members;
  if (innerAlgorithm === undefined || issuer === undefined) throw invalid('not a CertificateList');
  if (wholeHexOf(der, innerAlgorithm) !== wholeHexOf(der, algorithm)) throw invalid('two algorithms');
  const [from, until] = [timeOf(der, thisUpdate), timeOf(der, rest[0])];
  if (from === null || until === null) throw invalid('thisUpdate and nextUpdate are needed');
  const [, entries, extensions] = rest[1]?.tag === TAG.sequence ? rest : [rest[0], undefined, rest[1]];
  if (extensions?.tag !== EXPLICIT_EXTENSIONS && extensions !== undefined) throw invalid('not a CertificateList');
  checkExtensions(der, extensions);
  const id = childrenOf(der, algorithm)?.[0];
  if (id?.tag !== TAG.objectIdentifier) throw invalid('no algorithm');
  return {
    issuerName: wholeHexOf(der, issuer),
    thisUpdate: from,
    nextUpdate: until,
    serials: await readEntries(der, entries),
    signatureAlgorithm: hexOf(der, id),
    signed: der.subarray(list.at, list.end),
    signature: der.subarray(signature.start + 1, signature.end),
  };
}

function derOf(bytes: Buffer): Buffer {
  if (bytes[0] === TAG.sequence) return bytes;
  const body = PEM_BLOCK.exec(bytes.toString('latin1'))?.[1];
  if (body === undefined) throw invalid('neither DER nor PEM');
  return Buffer.from(body, 'base64');
}

function checkExtensions(der: Buffer, wrapper: Element | undefined): void {
  if (wrapper === undefined) return;
  const extensions = extensionsOf(der, elementAt(der, wrapper.start, wrapper.end));
  if (extensions === null) throw invalid('malformed extensions');
  if (extensions.some(({ id, critical }) => critical || PARTIAL.has(id))) throw invalid('a critical extension');
}

async function readEntries(der: Buffer, list: Element | undefined): Promise<ReadonlySet<string>> {
  const serials = new Set<string>();
  if (list === undefined) return serials;
  for (let at = list.start, count = 1; at < list.end; count++) {
    const entry = elementAt(der, at, list.end);
    const serial = entry?.tag === TAG.sequence ? elementAt(der, entry.start, entry.end) : null;
    const time = serial?.tag === TAG.integer && entry !== null ? elementAt(der, serial.end, entry.end) : null;
    if (entry === null || serial === null || time === null) throw invalid('a malformed entry');
    // crlEntryExtensions; a critical one says that the entry is about another issuer's certificate
    if (time.end < entry.end) checkEntry(der, elementAt(der, time.end, entry.end));
    serials.add(hexOf(der, serial).replace(/^0+(?=.)/, ''));
    at = entry.end;
    if (count % ENTRIES_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return serials;
}

function checkEntry(der: Buffer, list: Element | null): void {
  const extensions = extensionsOf(der, list);
  if (extensions === null) throw invalid('a malformed entry');
  if (extensions.some(({ critical }) => critical)) throw invalid('an entry with a critical extension');
}

function invalid(detail: string): CountersignError {
  return new CountersignError('crl_invalid', { detail });
}

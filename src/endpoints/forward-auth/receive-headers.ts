import { isUtf8 } from 'node:buffer';
import type { Dialect } from '../../contract/pep.ts';
import { headerName } from '../header-names.ts';
import { BODY_CODING, BODY_LENGTH, DIALECT_HEADERS, type DialectHeaders, OWN_HEADERS } from './schema.ts';

/** A question's headers, taken apart into what the gateway says and what its client sent. */
export type Said = {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly scheme: string;
  /** The gateway's own peer. */
  readonly address: string;
  /** The client's own, in order. */
  readonly headers: readonly (readonly [string, string])[];
  readonly bodyCut: boolean;
  readonly requestId: string | null;
  readonly notUtf8: boolean;
  /** True where a header looked like one of the dialect's or of ours. */
  readonly lookAlike: boolean;
  /** True where one looked like ours, `x-countersign_subject` say. */
  readonly ownLookAlike: boolean;
};

const OWN_PREFIX = 'x-countersign-';
const REQUEST_ID_MAX_CHARS = 256;
const MEMBERS = ['method', 'target', 'host', 'scheme'] as const;
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
/** The names of the original headers are ours alone: in every dialect a copy is no header of the request. */
const RESERVED: ReadonlySet<string> = new Set([...Object.values(DIALECT_HEADERS.nginx), BODY_LENGTH, BODY_CODING]);
const NOT_ASCII = /[\x80-\xff]/;

/**
 * Reads the lines of a question: those of the dialect once each, exactly by their names; the gateway's token and every `x-countersign-` header
 * is gone before anything else looks. @param lines names and values in turn (`rawHeaders`)
 * @param certificateName where the gateway puts the client certificate: empty is what some send where there is none
 */
export function readSaid(lines: readonly string[], dialect: Dialect, certificateName: string | null): Said | { readonly missing: string } {
  const names = DIALECT_HEADERS[dialect];
  const original = names === DIALECT_HEADERS.nginx;
  const found = new Map<string, string>();
  const headers: (readonly [string, string])[] = [];
  let address = '';
  let requestId: string | null = null;
  let [notUtf8, lookAlike, ownLookAlike, repeated] = [false, false, false, ''];
  let [hasType, coded] = [false, false];
  let length: string | null = null;
  const own = ownNames(names);
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const { name, plain } = headerName(lines[index] ?? '');
    if (plain.startsWith(OWN_PREFIX)) {
      ownLookAlike ||= name !== plain;
      continue;
    }
    if (OWN_HEADERS.has(name)) continue;
    const wire = lines[index + 1] ?? '';
    if (wire === '' && name === certificateName) continue;
    const text = !NOT_ASCII.test(wire);
    const value = text ? wire : decoded(wire);
    notUtf8 ||= value === null;
    if (own.has(plain) || RESERVED.has(plain)) {
      if (name !== plain) lookAlike = true;
      else if (name === BODY_LENGTH) length = original ? wire : null;
      else if (name === BODY_CODING) coded ||= original;
      else if (found.has(name)) repeated = name;
      else found.set(name, value ?? wire);
      continue;
    }
    if (name === names.address) address = wire;
    else if (name === 'x-request-id') requestId ??= wire.slice(0, REQUEST_ID_MAX_CHARS);
    else if (name === 'content-type') hasType = true;
    headers.push([lines[index] ?? '', value ?? wire]);
  }
  address = original ? (found.get(names.address) ?? '') : address.slice(address.lastIndexOf(',') + 1).trim();
  const missing = repeated || MEMBERS.map((member) => names[member]).find((name) => (found.get(name) ?? '') === '');
  if (missing !== undefined && missing !== '') return { missing };
  if (address === '') return { missing: names.address };
  const [method = '', target = '', host = '', scheme = ''] = MEMBERS.map((member) => found.get(names[member]));
  if (length !== null) headers.push(['content-length', length]);
  const bodyCut = length === null && (coded || hasType || (!original && WITH_BODY.has(method)));
  return {
    method,
    target,
    host,
    scheme,
    address,
    headers,
    bodyCut,
    requestId,
    notUtf8,
    lookAlike: lookAlike || ownLookAlike,
    ownLookAlike,
  };
}

const ORIGINAL_NAMES: ReadonlySet<string> = new Set(Object.values(DIALECT_HEADERS.nginx));
const FORWARDED_NAMES: ReadonlySet<string> = new Set(MEMBERS.map((member) => DIALECT_HEADERS.traefik[member]));

/** The list of addresses stays among the client's headers: it is read like that of every gateway. */
function ownNames(names: DialectHeaders): ReadonlySet<string> {
  return names === DIALECT_HEADERS.nginx ? ORIGINAL_NAMES : FORWARDED_NAMES;
}

/** Node reads header bytes as Latin-1; null where they are not UTF-8. */
function decoded(wire: string): string | null {
  const bytes = Buffer.from(wire, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : null;
}

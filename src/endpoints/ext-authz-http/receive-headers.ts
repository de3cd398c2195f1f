import { isUtf8 } from 'node:buffer';
import { headerName } from '../header-names.ts';
import { EXPECTED_WITHIN, FACTS, OWN_HEADERS, PARTIAL_BODY } from './schema.ts';

/** A question's headers, taken apart into what Envoy says and what its client sent. */
export type Said = {
  /** By our recipe's headers; '' where Envoy did not say. */
  readonly scheme: string;
  /** Envoy's own peer; '' where it did not say. */
  readonly address: string;
  readonly sni: string;
  /** The client's own, in order, `host` among them. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: BodySaid;
  /** Milliseconds that Envoy waits; null where it does not say. */
  readonly withinMs: number | null;
  readonly requestId: string | null;
  readonly notUtf8: boolean;
  /** True where a header looked like one of Envoy's or of ours. */
  readonly lookAlike: boolean;
};

/** What Envoy says of the client's body. `length` and `coded` are the client's own framing. */
export type BodySaid = { readonly handedOn: boolean; readonly cut: boolean; readonly length: string | null; readonly coded: boolean };

const OWN_PREFIX = 'x-countersign-';
const REQUEST_ID_MAX_CHARS = 256;
const NOT_ASCII = /[\x80-\xff]/;
const WAIT = /^[0-9]{1,9}$/;
const FACT_NAMES: ReadonlySet<string> = new Set(Object.values(FACTS));

/**
 * Reads the lines of a question (`rawHeaders`). What our recipe sets counts exactly by its name, and once: a second line can only be the client's,
 * so that it is a question without an answer. The gateway's token and every other `x-countersign-` header is gone before anything else looks.
 * @param certificateName where Envoy puts the client certificate: an empty one is none
 */
export function readSaid(lines: readonly string[], certificateName: string | null): Said | { readonly repeated: string } {
  const facts = new Map<string, string>();
  const headers: (readonly [string, string])[] = [];
  let requestId: string | null = null;
  let withinMs: number | null = null;
  let [notUtf8, lookAlike, handedOn, cut] = [false, false, false, false];
  let forwardedProto = '';
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const { name, plain } = headerName(lines[index] ?? '');
    const wire = lines[index + 1] ?? '';
    if (name === EXPECTED_WITHIN) withinMs = WAIT.test(wire) ? Number(wire) : withinMs;
    if (plain.startsWith(OWN_PREFIX)) {
      // of these Envoy may hand another spelling on to the upstream
      lookAlike ||= name !== plain;
      continue;
    }
    if (OWN_HEADERS.has(name)) continue;
    if (wire === '' && name === certificateName) continue;
    if (FACT_NAMES.has(plain)) {
      if (name !== plain) lookAlike = true;
      else if (facts.has(name)) return { repeated: name };
      else facts.set(name, wire);
      continue;
    }
    if (name === PARTIAL_BODY) {
      handedOn = true;
      // any `true` counts: a second copy can only be the client's
      cut ||= wire === 'true';
      continue;
    }
    const value = decoded(wire);
    notUtf8 ||= value === null;
    if (name === 'x-request-id') requestId ??= wire.slice(0, REQUEST_ID_MAX_CHARS);
    else if (name === 'x-forwarded-proto') forwardedProto = wire;
    headers.push([lines[index] ?? '', value ?? wire]);
  }
  const length = facts.get(FACTS.length) ?? null;
  if (length !== null) headers.push(['content-length', length]);
  const coded = (facts.get(FACTS.coding) ?? '') !== '';
  return {
    scheme: facts.get(FACTS.scheme) ?? forwardedProto,
    address: facts.get(FACTS.address) ?? '',
    sni: facts.get(FACTS.sni) ?? '',
    headers,
    body: { handedOn, cut, length, coded },
    withinMs,
    requestId,
    notUtf8,
    lookAlike,
  };
}

/** Node reads header bytes as Latin-1; null where they are not UTF-8. */
export function decoded(wire: string): string | null {
  if (!NOT_ASCII.test(wire)) return wire;
  const bytes = Buffer.from(wire, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : null;
}

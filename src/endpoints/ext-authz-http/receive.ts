import type { ErrorCode } from '../../contract/codes.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { OriginalRequest } from '../../contract/original-request.ts';
import type { Pep } from '../../contract/pep.ts';
import type { DecisionRequest, SourceFacts } from '../../contract/request.ts';
import type { ClientBody } from '../client-body.ts';
import { noteOnce } from '../client-headers.ts';
import { receiveFingerprints } from '../fingerprints.ts';
import { originalHeaders } from '../original-headers.ts';
import { type RawHttp, receiveHttpFacts, requestAlone } from '../request-facts.ts';
import { decoded, readSaid, type Said } from './receive-headers.ts';
import { PREFIX } from './schema.ts';

/** One question as it came from the socket. */
export type AskedBy = {
  readonly id: string;
  readonly pep: Pep;
  readonly receivedAtMs: number;
  /** By `Clock.monotonic`. */
  readonly nowMs: number;
  /** Milliseconds for one decision. */
  readonly deadlineMs: number;
  readonly method: string;
  /** The raw target of the question, with the prefix. */
  readonly target: string;
  /** Names and values in turn (`rawHeaders`). */
  readonly lines: readonly string[];
  /** Of the question; null where it has none. */
  readonly body: Uint8Array | null;
};

/** Why there is no question; `field` is the name of a header, never a value. */
export type Refused = { readonly refused: ErrorCode; readonly field?: string };

/** How much earlier than Envoy's timeout the answer leaves, as with gRPC. */
const MARGIN_MS = 10;
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const LENGTH = /^[0-9]{1,15}$/;
const NO_SOURCE: SourceFacts = Object.freeze({ ip: null, port: null, forwardedFor: [] });

/** Makes the question that ext_authz over gRPC would make of the same request. Never throws on foreign bytes. */
export function receiveHttpCheck(asked: AskedBy): DecisionRequest | Refused {
  const { pep } = asked;
  const said = readSaid(asked.lines, pep.certificateHeader?.name ?? null);
  if ('repeated' in said) return { refused: 'request_invalid', field: said.repeated };
  const raw = {
    method: asked.method,
    scheme: said.scheme === '' ? null : said.scheme,
    authority: null,
    target: targetOf(asked.target),
    headers: said.headers,
    body: bodyOf(said, asked),
  };
  const received = receiveHttpFacts(raw, pep);
  const { flags } = received;
  if (said.notUtf8) noteOnce(flags, 'header_not_utf8');
  if (said.lookAlike) noteOnce(flags, 'header_underscore');
  if (said.address !== '' && !pep.trusts.has('client_address')) noteOnce(flags, 'untrusted_client_address');
  const { deadlineMs } = asked;
  const withinMs = said.withinMs === null ? deadlineMs : Math.min(deadlineMs, Math.max(0, said.withinMs - MARGIN_MS));
  return {
    id: asked.id,
    requestId: said.requestId,
    endpoint: 'ext_authz_http',
    receivedAtMs: asked.receivedAtMs,
    deadlineAtMs: asked.nowMs + withinMs,
    pep,
    policyName: null,
    original: () => readOriginal(said, raw, asked),
    source: sourceOf(said, received.forwardedFor, pep),
    tls: { sni: said.sni === '' ? null : said.sni, version: null, ...receiveFingerprints(received.fingerprints, pep, flags) },
    ...requestAlone(received),
  };
}

/** What the client asked for: the prefix is cut off and nothing is decoded. */
function targetOf(target: string): string {
  const rest = target.slice(PREFIX.length);
  return decoded(rest) ?? rest;
}

/** Where Envoy hands on no bodies, one that is there counts as cut, so that rules which need it fail closed. */
function bodyOf({ body, scheme, address, headers }: Said, { body: bytes, method }: AskedBy): ClientBody {
  // an announced body of which nothing came: the mark may be the client's own
  if (bytes !== null || (body.handedOn && !body.coded)) return { bytes, truncated: body.cut, size: null };
  // with the recipe Envoy says how long a body is wherever HTTP says it
  const told = scheme !== '' && address !== '';
  const typed = headers.some(([name]) => name.toLowerCase() === 'content-type');
  const likely = told ? typed && WITH_BODY.has(method) : typed || WITH_BODY.has(method);
  return { bytes: null, truncated: body.length === null && (body.coded || likely), size: null };
}

/** Without its own word the chain may still hold Envoy's peer, which is then its last entry (`forwardedFor.appendsPeer`). */
function sourceOf({ address }: Said, forwardedFor: readonly string[], pep: Pep): SourceFacts {
  const ip = address !== '' && pep.trusts.has('client_address') ? address : null;
  return ip === null && forwardedFor.length === 0 ? NO_SOURCE : { ip, port: null, forwardedFor };
}

/** The question in the words of ext_authz, in which Host is the authority and -1 a size that nobody said. */
function readOriginal(said: Said, { target, body }: RawHttp, { method, pep }: AskedBy): OriginalRequest {
  const source: Record<string, JsonValue> =
    said.address !== '' && pep.trusts.has('client_address') ? { address: { socketAddress: { address: said.address } } } : {};
  const { length } = said.body;
  const headers = said.headers.filter(([name]) => name.toLowerCase() !== 'host');
  return {
    id: said.requestId ?? '',
    method,
    scheme: said.scheme,
    host: said.headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? '',
    target,
    protocol: '',
    headers: originalHeaders(headers, pep, pep.trusts.has('client_certificate')),
    body: body.bytes === null ? null : { bytes: body.bytes, packed: false },
    bodyCut: body.truncated,
    size: length !== null && LENGTH.test(length) ? length : '-1',
    time: null,
    attributes: { source, ...(said.sni === '' ? {} : { tlsSession: { sni: said.sni } }) },
  };
}

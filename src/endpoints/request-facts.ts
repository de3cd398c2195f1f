import type { JsonObject } from '../contract/json.ts';
import type { Pep } from '../contract/pep.ts';
import type { CertificateOffer, DecisionRequest, HttpFacts, RequestFlag, SignatureOffer } from '../contract/request.ts';
import { canonicalHost, canonicalTarget } from './canonical-url.ts';
import { type ClientBody, receiveClientBody } from './client-body.ts';
import { receiveHeaders } from './client-headers.ts';
import type { FingerprintOffer } from './fingerprints.ts';
import { receiveSignature } from './signature-offer.ts';

/** The client's request in the words of whatever protocol the gateway speaks, before anything is made of it. */
export type RawHttp = {
  readonly method: string;
  readonly scheme: string | null;
  /** `:authority` or Host; null leaves it to a `host` header. */
  readonly authority: string | null;
  /** Path and query as the client sent them. */
  readonly target: string;
  /** Any case, any order, repeated names allowed; names that begin with `:` are dropped. */
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: ClientBody;
};

/** The facts, and what must not be among them. */
export type ReceivedHttp = {
  readonly http: HttpFacts;
  readonly flags: RequestFlag[];
  /** Every `authorization` value in order. */
  readonly authorization: string[];
  /** Of the gateway's configured header, only where it is trusted for `client_certificate`. */
  readonly certificate: CertificateOffer | null;
  /** Every `x-api-key` value in order. */
  readonly apiKeys: string[];
  /** Every `dpop` value in order. */
  readonly dpop: string[];
  /** Of the gateway's configured headers, not judged yet. */
  readonly fingerprints: FingerprintOffer;
  /** Every `txn-token` value in order. */
  readonly txnToken: string[];
  /** Null where no header of one came. */
  readonly signature: SignatureOffer | null;
  /** The chain of the gateway's configured header, only where it is trusted for `client_address`. */
  readonly forwardedFor: string[];
};

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/;
const SCHEME = /^[a-z][a-z0-9+.-]{0,15}$/;

/** Makes the facts that every endpoint shares, so that the same request is the same input whichever way it was asked about. Never throws. */
export function receiveHttpFacts(raw: RawHttp, pep: Pep): ReceivedHttp {
  const flags: RequestFlag[] = [];
  const target = canonicalTarget(raw.target);
  for (const flag of target.flags) flags.push(flag);
  const headers = receiveHeaders(raw.headers, pep, flags);
  const hosts = receiveHost(raw.authority, headers.hosts, target.authority, flags);
  let method = raw.method;
  if (!METHOD.test(method)) {
    flags.push('method_invalid');
    method = '';
  }
  const scheme = raw.scheme?.toLowerCase() ?? '';
  const http: HttpFacts = {
    method,
    scheme: SCHEME.test(scheme) ? scheme : '',
    host: hosts.host,
    port: hosts.port,
    path: target.path,
    pathRaw: target.pathRaw,
    segments: target.segments,
    query: target.query,
    queryRaw: target.queryRaw,
    headers: headers.headers,
    body: receiveClientBody(raw.body, headers.contentType, headers.contentLength),
    pathAmbiguous: target.ambiguous || hosts.ambiguous,
  };
  const { authorization, apiKeys, dpop, txnToken, certificate, fingerprints, forwardedFor } = headers;
  const signature = receiveSignature(raw, headers);
  return { http, flags, authorization, apiKeys, dpop, txnToken, signature, certificate, fingerprints, forwardedFor };
}

/**
 * The host that routes are matched by. Where the authority, a Host header and an absolute-form target name different ones, components
 * would route differently; so would they with one that does not parse. Both count as ambiguous.
 */
function receiveHost(authority: string | null, hostHeaders: readonly string[], fromTarget: string | null, flags: RequestFlag[]) {
  const first = authority ?? hostHeaders[0] ?? fromTarget ?? '';
  const read = canonicalHost(first);
  let ambiguous = read.flags.length > 0;
  if (ambiguous) flags.push('host_invalid');
  const others = fromTarget === null ? hostHeaders : [...hostHeaders, fromTarget];
  for (const other of others) {
    if (other === first) continue;
    const second = canonicalHost(other);
    if (second.flags.length > 0 || second.host !== read.host || second.port !== read.port) {
      if (!flags.includes('host_conflict')) flags.push('host_conflict');
      ambiguous = true;
    }
  }
  return { host: read.host, port: read.port, ambiguous };
}

const EMPTY: JsonObject = {};

type RequestAlone = Pick<
  DecisionRequest,
  'http' | 'credentials' | 'subject' | 'action' | 'resource' | 'context' | 'pepRate' | 'flags' | 'explain'
>;

/** What a question is about where the gateway's protocol can say nothing but the client's request. */
export function requestAlone(received: ReceivedHttp): RequestAlone {
  const { http, flags, authorization, apiKeys, dpop, txnToken, signature, certificate } = received;
  const offered = { authorization, apiKeys, dpop, txnToken, signature, certificates: certificate === null ? [] : [certificate] };
  return {
    http,
    credentials: { ...offered, claims: null, principal: null },
    subject: null,
    action: null,
    resource: null,
    context: EMPTY,
    pepRate: null,
    flags,
    explain: false,
  };
}

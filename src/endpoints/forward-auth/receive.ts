import type { ErrorCode } from '../../contract/codes.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { OriginalRequest } from '../../contract/original-request.ts';
import { type Dialect, isForeignPolicy, type Pep } from '../../contract/pep.ts';
import type { DecisionRequest, SourceFacts } from '../../contract/request.ts';
import { noteOnce } from '../client-headers.ts';
import { receiveFingerprints } from '../fingerprints.ts';
import { originalHeaders } from '../original-headers.ts';
import { receiveHttpFacts, requestAlone } from '../request-facts.ts';
import { readSaid, type Said } from './receive-headers.ts';
import { KEEPS_LOOK_ALIKES } from './schema.ts';

/** What is known of a question beside its headers. */
export type Asked = {
  readonly id: string;
  readonly pep: Pep;
  readonly dialect: Dialect;
  readonly receivedAtMs: number;
  readonly deadlineAtMs: number;
  /** Of the question's own target, which only the gateway's configuration writes. */
  readonly policyName: string | null;
};

/** Why there is no question; `field` is the name of a header, never a value. */
export type Refused = { readonly refused: ErrorCode; readonly field?: string };

/** Makes the question from the lines of the gateway's request, names and values in turn. Never throws on foreign bytes. */
export function receiveForwardAuth(lines: readonly string[], asked: Asked): DecisionRequest | Refused {
  const { pep, policyName } = asked;
  if (policyName !== null && isForeignPolicy(pep, policyName)) return { refused: 'policy_not_allowed' };
  const said = readSaid(lines, asked.dialect, pep.certificateHeader?.name ?? null);
  if ('missing' in said) return { refused: 'request_incomplete', field: said.missing };
  if (said.ownLookAlike && KEEPS_LOOK_ALIKES.has(asked.dialect)) return { refused: 'header_look_alike', field: 'x-countersign-*' };
  const { method, scheme, host, target, headers } = said;
  const body = { bytes: null, truncated: said.bodyCut, size: null };
  const received = receiveHttpFacts({ method, scheme, authority: host, target, headers, body }, pep);
  const { flags } = received;
  if (said.notUtf8) noteOnce(flags, 'header_not_utf8');
  if (said.lookAlike) noteOnce(flags, 'header_underscore');
  if (!pep.trusts.has('client_address')) noteOnce(flags, 'untrusted_client_address');
  return {
    id: asked.id,
    requestId: said.requestId,
    endpoint: 'forward_auth',
    receivedAtMs: asked.receivedAtMs,
    deadlineAtMs: asked.deadlineAtMs,
    pep,
    policyName,
    original: () => readOriginal(said, pep),
    source: receiveSource(said, received.forwardedFor, asked),
    tls: { sni: null, version: null, ...receiveFingerprints(received.fingerprints, pep, flags) },
    ...requestAlone(received),
  };
}

/** Gateways of the X-Forwarded kind have appended their peer to the list: it is taken off, unless the configuration says that it is there. */
function receiveSource({ address }: Said, chain: readonly string[], { pep, dialect }: Asked): SourceFacts {
  if (!pep.trusts.has('client_address')) return { ip: null, port: null, forwardedFor: [] };
  const { header, appendsPeer } = pep.forwardedFor;
  const hasPeer = header === 'x-forwarded-for' && dialect !== 'nginx' && dialect !== 'haproxy' && !appendsPeer;
  return { ip: address, port: null, forwardedFor: hasPeer ? chain.slice(0, -1) : chain };
}

/** The question in the words of ext_authz. */
function readOriginal(said: Said, pep: Pep): OriginalRequest {
  const source: Record<string, JsonValue> = pep.trusts.has('client_address')
    ? { address: { socketAddress: { address: said.address } } }
    : {};
  return {
    id: said.requestId ?? '',
    method: said.method,
    scheme: said.scheme,
    host: said.host,
    target: said.target,
    protocol: '',
    headers: originalHeaders(said.headers, pep, pep.trusts.has('client_certificate')),
    body: null,
    bodyCut: said.bodyCut,
    size: null,
    time: null,
    attributes: { source },
  };
}

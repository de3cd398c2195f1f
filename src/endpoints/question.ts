import type { ErrorCode } from '../contract/codes.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { OriginalRequest } from '../contract/original-request.ts';
import type { Pep } from '../contract/pep.ts';
import type { DecisionRequest, RequestFlag, SourceFacts } from '../contract/request.ts';
import { noteOnce } from './client-headers.ts';
import { receiveQuestionHeaders } from './question-headers.ts';
import { readOriginal } from './question-original.ts';
import type { EntitiesBody, EvidenceBody } from './question-schema.ts';
import { receiveCertificates, receiveTls } from './question-tls.ts';
import { type ReceivedHttp, receiveHttpFacts } from './request-facts.ts';

/* A question in JSON, whatever protocol it came by: one request makes one `DecisionRequest`. */

/** DESIGN 3. */
export const CONTEXT_BYTES_MAX = 16_384;
export const CONTEXT_DEPTH_MAX = 8;

/** What is known of a question before its body is read. */
export type Asked = {
  readonly id: string;
  readonly pep: Pep;
  readonly receivedAtMs: number;
  readonly deadlineAtMs: number;
  /** The gateway asked for an explanation. */
  readonly explain: boolean;
};

/** Why there is no question; `field` is a path such as `source.port`, never a value. */
export type Refused = { readonly refused: ErrorCode; readonly field?: string };

/** What a gateway handed on of its client's request, as far as it is trusted for it. Several questions may share it. */
export type Evidence = Pick<DecisionRequest, 'http' | 'source' | 'tls' | 'credentials' | 'pepRate' | 'flags'> & {
  readonly requestId: string | null;
  readonly original: ((context: JsonObject | null) => OriginalRequest) | null;
};

/** What a question is about; null or undefined where it does not say. */
export type About = EntitiesBody & { readonly context?: JsonObject | undefined; readonly policyName?: string | null };

const FIELD_MAX = 128;
const EMPTY: JsonObject = {};
const NO_BODY = { bytes: null, truncated: false, size: null };

/** A refusal, with the name of what was wrong where there is one. */
export function refuse(refused: ErrorCode, field?: string): Refused {
  return field === undefined || field === '' ? { refused } : { refused, field: field.slice(0, FIELD_MAX) };
}

/** The path of the first problem; of unknown members the first one's name, which is the only part that a caller chose. */
export function fieldOf(issue: { readonly path: readonly PropertyKey[]; readonly keys?: readonly string[] } | undefined): string {
  const path = issue?.path.map(String) ?? [];
  const unknown = issue?.keys?.[0];
  return [...path, ...(unknown === undefined ? [] : [unknown])].join('.');
}

/** Reads the evidence of a body that has the right form. What the gateway is not trusted for is left out and flagged. */
export function receiveEvidence(body: EvidenceBody, pep: Pep): Evidence | Refused {
  const { request: asHttp } = body;
  const received = asHttp === undefined ? null : receiveRequest(asHttp, pep);
  if (received !== null && 'refused' in received) return received;
  const flags: RequestFlag[] = received === null ? [] : received.flags;
  const trusted = (trust: 'claims' | 'rate', offered: boolean): boolean => {
    if (!offered) return false;
    if (pep.trusts.has(trust)) return true;
    flags.push(`untrusted_${trust}`);
    return false;
  };
  return {
    requestId: asHttp?.id ?? null,
    http: received?.http ?? null,
    original: asHttp === undefined ? null : (context) => readOriginal(body, asHttp, context, pep),
    source: receiveSource(body.source, received, pep, flags),
    tls: receiveTls(body.tls, received?.fingerprints ?? null, pep, flags),
    credentials: {
      authorization: received?.authorization ?? [],
      apiKeys: received?.apiKeys ?? [],
      dpop: received?.dpop ?? [],
      txnToken: received?.txnToken ?? [],
      signature: received?.signature ?? null,
      claims: trusted('claims', body.token !== undefined) ? (body.token?.claims ?? null) : null,
      certificates: receiveCertificates(body.certificate, received?.certificate ?? null, pep, flags),
      principal: null,
    },
    pepRate: body.rate !== undefined && trusted('rate', true) ? { count: body.rate.count, windowSeconds: body.rate.window_seconds } : null,
    flags,
  };
}

/** One question: the evidence, and what is asked about. */
export function questionOf(evidence: Evidence, about: About, asked: Asked, endpoint: DecisionRequest['endpoint']): DecisionRequest {
  const { pep } = asked;
  const { original } = evidence;
  const { subject, action, resource, context } = about;
  const believed = subject !== undefined && pep.trusts.has('subject');
  const explain = asked.explain && pep.trusts.has('explain');
  const untrusted: RequestFlag[] = [];
  if (subject !== undefined && !believed) untrusted.push('untrusted_subject');
  if (asked.explain && !explain) untrusted.push('untrusted_explain');
  return {
    id: asked.id,
    requestId: evidence.requestId,
    endpoint,
    receivedAtMs: asked.receivedAtMs,
    deadlineAtMs: asked.deadlineAtMs,
    pep,
    policyName: about.policyName ?? null,
    http: evidence.http,
    ...(original === null ? {} : { original: () => original(context ?? null) }),
    source: evidence.source,
    tls: evidence.tls,
    credentials: evidence.credentials,
    subject: believed ? { type: subject.type, id: subject.id, properties: subject.properties ?? EMPTY } : null,
    action: action === undefined ? null : { name: action.name, properties: action.properties ?? EMPTY },
    resource: resource === undefined ? null : { type: resource.type, id: resource.id, properties: resource.properties ?? EMPTY },
    context: context ?? EMPTY,
    pepRate: evidence.pepRate,
    flags: untrusted.length === 0 ? evidence.flags : [...evidence.flags, ...untrusted],
    explain,
  };
}

function receiveRequest(request: NonNullable<EvidenceBody['request']>, pep: Pep): ReceivedHttp | Refused {
  const headers = receiveQuestionHeaders(request.headers ?? EMPTY);
  if ('invalid' in headers) return refuse('request_invalid', `request.headers.${headers.invalid}`);
  const { method, scheme = null, host = null, path, body, body_truncated: truncated = false } = request;
  const received = body === undefined && !truncated ? NO_BODY : { bytes: Buffer.from(body ?? ''), truncated, size: null };
  return receiveHttpFacts({ method, scheme, authority: host, target: path, headers, body: received }, pep);
}

function receiveSource(source: EvidenceBody['source'], received: ReceivedHttp | null, pep: Pep, flags: RequestFlag[]): SourceFacts {
  const chain = received?.forwardedFor ?? [];
  if (source === undefined) return { ip: null, port: null, forwardedFor: chain };
  if (pep.trusts.has('client_address')) {
    return { ip: source.ip ?? null, port: source.port ?? null, forwardedFor: source.forwarded_for ?? chain };
  }
  noteOnce(flags, 'untrusted_client_address');
  return { ip: null, port: null, forwardedFor: [] };
}

/** Whether a context keeps its bounds. @param bodyBytes it is written out only where the whole body leaves its size open */
export function contextFits(context: JsonObject, bodyBytes: number): boolean {
  if (bodyBytes > CONTEXT_BYTES_MAX && Buffer.byteLength(JSON.stringify(context)) > CONTEXT_BYTES_MAX) return false;
  return isWithin(context, CONTEXT_DEPTH_MAX);
}

function isWithin(value: JsonValue, depthLeft: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depthLeft === 0) return false;
  const members: readonly JsonValue[] = isJsonObject(value) ? Object.values(value) : value;
  return members.every((member) => isWithin(member, depthLeft - 1));
}

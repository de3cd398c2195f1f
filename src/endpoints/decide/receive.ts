import type { ErrorCode } from '../../contract/codes.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import { isForeignPolicy, type Pep } from '../../contract/pep.ts';
import type { DecisionRequest, RequestFlag, SourceFacts } from '../../contract/request.ts';
import { JSON_LIMITS, parseJsonBody } from '../json-body.ts';
import { type ReceivedHttp, receiveHttpFacts } from '../request-facts.ts';
import { readOriginal } from './original.ts';
import { receiveDecideHeaders } from './receive-headers.ts';
import { receiveCertificates, receiveTls } from './receive-tls.ts';
import { DecideBody } from './schema.ts';

/** DESIGN 3. */
export const CONTEXT_BYTES_MAX = 16_384;
export const CONTEXT_DEPTH_MAX = 8;

/** What is known of a question before its body is read. */
export type Asked = {
  readonly id: string;
  readonly pep: Pep;
  readonly receivedAtMs: number;
  readonly deadlineAtMs: number;
  /** `?explain=true` */
  readonly explain: boolean;
};

/** Why there is no question; `field` is a path such as `source.port`, never a value. */
export type Refused = { readonly refused: ErrorCode; readonly field?: string };

const FIELD_MAX = 128;
const EMPTY: JsonObject = {};
const NO_BODY = { bytes: null, truncated: false, size: null };

/** Makes the question from the body's bytes, or says why it cannot. Never throws on foreign bytes. */
export function receiveDecide(bytes: Uint8Array, asked: Asked): DecisionRequest | Refused {
  const parsed = parseJsonBody(bytes, JSON_LIMITS);
  if (!parsed.ok) return refuse(parsed.code, parsed.field);
  const checked = DecideBody.safeParse(parsed.value);
  if (!checked.success) return refuse('request_invalid', fieldOf(checked.error.issues[0]));
  const body = checked.data;
  const { pep } = asked;
  if (body.policy !== undefined && isForeignPolicy(pep, body.policy)) return refuse('policy_not_allowed', 'policy');
  const context = body.context ?? EMPTY;
  if (body.context !== undefined && !contextFits(context, bytes.length)) return refuse('context_too_large', 'context');

  const { request: asHttp } = body;
  const received = asHttp === undefined ? null : receiveRequest(asHttp, pep);
  if (received !== null && 'refused' in received) return received;
  const flags: RequestFlag[] = received === null ? [] : received.flags;
  const trusted = (trust: 'claims' | 'subject' | 'rate' | 'explain', offered: boolean): boolean => {
    if (!offered) return false;
    if (pep.trusts.has(trust)) return true;
    flags.push(`untrusted_${trust}`);
    return false;
  };
  return {
    id: asked.id,
    requestId: body.request?.id ?? null,
    endpoint: 'decide',
    receivedAtMs: asked.receivedAtMs,
    deadlineAtMs: asked.deadlineAtMs,
    pep,
    policyName: body.policy ?? null,
    http: received?.http ?? null,
    ...(asHttp === undefined ? {} : { original: () => readOriginal(body, asHttp, pep) }),
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
    subject:
      body.subject !== undefined && trusted('subject', true) ? { ...body.subject, properties: body.subject.properties ?? EMPTY } : null,
    action: body.action === undefined ? null : { ...body.action, properties: body.action.properties ?? EMPTY },
    resource: body.resource === undefined ? null : { ...body.resource, properties: body.resource.properties ?? EMPTY },
    context,
    pepRate: body.rate !== undefined && trusted('rate', true) ? { count: body.rate.count, windowSeconds: body.rate.window_seconds } : null,
    flags,
    explain: trusted('explain', asked.explain),
  };
}

function refuse(refused: ErrorCode, field?: string): Refused {
  return field === undefined || field === '' ? { refused } : { refused, field };
}

/** The path of the first problem; of unknown members the first one's name, which is the only part that a caller chose. */
function fieldOf(issue: { readonly path: readonly PropertyKey[]; readonly keys?: readonly string[] } | undefined): string {
  const path = issue?.path.map(String) ?? [];
  const unknown = issue?.keys?.[0];
  return [...path, ...(unknown === undefined ? [] : [unknown])].join('.').slice(0, FIELD_MAX);
}

function receiveRequest(request: NonNullable<DecideBody['request']>, pep: Pep): ReceivedHttp | Refused {
  const headers = receiveDecideHeaders(request.headers ?? EMPTY);
  if ('invalid' in headers) return refuse('request_invalid', `request.headers.${headers.invalid}`.slice(0, FIELD_MAX));
  const { method, scheme = null, host = null, path } = request;
  return receiveHttpFacts({ method, scheme, authority: host, target: path, headers, body: NO_BODY }, pep);
}

function receiveSource(source: DecideBody['source'], received: ReceivedHttp | null, pep: Pep, flags: RequestFlag[]): SourceFacts {
  const chain = received?.forwardedFor ?? [];
  if (source === undefined) return { ip: null, port: null, forwardedFor: chain };
  if (pep.trusts.has('client_address')) {
    return { ip: source.ip ?? null, port: source.port ?? null, forwardedFor: source.forwarded_for ?? chain };
  }
  if (!flags.includes('untrusted_client_address')) flags.push('untrusted_client_address');
  return { ip: null, port: null, forwardedFor: [] };
}

/** The context is written out only where the whole body leaves its size open. */
function contextFits(context: JsonObject, bodyBytes: number): boolean {
  if (bodyBytes > CONTEXT_BYTES_MAX && Buffer.byteLength(JSON.stringify(context)) > CONTEXT_BYTES_MAX) return false;
  return isWithin(context, CONTEXT_DEPTH_MAX);
}

function isWithin(value: JsonValue, depthLeft: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depthLeft === 0) return false;
  const members: readonly JsonValue[] = isJsonObject(value) ? Object.values(value) : value;
  return members.every((member) => isWithin(member, depthLeft - 1));
}

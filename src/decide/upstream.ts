import type { Upstream } from '../contract/decision.ts';
import type { Identity } from '../contract/identity.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { EnrichmentSignals } from '../contract/signals.ts';
import type { Combined } from './combine.ts';
import type { UpstreamOptions } from './options.ts';
import { limitFields } from './rate-headers.ts';

/** The headers that only we may set, in any spelling. */
const NAMES = ['decision-id', 'subject', 'client-id', 'assurance', 'risk', 'actor', 'degraded', 'would', 'assertion'].map(
  (name) => `x-countersign-${name}`,
);
const UNDERSCORED = NAMES.map((name) => name.replaceAll('-', '_'));
/** Every other spelling that a server could take for ours, where `_` or `.` counts as `-`. */
const MIXED = NAMES.flatMap(spellings).filter((name) => !NAMES.includes(name) && !UNDERSCORED.includes(name));
/** A longer value is not set at all: a cut identity would be another one. */
const VALUE_BYTES_MAX = 2048;
const PREFIX = 'x-countersign-';

function spellings(name: string): string[] {
  const [first = '', ...rest] = name.split('-');
  return rest.reduce<string[]>((all, part) => all.flatMap((head) => ['-', '_', '.'].map((join) => `${head}${join}${part}`)), [first]);
}

/** Nothing changes: denies and step_ups do not go upstream. */
export const NO_UPSTREAM: Upstream = { headersToSet: {}, headersToRemove: [] };

/** Of what a policy said, what is told upstream. */
type Told = Pick<Combined, 'upstreamHeaders' | 'responseHeaders' | 'limits' | 'risk'>;

/** What an allowed request looks like upstream. A name that is set is never among those removed. */
export function upstreamOf(
  request: DecisionRequest,
  identity: Identity,
  enrichment: EnrichmentSignals,
  combined: Told,
  options: UpstreamOptions,
): Upstream {
  const set: Record<string, string> = {};
  for (const [name, value] of Object.entries(combined.upstreamHeaders)) {
    if (!isReserved(name)) set[name] = headerSafe(value);
  }
  if (options.headers) setIdentity(set, request, identity, enrichment, combined);
  const remove = NAMES.filter((name) => set[name] === undefined);
  remove.push(...UNDERSCORED);
  // the client's own mixed spellings (`x-countersign_subject`) reach some upstreams as ours; the border says where there could be one
  if (request.flags.includes('header_underscore')) remove.push(...MIXED);
  if (options.removeAuthorization && set['authorization'] === undefined) remove.push('authorization');
  if (options.removeApiKey === true && isOurKey(identity.signals.apiKey)) removeApiKey(remove, set, request);
  const { dpopNonce } = identity.challenge;
  if (dpopNonce === null && combined.limits.length === 0 && Object.keys(combined.responseHeaders).length === 0)
    return { headersToSet: set, headersToRemove: remove };
  const responseHeaders = { ...safeHeaders(combined.responseHeaders), ...limitFields(combined.limits) };
  // RFC 9449 section 8.2: the next nonce comes with a good answer, before the last one is refused
  if (dpopNonce !== null) responseHeaders['dpop-nonce'] = dpopNonce;
  return { headersToSet: set, headersToRemove: remove, responseHeadersToSet: responseHeaders };
}

/**
 * What a request looks like upstream that passes although it was not allowed: who asks is told as on an allow, and `x-countersign-would` what was
 * decided. Where the path failed before that was known nothing of ours stays, and no credential that is taken away from others.
 * @param names of headers that the policy would have set or removed: the client's own are taken away
 */
export function upstreamInMonitor(
  request: DecisionRequest,
  known: { readonly identity: Identity | null; readonly enrichment: EnrichmentSignals | null },
  { risk, would, names }: { readonly risk: Combined['risk']; readonly would: 'deny' | 'step_up'; readonly names: readonly string[] },
  options: UpstreamOptions,
): Upstream {
  const { identity, enrichment } = known;
  const told = { upstreamHeaders: {}, responseHeaders: {}, limits: [], risk };
  const made =
    identity === null || enrichment === null ? withoutIdentity(request, options) : upstreamOf(request, identity, enrichment, told, options);
  const remove = new Set([...made.headersToRemove, ...names]);
  remove.delete(WOULD);
  return { ...made, headersToSet: { ...made.headersToSet, [WOULD]: would }, headersToRemove: [...remove] };
}

const WOULD = 'x-countersign-would';

function withoutIdentity(request: DecisionRequest, options: UpstreamOptions): Upstream {
  const id = 'x-countersign-decision-id';
  const set = options.headers ? { [id]: request.id } : {};
  const remove = [...NAMES.filter((name) => !options.headers || name !== id), ...UNDERSCORED];
  if (request.flags.includes('header_underscore')) remove.push(...MIXED);
  if (options.removeAuthorization) remove.push('authorization');
  // whose key it is was not found out: it is taken for one of ours
  if (options.removeApiKey === true) removeApiKey(remove, set, request);
  return { headersToSet: set, headersToRemove: remove };
}

/** Of the key's look-alikes one could reach the upstream as the key (USER-ASKS 15); the border says where there could be any. */
const KEY_LOOK_ALIKES = spellings('x-api-key').filter((name) => name !== 'x-api-key');

/** Good or not; what is no key of ours may be the upstream's own. */
function isOurKey(apiKey: Identity['signals']['apiKey']): boolean {
  return apiKey.status === 'present' || (apiKey.status !== 'absent' && apiKey.code !== 'api_key_malformed');
}

function removeApiKey(remove: string[], set: Readonly<Record<string, string>>, { credentials, flags }: DecisionRequest): void {
  const names: string[] = [];
  if (credentials.apiKeys.length > 0) names.push('x-api-key');
  if (credentials.authorization.some((value) => /^apikey /i.test(value))) names.push('authorization');
  if (flags.includes('header_underscore')) names.push(...KEY_LOOK_ALIKES);
  for (const name of names) if (set[name] === undefined && !remove.includes(name)) remove.push(name);
}

function setIdentity(
  set: Record<string, string>,
  request: DecisionRequest,
  identity: Identity,
  enrichment: EnrichmentSignals,
  combined: Told,
): void {
  const { token, certificate, signature, txnToken } = identity.signals;
  put(set, 'x-countersign-decision-id', request.id);
  put(set, 'x-countersign-subject', identity.subject.id);
  put(set, 'x-countersign-client-id', identity.subject.client);
  put(set, 'x-countersign-assurance', String(identity.evidence.assurance));
  put(set, 'x-countersign-risk', String(combined.risk.score));
  put(set, 'x-countersign-actor', token.status === 'present' ? (token.value.actor?.subject ?? null) : null);
  const degraded: string[] = [];
  if (token.status === 'unavailable') degraded.push('token');
  if (identity.signals.apiKey.status === 'unavailable') degraded.push('api_key');
  if (certificate.status === 'unavailable') degraded.push('certificate');
  if (txnToken.status === 'unavailable') degraded.push('txn_token');
  if (signature.status === 'unavailable') degraded.push('signature');
  if (enrichment.network.status === 'unavailable') degraded.push('network');
  const { rate } = enrichment;
  if (rate.status === 'unavailable' || (rate.status === 'present' && rate.value.degraded)) degraded.push('rate');
  for (const [name, { status }] of Object.entries(enrichment.sources ?? {})) {
    if (status === 'unavailable') degraded.push(`sources.${name}`);
  }
  put(set, 'x-countersign-degraded', degraded.length === 0 ? null : degraded.join(','));
}

function put(set: Record<string, string>, name: string, value: string | null): void {
  if (value === null) return;
  const safe = headerSafe(value);
  if (safe.length > 0 && safe.length <= VALUE_BYTES_MAX) set[name] = safe;
}

/** Headers that a policy may not set: ours, and those that frame the message or say who is asked. */
export function isReserved(name: string): boolean {
  return name.replace(/[_.]/g, '-').startsWith(PREFIX) || FRAMING.has(name);
}

const FRAMING = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'proxy-connection',
]);

/** Policy headers for the client, made safe; framing ones and ours are left out. */
export function safeHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const safe: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (!isReserved(name)) safe[name] = headerSafe(value);
  return safe;
}

const UNSAFE = /[^\x20-\x24\x26-\x7E]|^ | $/u;
const EACH_UNSAFE = /[^\x20-\x24\x26-\x7E]|^ | $/gu;

/**
 * Percent-encodes (RFC 3986, UTF-8) whatever is not visible ASCII or an inner space, and `%` itself: `decodeURIComponent` gives the value
 * back, and two different values never become one.
 */
export function headerSafe(value: string): string {
  if (!UNSAFE.test(value)) return value;
  return value.toWellFormed().replace(EACH_UNSAFE, (character) => (character === ' ' ? '%20' : encodeURIComponent(character)));
}

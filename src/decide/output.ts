import { STATUS_CODES } from 'node:http';
import { CODES, type ErrorCode } from '../contract/codes.ts';
import type { ClientResponse, Decision, Reason, StepUp } from '../contract/decision.ts';
import type { Identity } from '../contract/identity.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { Route } from '../contract/route.ts';
import type { EnrichmentSignals } from '../contract/signals.ts';
import { challengeOfDeny, challengeOfStepUp, challengeOptionsOf, type RouteChallenge } from './challenge.ts';
import type { Combined } from './combine.ts';
import type { ChallengeOptions, UpstreamOptions } from './options.ts';
import { rateHeaders } from './rate-headers.ts';
import { NO_UPSTREAM, safeHeaders, upstreamOf } from './upstream.ts';

export type OutputOptions = { readonly challenge: ChallengeOptions; readonly upstream: UpstreamOptions };
export type PolicyName = { readonly name: string; readonly revision: string };

/** Seconds after which a 503 may be tried again, where no rule says. */
const RETRY_SECONDS = 1;
/** Problem types of draft-ietf-httpapi-ratelimit-headers; other statuses say all there is by themselves (RFC 9457 section 4.2.1). */
const PROBLEM_TYPES: Readonly<Record<number, string>> = {
  429: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  503: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
};

/** The decision that the combined verdicts make, with all that a gateway needs to act on it. */
export function decisionOf(
  request: DecisionRequest,
  identity: Identity,
  enrichment: EnrichmentSignals,
  route: Route,
  combined: Combined,
  policy: PolicyName,
  options: OutputOptions,
): Decision {
  const { effect, reasons } = combined;
  return {
    id: request.id,
    effect,
    reasons,
    assurance: { level: identity.evidence.assurance, required: combined.assuranceRequired },
    risk: combined.risk,
    stepUp: combined.stepUp,
    obligations: combined.obligations,
    upstream: effect === 'allow' ? upstreamOf(request, identity, enrichment, combined, options.upstream) : NO_UPSTREAM,
    ...(combined.upstreamNames === undefined ? {} : { upstreamNames: combined.upstreamNames }),
    response: effect === 'allow' ? null : responseOf(request.id, identity, combined, challengeOptionsOf(route, options.challenge)),
    policy,
    ...(combined.shadowLimits.length === 0 ? {} : { shadowLimits: combined.shadowLimits }),
    ...(combined.exceptions === undefined ? {} : { exceptions: combined.exceptions }),
    error: null,
    explanation: null,
  };
}

/** A deny that no policy made: the status is the code's own. */
export function failedDecision(request: DecisionRequest, code: ErrorCode, policy: PolicyName, identity: Identity | null): Decision {
  const { http: status, text } = CODES[code];
  const reasons: Reason[] = [{ code, effect: 'undecided', title: text, public: true, details: {} }];
  const headers = baseHeaders(request.id);
  if (status === 503) headers['retry-after'] = String(RETRY_SECONDS);
  return {
    id: request.id,
    effect: 'deny',
    reasons,
    assurance: { level: identity?.evidence.assurance ?? 0, required: 0 },
    risk: { score: 0, factors: [] },
    stepUp: null,
    obligations: [],
    upstream: NO_UPSTREAM,
    response: { status, headers, body: bodyOf(request.id, status, reasons, null) },
    policy,
    error: { code },
    explanation: null,
  };
}

function responseOf(id: string, identity: Identity, combined: Combined, options: RouteChallenge): ClientResponse {
  const stepped = combined.stepUp === null ? null : challengeOfStepUp(combined.stepUp, identity, options);
  const status = combined.status ?? stepped?.status ?? 403;
  const headers = { ...safeHeaders(combined.responseHeaders), ...baseHeaders(id) };
  const [first] = combined.reasons;
  const description = first?.public === true ? first.title : null;
  // RFC 9110 wants a challenge on every 401; RFC 6750 has one on a 403 for insufficient_scope only
  const challenge = stepped?.challenge ?? (status === 401 ? challengeOfDeny(identity, description, options) : null);
  if (challenge !== null) headers['www-authenticate'] = challenge;
  if (identity.challenge.dpopNonce !== null) headers['dpop-nonce'] = identity.challenge.dpopNonce;
  const { acceptSignature } = identity.challenge;
  // RFC 9421 section 5: what would have been accepted
  if (acceptSignature !== undefined && status !== 503 && combined.reasons.some(({ code }) => code.startsWith('identity.signature_'))) {
    headers['accept-signature'] = acceptSignature;
  }
  if (status === 429) Object.assign(headers, rateHeaders(combined.limits, combined.retryAfterSeconds));
  if (status === 503) headers['retry-after'] = String(combined.retryAfterSeconds ?? RETRY_SECONDS);
  return { status, headers, body: bodyOf(id, status, combined.reasons, combined.stepUp) };
}

function baseHeaders(id: string): Record<string, string> {
  return { 'content-type': 'application/problem+json', 'cache-control': 'no-store', 'x-countersign-decision-id': id };
}

/** RFC 9457, with only the reasons that their rules call public. */
function bodyOf(id: string, status: number, reasons: readonly Reason[], step: StepUp | null): JsonObject {
  const shown = reasons.filter((reason) => reason.public).map(({ code, title }) => ({ code, title }));
  const body: Record<string, JsonValue> = {
    type: step === null ? (PROBLEM_TYPES[status] ?? 'about:blank') : `urn:countersign:problem:step-up:${step.kind}`,
    title: step === null ? (STATUS_CODES[status] ?? 'Refused') : 'Stronger evidence is required',
    status,
    decision_id: id,
  };
  if (shown.length > 0) body['reasons'] = shown;
  if (step !== null && step.methods.length > 0) body['methods'] = step.methods;
  return body;
}

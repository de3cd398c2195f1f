import type { StepUp } from '../contract/decision.ts';
import type { Identity } from '../contract/identity.ts';
import type { Route } from '../contract/route.ts';
import type { BindingCode } from '../contract/signals.ts';
import type { ChallengeOptions } from './options.ts';

/** The status and `www-authenticate` of an answer; no challenge where HTTP has none for it. */
export type Challenged = { readonly status: number; readonly challenge: string | null };

/** What the challenges of one route say: a route that describes its own resource (RFC 9728) names that, and the scopes that it needs. */
export type RouteChallenge = ChallengeOptions & { readonly scopes: readonly string[] };

const NO_SCOPES: readonly string[] = [];

/** The metadata of the route's own resource go before those of the whole service. */
export function challengeOptionsOf({ resourceMetadataUrl, scopes }: Route, options: ChallengeOptions): RouteChallenge {
  return resourceMetadataUrl === null ? { ...options, scopes: NO_SCOPES } : { ...options, resourceMetadataUrl, scopes };
}

type Scheme = Identity['challenge']['scheme'];

/** Refused bindings that another proof mends (RFC 9449 section 7.1); the others need another token or another certificate. */
const PROOF_CODES: ReadonlySet<BindingCode> = new Set<BindingCode>([
  'dpop_proof_missing',
  'dpop_proof_multiple',
  'dpop_malformed',
  'dpop_type_invalid',
  'dpop_algorithm_not_allowed',
  'dpop_key_invalid',
  'dpop_signature_invalid',
  'dpop_claim_invalid',
  'dpop_method_mismatch',
  'dpop_uri_mismatch',
  'dpop_expired',
  'dpop_issued_in_future',
  'dpop_token_mismatch',
  'dpop_replayed',
]);

/**
 * The challenge of a 401 deny, in the scheme that the token came by or has to come by: RFC 6750 section 3.1, RFC 9449 sections 7.1 and 9.
 * An API key has the scheme `ApiKey`, which is ours: no RFC registers one, and RFC 9110 lets a server name its own.
 * An error only where something was offered and refused: without a token (or with another scheme) there is none, and where something else was
 * wrong a new token would not help. `description` is a title that may be shown.
 */
export function challengeOfDeny({ signals, challenge }: Identity, description: string | null, options: RouteChallenge): string {
  const { token, binding, apiKey } = signals;
  const described = description === null ? {} : { error_description: description };
  if (token.status === 'absent' && apiKey.status === 'invalid')
    return challengeOf('ApiKey', options, { error: 'invalid_key', ...described });
  // MCP's authorization asks for the scopes in the first challenge, so that a client asks for all of them at once
  const scope = token.status === 'present' ? {} : scopeOf(options.scopes);
  if (token.status === 'absent' && options.apiKeys === true) {
    return `${challengeOf(challenge.scheme, options, scope)}, ${challengeOf('ApiKey', options, {})}`;
  }
  if (token.status !== 'invalid' || token.code === 'scheme_unsupported') return challengeOf(challenge.scheme, options, scope);
  const error = errorOf(binding);
  return challengeOf(challenge.scheme, options, { error, ...described, ...scope });
}

function errorOf(binding: Identity['signals']['binding']): string {
  if (binding.status !== 'invalid') return 'invalid_token';
  if (binding.code === 'dpop_nonce_required' || binding.code === 'dpop_nonce_invalid') return 'use_dpop_nonce';
  return PROOF_CODES.has(binding.code) ? 'invalid_dpop_proof' : 'invalid_token';
}

/** The status of a step_up of which its policy says none. */
export function stepUpStatus({ kind, methods }: StepUp): 401 | 403 {
  return kind === 'authentication' || (kind === 'binding' && methods.includes('dpop')) ? 401 : 403;
}

/** What a step_up answers: RFC 9470 for authentication, RFC 9449 for DPoP, RFC 6750 for scope; mTLS and approval have no challenge. */
export function challengeOfStepUp(step: StepUp, { signals, challenge }: Identity, options: ChallengeOptions): Challenged {
  const { scheme } = challenge;
  const status = stepUpStatus(step);
  const holder = signals.token.status === 'absent' && signals.apiKey.status === 'present' ? 'ApiKey' : scheme;
  switch (step.kind) {
    case 'authentication':
      return { status, challenge: challengeOf(scheme, options, authentication(step)) };
    case 'scope':
      return { status, challenge: challengeOf(holder, options, { error: 'insufficient_scope', ...scopeOf(step.scopes) }) };
    case 'binding':
      return { status, challenge: status === 401 ? challengeOf('DPoP', options, {}) : null };
    case 'approval':
      return { status, challenge: null };
  }
}

function authentication(step: StepUp): Record<string, string> {
  const acr = tokens(step.acrValues);
  // without acr_values or max_age there is nothing that RFC 9470's error could ask for: a verified token is
  if (acr === '' && step.maxAgeSeconds === null) return {};
  return {
    error: 'insufficient_user_authentication',
    error_description: 'A stronger or more recent authentication is required',
    ...(acr === '' ? {} : { acr_values: acr }),
    ...(step.maxAgeSeconds === null ? {} : { max_age: String(step.maxAgeSeconds) }),
    ...scopeOf(step.scopes),
  };
}

/** RFC 9449 section 5.1 has the algorithms in each challenge of its scheme. */
function challengeOf(scheme: Scheme | 'ApiKey', options: ChallengeOptions, more: Record<string, string>): string {
  const algs = scheme === 'DPoP' ? { algs: tokens(options.dpopAlgorithms) } : {};
  return parameters(scheme, { realm: options.realm, ...algs, ...more, ...(scheme === 'ApiKey' ? {} : metadata(options)) });
}

/** RFC 9728 section 5.1. */
function metadata(options: ChallengeOptions): Record<string, string> {
  return options.resourceMetadataUrl === null ? {} : { resource_metadata: options.resourceMetadataUrl };
}

function parameters(scheme: string, values: Record<string, string>): string {
  return `${scheme} ${Object.entries(values)
    .map(([name, value]) => `${name}="${quotable(value)}"`)
    .join(', ')}`;
}

/** Leaves what may stand in a quoted-string without escapes: RFC 6750 allows neither `"` nor `\` in these values. */
function quotable(value: string): string {
  return value.replace(/[^\x20\x21\x23-\x5B\x5D-\x7E]/g, '');
}

/** None where no name is left: RFC 6749 section 3.3 knows no empty list. */
function scopeOf(scopes: readonly string[]): { readonly scope?: string } {
  const scope = tokens(scopes);
  return scope === '' ? {} : { scope };
}

/** A space-separated list; names that RFC 6750's scope-token does not allow are left out. */
function tokens(names: readonly string[]): string {
  return names.filter((name) => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(name)).join(' ');
}

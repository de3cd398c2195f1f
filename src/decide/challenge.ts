import type { StepUp } from '../contract/decision.ts';
import type { Signal, TokenCode, TokenValue } from '../contract/signals.ts';
import type { ChallengeOptions } from './options.ts';

/** The status and `www-authenticate` of an answer; no challenge where HTTP has none for it. */
export type Challenged = { readonly status: number; readonly challenge: string | null };

/** Signature algorithms that a DPoP proof may use (RFC 9449 section 5.1). */
const DPOP_ALGORITHMS = 'ES256 ES384 ES512 EdDSA PS256 RS256';

/**
 * The challenge of a 401 deny: RFC 6750 section 3.1. `invalid_token` only where a token was offered and refused: without one (or with another
 * scheme) there is no error code, and where something else was wrong a new token would not help. `description` is a title that may be shown.
 */
export function challengeOfDeny(token: Signal<TokenValue, TokenCode>, description: string | null, options: ChallengeOptions): string {
  if (token.status !== 'invalid' || token.code === 'scheme_unsupported') return bearer(options, {});
  return bearer(options, { error: 'invalid_token', ...(description === null ? {} : { error_description: description }) });
}

/** What a step_up answers: RFC 9470 for authentication, RFC 9449 for DPoP, RFC 6750 for scope; mTLS and approval have no challenge. */
export function challengeOfStepUp(step: StepUp, options: ChallengeOptions): Challenged {
  switch (step.kind) {
    case 'authentication':
      return { status: 401, challenge: bearer(options, authentication(step)) };
    case 'scope':
      return { status: 403, challenge: bearer(options, { error: 'insufficient_scope', scope: tokens(step.scopes) }) };
    case 'binding':
      return step.methods.includes('dpop')
        ? { status: 401, challenge: parameters('DPoP', { ...common(options), algs: DPOP_ALGORITHMS }) }
        : { status: 403, challenge: null };
    case 'approval':
      return { status: 403, challenge: null };
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
    ...(step.scopes.length === 0 ? {} : { scope: tokens(step.scopes) }),
  };
}

function bearer(options: ChallengeOptions, more: Record<string, string>): string {
  return parameters('Bearer', { ...common(options), ...more, ...metadata(options) });
}

function common(options: ChallengeOptions): Record<string, string> {
  return { realm: options.realm };
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

/** A space-separated list; names that RFC 6750's scope-token does not allow are left out. */
function tokens(names: readonly string[]): string {
  return names.filter((name) => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(name)).join(' ');
}

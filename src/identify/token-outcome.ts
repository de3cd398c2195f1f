import type { Identity } from '../contract/identity.ts';
import type { Signal, TokenCode, TokenValue } from '../contract/signals.ts';
import type { Confirmation } from './confirmation.ts';
import type { KeyRing, VerificationKey } from './keys-jwk.ts';

/** What became of the token of one request. */
export type TokenOutcome = {
  readonly signal: Signal<TokenValue, TokenCode>;
  /** Hash of what was signed; null where nothing was verified. */
  readonly tokenKey: string | null;
  /** What the token is bound to (`cnf`); null where it is bound to nothing, or is not present. */
  readonly confirmation: Confirmation | null;
  /** The identity where this token is the only evidence: the same for one generation of the registry, so it is made once. */
  identityAlone: { readonly identity: Identity; readonly generation: number } | null;
  /** What every proof of this token has in common, made with the first one. */
  held?: HeldToken;
  /** This token once its binding was proven; made with the first proof. */
  matched?: TokenOutcome;
};

/** A bound token as its holder presents it. */
export type HeldToken = {
  /** The text that `ath` is of: whoever uses it compares, so that no outcome can lend its hash to another token. */
  readonly text: string;
  /** What `ath` of its proofs has to be (RFC 9449 section 4.2). */
  readonly ath: string;
};

/** A token whose signature was checked here. */
export type VerifiedToken = TokenOutcome & {
  readonly signal: { readonly status: 'present'; readonly value: TokenValue };
  readonly tokenKey: string;
  readonly key: VerificationKey;
  /** The issuer as it was configured then: it counts for no other, and a change of the issuer makes another. */
  readonly issuer: object;
  /** The last ring in which the key was seen. */
  readonly ring: KeyRing;
  /** Unix milliseconds. */
  readonly cachedUntilMs: number;
};

const REFUSALS = new Map<string, TokenOutcome>();

/** A refusal; each code's outcome is made once. */
export function refusal(status: 'absent' | 'invalid' | 'unavailable', code: TokenCode): TokenOutcome {
  const key = `${status} ${code}`;
  const made = REFUSALS.get(key) ?? { signal: { status, code }, tokenKey: null, confirmation: null, identityAlone: null };
  REFUSALS.set(key, made);
  return made;
}

/** Refused for what the token is. */
export function invalid(code: TokenCode): TokenOutcome {
  return refusal('invalid', code);
}

/** Not judged, for a reason of ours. */
export function unavailable(code: TokenCode): TokenOutcome {
  return refusal('unavailable', code);
}

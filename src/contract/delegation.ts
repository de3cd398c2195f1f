import type { JsonObject } from './json.ts';

/** One actor of a chain of `act` (RFC 8693 section 4.1). */
export type ActorHop = {
  readonly subject: string | null;
  readonly issuer: string | null;
  readonly clientId: string | null;
  /** Null where this actor's `act` says nothing of scopes. */
  readonly scopes: readonly string[] | null;
};

/** What is odd about a chain: the current actor, or an earlier one, has no `sub`. */
export const ACTOR_FLAGS = ['subject_missing', 'prior_subject_missing'] as const;
export type ActorFlag = (typeof ACTOR_FLAGS)[number];

/** RFC 8693 `act`: the outermost actor is the current one and alone for decisions, the others are information. */
export type TokenActor = Pick<ActorHop, 'subject' | 'issuer' | 'clientId'> & {
  readonly depth: number;
  /** All actors, the current one first. */
  readonly chain: readonly ActorHop[];
  readonly flags: readonly ActorFlag[];
};

/** What became of the scopes on the way from the first actor to the current one and to the token itself. */
export type TokenDelegation = {
  readonly depth: number;
  /** False where the current actor has neither `sub` nor `client_id`. */
  readonly actorIdentified: boolean;
  /** True where a hop holds a scope that its nearest ancestor with known scopes lacks; null where that cannot be told. */
  readonly widened: boolean | null;
  /** The scopes that were added, each once, the oldest first. */
  readonly widenedScopes: readonly string[];
  /** True where the scopes of every hop are known. */
  readonly complete: boolean;
};

/**
 * One of RFC 9396's authorization details: what the server left out is null, since an absent list says something else than an empty one;
 * members of its own type are kept as they are.
 */
export type AuthorizationDetail = JsonObject & {
  readonly type: string;
  readonly locations: readonly string[] | null;
  readonly actions: readonly string[] | null;
  readonly datatypes: readonly string[] | null;
  readonly privileges: readonly string[] | null;
  readonly identifier: string | null;
};

import type { ActorFlag, ActorHop, TokenActor, TokenDelegation } from '../contract/delegation.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { TokenCode } from '../contract/signals.ts';
import { isTextOrMissing, scopesOf, text } from './claim-forms.ts';

/** Who acts for the subject of a token, and by which scopes. */
export type Delegated = { readonly actor: TokenActor; readonly delegation: TokenDelegation };

const NAMES = ['sub', 'iss', 'client_id', 'scope'] as const;
const NO_FLAGS: readonly ActorFlag[] = [];

/**
 * The chain of `act` of a token whose own scopes are `tokenScopes` (RFC 8693 section 4.1): the outermost actor is the current one, those below it
 * are history, the innermost acted first. Null where nobody acts. `may_act` grants nothing, and neither do claims of an actor beside those
 * that name it; `exp` and the like mean nothing in there.
 */
export function readDelegation(act: JsonValue | undefined, tokenScopes: readonly string[], depthMax: number): Delegated | null | TokenCode {
  if (act === undefined) return null;
  const chain: ActorHop[] = [];
  for (let actor: JsonValue | undefined = act; actor !== undefined; actor = actor['act']) {
    const hop = hopOf(actor);
    if (hop === null || !isJsonObject(actor)) return 'claim_invalid';
    if (chain.push(hop) > depthMax) return 'actor_chain_too_deep';
  }
  const [current] = chain;
  if (current === undefined) return null;
  const { subject, issuer, clientId } = current;
  return {
    actor: { subject, issuer, clientId, depth: chain.length, chain, flags: flagsOf(chain) },
    delegation: {
      depth: chain.length,
      actorIdentified: subject !== null || clientId !== null,
      ...widening([...chain.map(({ scopes }) => scopes).reverse(), tokenScopes]),
    },
  };
}

/** Null where a claim has the wrong type or there are too many scopes. */
function hopOf(actor: JsonValue): ActorHop | null {
  if (!isJsonObject(actor) || !NAMES.every((name) => isTextOrMissing(actor[name]))) return null;
  const scopes = saysScopes(actor) ? scopesOf(actor) : [];
  if (scopes === null) return null;
  return {
    subject: text(actor['sub']),
    issuer: text(actor['iss']),
    clientId: text(actor['client_id']),
    scopes: saysScopes(actor) ? scopes : null,
  };
}

function saysScopes({ scope, scp }: JsonObject): boolean {
  return scope !== undefined || scp !== undefined;
}

function flagsOf([current, ...prior]: readonly ActorHop[]): readonly ActorFlag[] {
  const flags: ActorFlag[] = [];
  if (current?.subject === null) flags.push('subject_missing');
  if (prior.some(({ subject }) => subject === null)) flags.push('prior_subject_missing');
  return flags.length === 0 ? NO_FLAGS : flags;
}

/**
 * Holds the scopes of each hop, the oldest first, against those of the nearest one before it that are known: what is passed on may only grow
 * less. Scopes that nobody tells leave it open whether they did.
 */
export function widening(hops: readonly (readonly string[] | null)[]): Omit<TokenDelegation, 'depth' | 'actorIdentified'> {
  const added = new Set<string>();
  let parent: ReadonlySet<string> | null = null;
  for (const scopes of hops) {
    if (scopes === null) continue;
    if (parent !== null) for (const scope of scopes) if (!parent.has(scope)) added.add(scope);
    parent = new Set(scopes);
  }
  const complete = hops.every((scopes) => scopes !== null);
  return { widened: added.size > 0 ? true : complete ? false : null, widenedScopes: [...added], complete };
}

import { isDeepStrictEqual } from 'node:util';
import type { CreateBoundedCache } from '../../stores/bounded-cache.ts';
import type { CircuitBreaker } from '../../stores/circuit-breaker.ts';
import type { IdentityOptions, IssuerOptions } from '../options.ts';
import { createVerificationBudget, type VerificationBudget } from '../verification-budget.ts';
import { type AnswerCache, createAnswerCache } from './answer-cache.ts';
import { createIntrospectionEndpoint, type EndpointParts } from './endpoint.ts';
import { createIntrospector, type Introspector, type IntrospectorParts } from './introspector.ts';
import type { IntrospectionOptions } from './options.ts';

export type IntrospectionParts = EndpointParts &
  Pick<IntrospectorParts, 'accountOf' | 'logger'> & {
    readonly createCache: CreateBoundedCache;
    readonly createBreaker: () => CircuitBreaker;
  };

/** An issuer that is asked about its tokens. */
export type AskedServer = { readonly issuer: IssuerOptions; readonly options: IntrospectionOptions; readonly introspector: Introspector };

/** What all servers share, and what outlives a change of the issuers: an answer's key holds the issuer as it is configured. */
export type IntrospectionMemory = { readonly cache: AnswerCache; readonly budget: VerificationBudget };

/** Empty, for the servers of one identifier. */
export function createIntrospectionMemory(options: Omit<IdentityOptions, 'issuers'>, createCache: CreateBoundedCache): IntrospectionMemory {
  const limits = { bytesMax: options.introspectionCache.bytesMax, refusedEntriesMax: options.negativeCache.entriesMax };
  return {
    cache: createAnswerCache(limits, createCache),
    budget: createVerificationBudget(options.verificationBudget, createCache),
  };
}

/** One for each issuer that is asked; one that is among those of `before` just so is that very one. Asks nothing. */
export function createServers(
  issuers: readonly IssuerOptions[],
  actorDepthMax: number,
  parts: IntrospectionParts,
  { cache, budget }: IntrospectionMemory,
  before: readonly AskedServer[] = [],
): readonly AskedServer[] {
  const { clock, logger, accountOf } = parts;
  return issuers.flatMap((issuer): readonly AskedServer[] => {
    const { introspection } = issuer;
    if (introspection === null) return [];
    const same = before.find((one) => isDeepStrictEqual(one.issuer, issuer));
    if (same !== undefined) return [same];
    const endpoint = createIntrospectionEndpoint(issuer, introspection, parts);
    const more = { endpoint, cache, breaker: parts.createBreaker(), budget, accountOf, actorDepthMax, clock, logger };
    return [{ issuer, options: introspection, introspector: createIntrospector(issuer, introspection, more) }];
  });
}

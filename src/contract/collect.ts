import type { Identity } from './identity.ts';
import type { DecisionRequest } from './request.ts';
import type { EnrichmentSignals } from './signals.ts';
import type { Awaitable } from './stages.ts';

/** Sources that are asked only where a policy wants them, having seen all the rest; a closed list. */
export const COLLECT_NAMES = ['introspection'] as const;
export type CollectName = (typeof COLLECT_NAMES)[number];

/** What the stages before the decision have found out. */
export type Facts = { readonly identity: Identity; readonly enrichment: EnrichmentSignals };

/** Asks one source and gives the facts with its answer in them; a source that fails is a value in the signals. Never throws. */
export type CollectSource = (request: DecisionRequest, facts: Facts) => Awaitable<Facts>;

/** Every source by its name. */
export type CollectSources = Readonly<Record<CollectName, CollectSource>>;

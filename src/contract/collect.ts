import type { Identity } from './identity.ts';
import type { DecisionRequest } from './request.ts';
import type { Route } from './route.ts';
import type { EnrichmentSignals } from './signals.ts';
import type { Awaitable } from './stages.ts';

/** Sources that are asked only where a policy wants them, having seen all the rest; beside them `sources.<name>`, as configured. A closed list. */
export const COLLECT_NAMES = ['introspection'] as const;
type FixedName = (typeof COLLECT_NAMES)[number];
export type CollectName = FixedName | `sources.${string}`;

const ATTRIBUTES = 'sources.';

/** The name of the source of attributes that is meant; null where it is another kind of source. */
export function attributeSourceOf(name: string): string | null {
  return name.startsWith(ATTRIBUTES) ? name.slice(ATTRIBUTES.length) : null;
}

/** What the stages before the decision have found out. */
export type Facts = { readonly identity: Identity; readonly enrichment: EnrichmentSignals };

/** Asks one source and gives the facts with its answer in them; a source that fails is a value in the signals. Never throws. */
export type CollectSource = (request: DecisionRequest, facts: Facts) => Awaitable<Facts>;

/** The configured sources of attributes. */
export interface CollectAttributes {
  knows(name: string): boolean;
  /** Asks the named ones, all at once, unless they were asked for this request already. Never throws. */
  collect(names: readonly string[], request: DecisionRequest, facts: Facts, route: Route): Awaitable<Facts>;
}

/** Every source by its name. */
export type CollectSources = Readonly<Record<FixedName, CollectSource>> & {
  /** Null or left out where none is configured. */
  readonly attributes?: CollectAttributes | null;
};

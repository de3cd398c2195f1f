import { CountersignError } from '../../contract/errors.ts';
import type { McpPlan } from '../../contract/mcp.ts';
import type { RatePlan } from '../../contract/rate-plan.ts';
import { type Route, TIERS } from '../../contract/route.ts';
import type { McpPlans } from '../mcp/plans.ts';
import {
  FLAG_NOT_ENFORCED,
  FLAG_PUBLIC,
  type PackedRoutes,
  ROW_FLAGS,
  ROW_ID,
  ROW_NAMES,
  ROW_SCOPES,
  ROW_SERVER,
  ROW_TIER,
  ROW_URL,
  ROW_WIDTH,
} from './pack-routes.ts';
import type { Texts } from './texts.ts';

/** A route as an object, with the names of its parameters by segment (none where it has no parameter). */
export type ReadRoute = { readonly route: Route; readonly names: readonly string[] };

/** What goes with the routes of one policy. */
export type RouteContext = {
  readonly catalogue: string;
  /** What is counted for a route. */
  readonly planOf: (routeId: string) => RatePlan | undefined;
  readonly mcp: McpPlans;
};

/** Routes that are kept as objects: those that are asked for. */
const KEPT_MAX = 4096;
const NOT_ENFORCED = { enforce: false } as const;
const NO_PARAMETERS: Readonly<Record<string, string>> = Object.freeze({});
const NONE: readonly string[] = Object.freeze([]);

/**
 * Reads routes by their number, and keeps those that it read last.
 * @throws CountersignError bundle_routes_invalid where a server is none of `mcp`
 */
export function createRouteReader(
  { rows, lists, servers }: PackedRoutes,
  texts: Texts,
  context: RouteContext,
): (number: number) => ReadRoute {
  const plans = servers.map((server): { readonly mcp: McpPlan } => {
    const mcp = context.mcp(server);
    if (mcp === undefined) throw new CountersignError('bundle_routes_invalid', { detail: `limits.mcp has no server ${server}` });
    return { mcp };
  });
  const kept = new Map<number, ReadRoute>();

  const listAt = (at: number): readonly string[] => {
    const length = lists[at] ?? 0;
    return length === 0 ? NONE : Array.from({ length }, (_, index) => texts.at(lists[at + 1 + index] ?? 0));
  };

  function read(number: number): ReadRoute {
    const at = (column: number): number => rows[number * ROW_WIDTH + column] ?? 0;
    const id = texts.at(at(ROW_ID));
    const rate = context.planOf(id);
    const route: Route = {
      status: 'matched',
      catalogue: context.catalogue,
      id,
      tier: TIERS[at(ROW_TIER)] ?? 'critical',
      scopes: listAt(at(ROW_SCOPES)),
      public: (at(ROW_FLAGS) & FLAG_PUBLIC) !== 0,
      resourceMetadataUrl: at(ROW_URL) === 0 ? null : texts.at(at(ROW_URL) - 1),
      ...((at(ROW_FLAGS) & FLAG_NOT_ENFORCED) === 0 ? {} : NOT_ENFORCED),
      parameters: NO_PARAMETERS,
      ...(rate === undefined ? {} : { rate }),
      ...plans[at(ROW_SERVER) - 1],
    };
    return { route, names: listAt(at(ROW_NAMES)) };
  }

  return (number) => {
    const known = kept.get(number);
    if (known !== undefined) return known;
    if (kept.size >= KEPT_MAX) kept.clear();
    const made = read(number);
    kept.set(number, made);
    return made;
  };
}

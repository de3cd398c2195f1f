import type { Decision } from '../contract/decision.ts';
import { CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { MonitoredBy } from '../contract/rollout.ts';
import type { Route } from '../contract/route.ts';
import type { Logger, Monitor } from '../contract/stages.ts';
import type { UpstreamOptions } from './options.ts';
import { upstreamInMonitor } from './upstream.ts';
import { createNamesSeen } from './upstream-names.ts';

/** What may be decided and not enforced. */
export type MonitorOptions = {
  /** Whether a policy's catalogue may say `enforce: false`; where it may not, such a bundle is refused. */
  readonly routes: 'refused' | 'allowed';
  /** `enforced`: routes of tier critical are enforced whoever says otherwise. */
  readonly critical: 'enforced' | 'forced';
};

/** Everything is enforced. */
export const ENFORCED: MonitorOptions = { routes: 'refused', critical: 'enforced' };

/** Lets pass what a gateway or a route does not enforce. A request that falls on no route is its gateway's, since no route says how critical it is. */
export function createMonitor(options: MonitorOptions, upstream: UpstreamOptions, logger: Logger): Monitor {
  const seen = createNamesSeen();
  return {
    answer(request, decision, known) {
      seen.note(decision);
      if (decision.effect === 'allow') return null;
      const by = monitoredBy(request, known, options);
      if (by === null) return null;
      const would = decision.effect;
      try {
        const passed: Decision = {
          ...decision,
          effect: 'allow',
          stepUp: null,
          obligations: [],
          upstream: upstreamInMonitor(request, known, { risk: decision.risk, would, names: seen.of(decision) }, upstream),
          response: null,
          would,
          error: null,
        };
        return { by, decision: passed };
      } catch (cause) {
        // what could not be made safe for the upstream does not go there
        logger.error('monitor_failed', { cause });
        return null;
      }
    },
  };
}

type KnownRoute = { readonly route: Route | null; readonly routesMissing?: boolean | undefined };

function monitoredBy(
  { pep }: DecisionRequest,
  { route, routesMissing = false }: KnownRoute,
  { critical }: MonitorOptions,
): MonitoredBy | null {
  if (pep.enforce !== false && route?.enforce !== false) return null;
  // without its catalogue a request may be for a critical route, whatever the rest of it says
  if (critical === 'enforced' && route !== null && (routesMissing || mayBeCritical(route))) return null;
  return pep.enforce === false ? 'pep' : 'route';
}

/** An ambiguous path may be that of any route. */
export function mayBeCritical({ status, tier }: Pick<Route, 'status' | 'tier'>): boolean {
  return status === 'ambiguous' || (status === 'matched' && tier === 'critical');
}

/**
 * The routes of a policy that are not enforced, by their ids.
 * @throws CountersignError bundle_routes_invalid, the field is the route: none may be, or it is critical
 */
export function monitoredRoutes(data: JsonObject, { routes, critical }: MonitorOptions): readonly string[] {
  const found: string[] = [];
  for (const [id, entry] of Object.entries(routesIn(data))) {
    if (!isJsonObject(entry) || entry['enforce'] !== false) continue;
    if (routes === 'refused') throw refusal(id, 'enforce: false needs monitor.routes: allowed in the configuration');
    if (critical === 'enforced' && entry['tier'] === 'critical')
      throw refusal(id, 'enforce: false on tier critical needs monitor.critical: forced in the configuration');
    found.push(id);
  }
  return found;
}

function routesIn(data: JsonObject): JsonObject {
  const ours: JsonValue | undefined = Object.hasOwn(data, 'countersign') ? data['countersign'] : undefined;
  const routes = isJsonObject(ours) && Object.hasOwn(ours, 'routes') ? ours['routes'] : undefined;
  return isJsonObject(routes) ? routes : {};
}

function refusal(field: string, detail: string): CountersignError {
  return new CountersignError('bundle_routes_invalid', { field, detail });
}

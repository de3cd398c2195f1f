import { CountersignError } from '../../contract/errors.ts';
import type { Route } from '../../contract/route.ts';

/** The routes that questions without an HTTP request fall on, by the gateway that asks. */
export type GatewayRoutes = {
  /** @throws CountersignError bundle_routes_invalid where another route has the gateway */
  add(gateways: readonly string[], route: Route): void;
  /** Undefined where none has the gateway. */
  of(gateway: string): Route | undefined;
};

/** Empty at first. */
export function createGatewayRoutes(): GatewayRoutes {
  const routes = new Map<string, Route>();
  return {
    add(gateways, route) {
      for (const gateway of gateways) {
        if (routes.has(gateway))
          throw new CountersignError('bundle_routes_invalid', { field: route.id, detail: 'a gateway of mcp.gateways has a route' });
        routes.set(gateway, route);
      }
    },
    of: (gateway) => routes.get(gateway),
  };
}

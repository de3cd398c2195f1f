import type { RatePlan } from '../../contract/rate-plan.ts';
import type { DecisionRequest, HttpFacts } from '../../contract/request.ts';
import type { Route } from '../../contract/route.ts';
import { type McpPlans, NO_SERVERS } from '../mcp/plans.ts';
import { edgeIn } from './edges.ts';
import {
  LEAF_METHOD,
  LEAF_NEXT,
  LEAF_ROUTE,
  LEAF_WIDTH,
  NODE_LEAVES,
  NODE_PARAMETER,
  NODE_REST,
  NODE_WIDTH,
  type PackedRoutes,
  packRoutes,
} from './pack-routes.ts';
import { withoutTrailingEmpty } from './path-pattern.ts';
import { createRouteReader, type RouteContext } from './read-route.ts';
import { parseRoutes } from './route-data.ts';
import { openTexts, type Texts } from './texts.ts';

/** The compiled catalogue of one policy. */
export interface RouteTable {
  readonly size: number;
  /** The route of the request; never throws. Costs as much as the path has segments, however many routes there are. */
  match(request: DecisionRequest): Route;
}

/**
 * Compiles a catalogue. `data` is the value of `data.countersign.routes` (undefined means no route); `planOf` says what is counted for a
 * route, `mcp` what its MCP server offers.
 * @throws CountersignError bundle_routes_invalid, the field names the route
 */
export function createRouteTable(
  data: unknown,
  catalogue: string,
  planOf: (routeId: string) => RatePlan | undefined = () => undefined,
  mcp: McpPlans = NO_SERVERS,
): RouteTable {
  return openRoutes(packRoutes(parseRoutes(data), mcp), { catalogue, planOf, mcp });
}

/**
 * The table over a packed catalogue, of which nothing is copied.
 * Literal segments win over `{name}`, that over `{name*}`; an exact host wins over `*.suffix`, that over any host.
 * @throws CountersignError bundle_routes_invalid where a server of a route is none of `mcp`
 */
export function openRoutes(packed: PackedRoutes, context: RouteContext): RouteTable {
  const texts = openTexts(packed.texts);
  const routeAt = createRouteReader(packed, texts, context);
  const find = createFinder(packed, texts);
  const unknown = outside('unknown', context);
  const ambiguous = outside('ambiguous', context);
  const none = outside('none', context);
  return {
    size: packed.size,
    match({ http, pep }) {
      if (http === null) {
        const ofGateway = packed.gateways.get(pep.name);
        return ofGateway === undefined ? none : routeAt(ofGateway).route;
      }
      if (http.pathAmbiguous) return ambiguous;
      const segments = withoutTrailingEmpty(http.segments);
      const found = find(http, segments);
      // servlet containers cut `;…` off a segment before they route: what could be two routes is neither
      if (http.path.includes(';') && find(http, segments.map(withoutParameters)) !== found) return ambiguous;
      if (found === NOWHERE) return unknown;
      const { route, names } = routeAt(found);
      return names.length === 0 ? route : { ...route, parameters: parametersOf(names, segments) };
    },
  };
}

function outside(status: 'unknown' | 'ambiguous' | 'none', { catalogue, planOf }: RouteContext): Route {
  const rate = planOf('unknown');
  const plain = { catalogue, id: 'unknown', tier: 'critical', scopes: [], public: false, resourceMetadataUrl: null } as const;
  return { status, ...plain, parameters: {}, ...(rate === undefined ? {} : { rate }) };
}

const NOWHERE = -1;

/** Finds the number of the route of a request; `NOWHERE` where none is. */
function createFinder({ edges, nodes, leaves, hosted }: PackedRoutes, texts: Texts) {
  const every = texts.numberOf('*');
  const rootOf = (host: string): number => edgeIn(edges, 0, texts.numberOf(host));
  const anyHost = rootOf('');

  function leafOf(node: number, which: number, method: number): number {
    let other = NOWHERE;
    for (let leaf = nodes[node * NODE_WIDTH + which] ?? 0; leaf !== 0; leaf = leaves[leaf * LEAF_WIDTH + LEAF_NEXT] ?? 0) {
      const of = leaves[leaf * LEAF_WIDTH + LEAF_METHOD];
      if (of === method) return leaves[leaf * LEAF_WIDTH + LEAF_ROUTE] ?? NOWHERE;
      if (of === every) other = leaves[leaf * LEAF_WIDTH + LEAF_ROUTE] ?? NOWHERE;
    }
    return other;
  }

  function below(node: number, method: number, segments: readonly number[], index: number): number {
    if (node === 0) return NOWHERE;
    const segment = segments[index];
    if (segment === undefined) return leafOf(node, NODE_LEAVES, method);
    const literal = segment === NOWHERE ? NOWHERE : below(edgeIn(edges, node, segment), method, segments, index + 1);
    if (literal !== NOWHERE) return literal;
    const parameter = below(nodes[node * NODE_WIDTH + NODE_PARAMETER] ?? 0, method, segments, index + 1);
    return parameter === NOWHERE ? leafOf(node, NODE_REST, method) : parameter;
  }

  function byHost(host: string, method: number, segments: readonly number[]): number {
    const exact = below(rootOf(host), method, segments, 0);
    if (exact !== NOWHERE) return exact;
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const wild = below(rootOf(`*${host.slice(dot)}`), method, segments, 0);
      if (wild !== NOWHERE) return wild;
    }
    return NOWHERE;
  }

  return ({ host, method }: Pick<HttpFacts, 'host' | 'method'>, path: readonly string[]): number => {
    const asked = texts.numberOf(method);
    const segments = path.map(texts.numberOf);
    const found = hosted && host !== '' ? byHost(host, asked, segments) : NOWHERE;
    return found === NOWHERE ? below(anyHost, asked, segments, 0) : found;
  };
}

function withoutParameters(segment: string): string {
  const at = segment.indexOf(';');
  return at < 0 ? segment : segment.slice(0, at);
}

function parametersOf(names: readonly string[], segments: readonly string[]): Record<string, string> {
  const parameters: Record<string, string> = {};
  const last = names.length - 1;
  names.forEach((name, index) => {
    if (name === '') return;
    // only a `{name*}` can be last and have segments after it
    parameters[name] = index === last && segments.length > names.length ? segments.slice(index).join('/') : (segments[index] ?? '');
  });
  return parameters;
}

import { z } from 'zod';
import { CountersignError } from '../contract/errors.ts';
import type { RatePlan } from '../contract/rate-plan.ts';
import type { DecisionRequest, HttpFacts } from '../contract/request.ts';
import { type Route, TIERS } from '../contract/route.ts';
import { createGatewayRoutes, type GatewayRoutes } from './mcp/gateways.ts';
import { type McpPlans, McpRoute, NO_SERVERS, planOfRoute } from './mcp/plans.ts';

/** RFC 9110 `token`. */
const METHOD = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HOST = /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/;
const SEGMENT = /^[^{}*?#]+$/;
const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_]*)(\*)?\}$/;

/** RFC 9728 section 5.1: it goes into a quoted parameter, and clients fetch it. */
function isHttpsUrl(text: string): boolean {
  if (!/^https:\/\/[\x21\x23-\x5B\x5D-\x7E]+$/.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return url.username === '' && url.password === '' && !text.includes('#');
}

const NOT_ENFORCED = { enforce: false } as const;

/** One route as `countersign/routes/data.yaml` writes it. */
const RouteForm = z.strictObject({
  hosts: z.array(z.string().regex(HOST)).default([]).describe('Lower-case names, or `*.example.com`; none means any host'),
  methods: z
    .array(z.union([z.literal('*'), z.string().regex(METHOD)]))
    .min(1)
    .describe('Methods, or `*` for every one'),
  path: z.string().startsWith('/').max(2048).describe('`{name}` is one segment, `{name*}` at the end one or more'),
  tier: z.enum(TIERS),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/))
    .max(64)
    .default([]),
  public: z.boolean().default(false).describe('Anybody may call it'),
  enforce: z.boolean().default(true).describe('False: decided and recorded, but not enforced'),
  resource_metadata: z.string().max(2048).refine(isHttpsUrl, 'must be an https URL without credentials and fragment').optional(),
  mcp: McpRoute.optional(),
});

/** The data document `countersign.routes`: id to route. */
export const RoutesData = z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/), RouteForm);
/** One route, every member there. */
export type RouteEntry = z.infer<typeof RouteForm>;

type Leaf = { readonly route: Route; readonly names: readonly string[] };
/** Most nodes have but one of these: a hundred thousand routes are no place for empty maps. */
type Node = {
  children: Map<string, Node> | null;
  parameter: Node | null;
  /** By method, `*` for every other one. */
  leaves: Map<string, Leaf> | null;
  /** Leaves of `{name*}` patterns, which end here. */
  rest: Map<string, Leaf> | null;
};

/** The compiled catalogue of one policy. */
export interface RouteTable {
  readonly size: number;
  /** The route of the request; never throws. Costs as much as the path has segments, however many routes there are. */
  match(request: DecisionRequest): Route;
}

const newNode = (): Node => ({ children: null, parameter: null, leaves: null, rest: null });
const NO_PARAMETERS: Readonly<Record<string, string>> = Object.freeze({});
const NO_SCOPES: readonly string[] = Object.freeze([]);

/**
 * Compiles a catalogue. `data` is the value of `data.countersign.routes` (undefined means no route).
 * Literal segments win over `{name}`, that over `{name*}`; an exact host wins over `*.suffix`, that over any host.
 * @throws CountersignError bundle_routes_invalid, the field names the route
 */
export function createRouteTable(
  data: unknown,
  catalogue: string,
  planOf?: (routeId: string) => RatePlan | undefined,
  mcp: McpPlans = NO_SERVERS,
): RouteTable {
  const builder = createRouteTableBuilder(catalogue, planOf, mcp);
  builder.add(Object.entries(parseRoutes(data)));
  return builder.table();
}

/** @throws CountersignError bundle_routes_invalid, the field is the path within the catalogue */
export function parseRoutes(data: unknown): Readonly<Record<string, RouteEntry>> {
  const parsed = RoutesData.safeParse(data ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new CountersignError('bundle_routes_invalid', { field: issue?.path.join('.') ?? '', detail: issue?.message ?? '' });
  }
  return parsed.data;
}

/** The same table, filled portion after portion with routes that were parsed. */
export interface RouteTableBuilder {
  /** @throws CountersignError bundle_routes_invalid, the field names the route */
  add(entries: readonly (readonly [string, RouteEntry])[]): void;
  /** Once all are there. */
  table(): RouteTable;
}

/** Nothing is in it at first; `planOf` says what is counted for a route, `mcp` what its MCP server offers. */
export function createRouteTableBuilder(
  catalogue: string,
  planOf?: (routeId: string) => RatePlan | undefined,
  mcp: McpPlans = NO_SERVERS,
): RouteTableBuilder {
  const counted = (id: string): Pick<Route, 'rate'> => {
    const rate = planOf?.(id);
    return rate === undefined ? {} : { rate };
  };
  const hosts = new Map<string, Node>();
  const gateways = createGatewayRoutes();
  let size = 0;
  const file = ([id, entry]: readonly [string, RouteEntry]): void => {
    if (id === 'unknown') throw new CountersignError('bundle_routes_invalid', { field: id, detail: 'the id is reserved' });
    const { tier, scopes, resource_metadata: resourceMetadataUrl = null } = entry;
    const shared = { catalogue, id, tier, scopes: scopes.length === 0 ? NO_SCOPES : scopes, public: entry.public, resourceMetadataUrl };
    const enforced = entry.enforce ? {} : NOT_ENFORCED;
    const route: Route = {
      status: 'matched',
      ...shared,
      ...enforced,
      parameters: NO_PARAMETERS,
      ...counted(id),
      ...planOfRoute(id, entry.mcp, mcp),
    };
    gateways.add(entry.mcp?.gateways ?? NO_SCOPES, route);
    for (const host of entry.hosts.length === 0 ? [''] : entry.hosts) {
      let root = hosts.get(host);
      if (root === undefined) {
        root = newNode();
        hosts.set(host, root);
      }
      insert(root, entry, route);
    }
    size += 1;
  };
  const outside = (status: 'unknown' | 'ambiguous' | 'none'): Route => ({
    status,
    catalogue,
    id: 'unknown',
    tier: 'critical',
    scopes: [],
    public: false,
    resourceMetadataUrl: null,
    parameters: {},
    ...counted('unknown'),
  });
  return {
    add: (entries) => entries.forEach(file),
    table: () => tableOf(size, hosts, gateways, { unknown: outside('unknown'), ambiguous: outside('ambiguous'), none: outside('none') }),
  };
}

type Outside = Readonly<Record<'unknown' | 'ambiguous' | 'none', Route>>;

function tableOf(size: number, hosts: ReadonlyMap<string, Node>, gateways: GatewayRoutes, outside: Outside): RouteTable {
  const { unknown, ambiguous, none } = outside;
  const anyHost = hosts.get('');
  const named = hosts.size > (anyHost === undefined ? 0 : 1);
  const leafOf = ({ host, method }: HttpFacts, segments: readonly string[]): Leaf | null =>
    (named ? findByHost(hosts, host, method, segments) : null) ?? (anyHost === undefined ? null : find(anyHost, method, segments, 0));
  return {
    size,
    match({ http, pep }) {
      if (http === null) return gateways.of(pep.name) ?? none;
      if (http.pathAmbiguous) return ambiguous;
      const segments = withoutTrailingEmpty(http.segments);
      const found = leafOf(http, segments);
      // servlet containers cut `;…` off a segment before they route: what could be two routes is neither
      if (http.path.includes(';') && leafOf(http, segments.map(withoutParameters))?.route !== found?.route) return ambiguous;
      if (found === null) return unknown;
      return found.names.length === 0 ? found.route : { ...found.route, parameters: parametersOf(found, segments) };
    },
  };
}

function insert(root: Node, entry: RouteEntry, route: Route): void {
  const fail = (detail: string): never => {
    throw new CountersignError('bundle_routes_invalid', { field: route.id, detail });
  };
  const parts = withoutTrailingEmpty(entry.path.slice(1).split('/'));
  const names: string[] = [];
  let node = root;
  let rest = false;
  parts.forEach((part, index) => {
    const parameter = PARAMETER.exec(part);
    if (parameter === null) {
      if (!SEGMENT.test(part)) fail(`segment ${index + 1} of the path is not a name, {name} or {name*}`);
      node.children ??= new Map();
      let child = node.children.get(part);
      if (child === undefined) {
        child = newNode();
        node.children.set(part, child);
      }
      node = child;
      names.push('');
      return;
    }
    const name = parameter[1] ?? '';
    if (names.includes(name)) fail('a parameter has the same name twice');
    names.push(name);
    rest = parameter[2] === '*';
    if (rest && index !== parts.length - 1) fail('{name*} is not at the end');
    if (!rest) {
      node.parameter ??= newNode();
      node = node.parameter;
    }
  });
  let leaves = rest ? node.rest : node.leaves;
  leaves ??= new Map();
  if (rest) node.rest = leaves;
  else node.leaves = leaves;
  const leaf: Leaf = { route, names: names.some((name) => name !== '') ? names : [] };
  for (const method of entry.methods) {
    if (leaves.has(method)) fail('host, method and path are those of another route');
    leaves.set(method, leaf);
  }
}

/** `/orders/` and `/orders` are one resource here, so that a trailing slash never leads past a rule. */
function withoutTrailingEmpty(segments: readonly string[]): readonly string[] {
  return segments.length > 0 && segments[segments.length - 1] === '' ? segments.slice(0, -1) : segments;
}

function withoutParameters(segment: string): string {
  const at = segment.indexOf(';');
  return at < 0 ? segment : segment.slice(0, at);
}

function findByHost(hosts: ReadonlyMap<string, Node>, host: string, method: string, segments: readonly string[]): Leaf | null {
  const exact = hosts.get(host);
  const found = exact === undefined ? null : find(exact, method, segments, 0);
  if (found !== null) return found;
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    const wild = hosts.get(`*${host.slice(dot)}`);
    const wildFound = wild === undefined ? null : find(wild, method, segments, 0);
    if (wildFound !== null) return wildFound;
  }
  return null;
}

function find(node: Node, method: string, segments: readonly string[], index: number): Leaf | null {
  const segment = segments[index];
  if (segment === undefined) return node.leaves?.get(method) ?? node.leaves?.get('*') ?? null;
  const child = node.children?.get(segment);
  const literal = child === undefined ? null : find(child, method, segments, index + 1);
  if (literal !== null) return literal;
  const named = node.parameter === null ? null : find(node.parameter, method, segments, index + 1);
  return named ?? node.rest?.get(method) ?? node.rest?.get('*') ?? null;
}

function parametersOf(leaf: Leaf, segments: readonly string[]): Record<string, string> {
  const parameters: Record<string, string> = {};
  const last = leaf.names.length - 1;
  leaf.names.forEach((name, index) => {
    if (name === '') return;
    // only a `{name*}` can be last and have segments after it
    parameters[name] = index === last && segments.length > leaf.names.length ? segments.slice(index).join('/') : (segments[index] ?? '');
  });
  return parameters;
}

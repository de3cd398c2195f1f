import { TIERS } from '../../contract/route.ts';
import { type McpPlans, planOfRoute } from '../mcp/plans.ts';
import { createEdgeNumbers } from './edges.ts';
import { sharedInts } from './hash.ts';
import { readPattern } from './path-pattern.ts';
import { type RouteEntry, wrongRoute } from './route-data.ts';
import { createTextNumbers, type PackedTexts } from './texts.ts';

/*
 * A catalogue as numbers in shared memory. It is made in the preparing thread, and the one that answers requests reads it where it is: a
 * hundred thousand routes as objects there would be filed while requests wait, and every later garbage collection would go through them.
 */

/** For `openRoutes`; numbers of texts, nodes, leaves and lists are indexes into these. */
export type PackedRoutes = {
  readonly size: number;
  /** Whether a route names a host. */
  readonly hosted: boolean;
  readonly texts: PackedTexts;
  /** Literal segments; from node 0 hosts, the empty text for any. */
  readonly edges: Int32Array;
  /** `NODE_WIDTH` numbers a node. */
  readonly nodes: Int32Array;
  /** `LEAF_WIDTH` numbers a leaf; leaf 0 is none. */
  readonly leaves: Int32Array;
  /** `ROW_WIDTH` numbers a route. */
  readonly rows: Int32Array;
  /** Lists of texts, each with its length before it; at 0 lies the empty one. */
  readonly lists: Int32Array;
  /** Names of MCP servers. */
  readonly servers: readonly string[];
  /** Numbers of the routes that questions without an HTTP request fall on, by the gateway that asks. */
  readonly gateways: ReadonlyMap<string, number>;
};

/** Of a node: where a `{name}` leads to (0 is nowhere), the first leaf, the first leaf of `{name*}`. */
export const [NODE_PARAMETER, NODE_LEAVES, NODE_REST, NODE_WIDTH] = [0, 1, 2, 3];
/** Of a leaf: its method, its route, the next leaf of the node. */
export const [LEAF_METHOD, LEAF_ROUTE, LEAF_NEXT, LEAF_WIDTH] = [0, 1, 2, 3];
/** Of a route: index in `TIERS`; the text and one, the server and one, 0 where there is none; lists. */
export const [ROW_ID, ROW_TIER, ROW_FLAGS, ROW_URL, ROW_SERVER, ROW_SCOPES, ROW_NAMES, ROW_WIDTH] = [0, 1, 2, 3, 4, 5, 6, 7];
export const [FLAG_PUBLIC, FLAG_NOT_ENFORCED] = [1, 2];

/**
 * Compiles a catalogue; `mcp` knows the servers that routes may name.
 * @throws CountersignError bundle_routes_invalid, the field names the route
 */
export function packRoutes(routes: Readonly<Record<string, RouteEntry>>, mcp: McpPlans): PackedRoutes {
  const texts = createTextNumbers();
  const edges = createEdgeNumbers();
  const nodes: number[] = [0, 0, 0];
  const leaves: number[] = [0, 0, 0];
  const rows: number[] = [];
  const lists: number[] = [0];
  const servers: string[] = [];
  const gateways = new Map<string, number>();
  let hosted = false;

  const newNode = (): number => nodes.push(0, 0, 0) / NODE_WIDTH - 1;
  const childOf = (node: number, text: string): number => {
    const number = texts.numberOf(text);
    const known = edges.get(node, number);
    if (known !== undefined) return known;
    const child = newNode();
    edges.set(node, number, child);
    return child;
  };
  const parameterOf = (node: number): number => {
    const at = node * NODE_WIDTH + NODE_PARAMETER;
    const known = nodes[at] ?? 0;
    if (known !== 0) return known;
    const child = newNode();
    nodes[at] = child;
    return child;
  };
  const listOf = (list: readonly string[]): number =>
    list.length === 0 ? 0 : lists.push(list.length, ...list.map(texts.numberOf)) - list.length - 1;
  const serverOf = (server: string): number => {
    if (!servers.includes(server)) servers.push(server);
    return servers.indexOf(server);
  };

  const addLeaf = (id: string, node: number, which: number, method: string, route: number): void => {
    const [at, number] = [node * NODE_WIDTH + which, texts.numberOf(method)];
    const first = nodes[at] ?? 0;
    for (let leaf = first; leaf !== 0; leaf = leaves[leaf * LEAF_WIDTH + LEAF_NEXT] ?? 0)
      if (leaves[leaf * LEAF_WIDTH + LEAF_METHOD] === number) throw wrongRoute(id, 'host, method and path are those of another route');
    nodes[at] = leaves.push(number, route, first) / LEAF_WIDTH - 1;
  };

  for (const [id, entry] of Object.entries(routes)) {
    if (id === 'unknown') throw wrongRoute(id, 'the id is reserved');
    const route = rows.length / ROW_WIDTH;
    planOfRoute(id, entry.mcp, mcp);
    for (const gateway of entry.mcp?.gateways ?? []) {
      if (gateways.has(gateway)) throw wrongRoute(id, 'a gateway of mcp.gateways has a route');
      gateways.set(gateway, route);
    }
    hosted ||= entry.hosts.length > 0;
    const { parts, names, rest } = readPattern(id, entry.path);
    for (const host of entry.hosts.length === 0 ? [''] : entry.hosts) {
      let node = childOf(0, host);
      for (const part of parts) node = part === null ? parameterOf(node) : childOf(node, part);
      for (const method of entry.methods) addLeaf(id, node, rest ? NODE_REST : NODE_LEAVES, method, route);
    }
    rows.push(
      texts.numberOf(id),
      TIERS.indexOf(entry.tier),
      (entry.public ? FLAG_PUBLIC : 0) | (entry.enforce ? 0 : FLAG_NOT_ENFORCED),
      entry.resource_metadata === undefined ? 0 : texts.numberOf(entry.resource_metadata) + 1,
      entry.mcp === undefined ? 0 : serverOf(entry.mcp.server) + 1,
      listOf(entry.scopes),
      listOf(names.some((name) => name !== '') ? names : []),
    );
  }
  return {
    size: rows.length / ROW_WIDTH,
    hosted,
    texts: texts.pack(),
    edges: edges.pack(),
    nodes: sharedInts(nodes),
    leaves: sharedInts(leaves),
    rows: sharedInts(rows),
    lists: sharedInts(lists),
    servers,
    gateways,
  };
}

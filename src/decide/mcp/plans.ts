import { z } from 'zod';
import { CountersignError } from '../../contract/errors.ts';
import { isJsonObject, type JsonValue } from '../../contract/json.ts';
import type { McpList, McpParam, McpPlan } from '../../contract/mcp.ts';

/* The part of `data.countersign.limits` that says what MCP servers offer to whom: `mcp`. */

const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
/** RFC 9110 `token`: what may follow `Mcp-Param-`. */
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const ENTRIES_MAX = 10_000;
const NAME_CHARS_MAX = 1024;
const DEPTH_MAX = 8;

const Name = z.string().min(1).max(NAME_CHARS_MAX);
const Entry = z.strictObject({
  clients: z.array(Name).max(ENTRIES_MAX).optional(),
  scopes: z.array(z.string().regex(SCOPE)).max(64).default([]),
  assurance: z.int().min(0).max(4).optional(),
});
const Tool = Entry.extend({ params: z.record(z.string().regex(HEADER), z.array(Name).min(1).max(DEPTH_MAX)).optional() });
const entries = <T extends z.ZodType>(entry: T) => z.record(Name, entry).optional();
const DeniedAs = z.enum(['forbidden', 'not_found']).optional();
const Server = z.strictObject({
  versions: z
    .array(z.string().regex(/^\d{4}-\d{2}-\d{2}$/))
    .min(1)
    .max(16)
    .optional(),
  methods: z.array(Name).max(256).optional(),
  denied_as: DeniedAs,
  aliases: z.record(Name, Name).optional(),
  tools: entries(Tool),
  prompts: entries(Entry),
  resources: entries(Entry),
  actions: entries(Entry),
});
const Mcp = z.strictObject({
  versions: z
    .array(z.string().regex(/^\d{4}-\d{2}-\d{2}$/))
    .min(1)
    .max(16),
  methods: z.array(Name).max(256),
  denied_as: DeniedAs,
  servers: z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/), Server).default({}),
});
type ServerData = z.infer<typeof Server>;

/** What a route of the catalogue says of its MCP server. */
export const McpRoute = z
  .strictObject({
    server: Name.describe('Of limits.mcp.servers'),
    gateways: z
      .array(Name)
      .max(64)
      .default([])
      .describe('Gateways whose questions without an HTTP request are about this server (AuthZEN, COAZ-MCP)'),
  })
  .describe('An MCP server is behind it');

/** By the server's name; undefined where there is none of it. */
export type McpPlans = (server: string) => McpPlan | undefined;

/** Of a bundle that says nothing of MCP: a route that names a server is refused. */
export const NO_SERVERS: McpPlans = () => undefined;
/** For a catalogue that is looked at by itself. */
export const ANY_SERVER: McpPlans = (server) => planOf(server, {}, { versions: [], methods: [] });

const NOTHING: { readonly mcp?: McpPlan } = {};

/**
 * What a route carries of its server.
 * @throws CountersignError bundle_routes_invalid where there is no such server
 */
export function planOfRoute(id: string, route: z.infer<typeof McpRoute> | undefined, plans: McpPlans): { readonly mcp?: McpPlan } {
  if (route === undefined) return NOTHING;
  const mcp = plans(route.server);
  if (mcp === undefined)
    throw new CountersignError('bundle_routes_invalid', { field: `${id}.mcp.server`, detail: 'limits.mcp has no such server' });
  return { mcp };
}

const FIELD = 'countersign.limits.mcp';

/**
 * Reads what the limits of a bundle say of MCP servers.
 * @throws CountersignError bundle_data_invalid, the field is the path of what is wrong
 */
export function createMcpPlans(limits: JsonValue | undefined): McpPlans {
  const data = isJsonObject(limits) ? limits['mcp'] : undefined;
  if (data === undefined) return NO_SERVERS;
  const parsed = Mcp.safeParse(data);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CountersignError('bundle_data_invalid', { field: [FIELD, ...(issue?.path ?? [])].join('.'), detail: issue?.message ?? '' });
  }
  const { servers, ...defaults } = parsed.data;
  const plans = new Map(Object.entries(servers).map(([name, server]) => [name, planOf(name, server, defaults)]));
  return (server) => plans.get(server);
}

type Defaults = Pick<ServerData, 'denied_as'> & Pick<McpPlan, 'versions'> & { readonly methods: readonly string[] };

function planOf(server: string, data: ServerData, defaults: Defaults): McpPlan {
  const aliases = new Map(Object.entries(data.aliases ?? {}));
  const tools = data.tools ?? {};
  for (const alias of aliases.keys()) {
    // one name would be two tools, and which one is called depends on who looks
    if (Object.hasOwn(tools, alias)) throw wrong(`servers.${server}.aliases.${alias}`, 'is a tool of its own');
  }
  const params = new Map<string, readonly McpParam[]>();
  for (const [name, { params: mirrored = {} }] of Object.entries(tools)) {
    const list = Object.entries(mirrored).map(([header, path]) => ({ header: `mcp-param-${header.toLowerCase()}`, path }));
    if (new Set(list.map(({ header }) => header)).size < list.length)
      throw wrong(`servers.${server}.tools.${name}.params`, 'has a name twice');
    if (list.length > 0) params.set(name, list);
  }
  const scopesOf = (list: McpList): ReadonlyMap<string, readonly string[]> =>
    new Map(Object.entries(data[list] ?? {}).map(([name, { scopes }]) => [name, scopes]));
  return {
    server,
    versions: data.versions ?? defaults.versions,
    methods: new Set(data.methods ?? defaults.methods),
    hidden: (data.denied_as ?? defaults.denied_as) === 'not_found',
    aliases,
    params,
    scopes: { tools: scopesOf('tools'), prompts: scopesOf('prompts'), resources: scopesOf('resources'), actions: scopesOf('actions') },
  };
}

function wrong(path: string, detail: string): CountersignError {
  return new CountersignError('bundle_data_invalid', { field: `${FIELD}.${path}`, detail });
}

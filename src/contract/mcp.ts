import type { JsonObject } from './json.ts';

/* MCP traffic (Model Context Protocol, revision 2026-07-28), where a route says that it is. */

/** Why a message is refused before any rule looks at what it asks for; a closed list, policies read it as `input.mcp.code`. */
export const MCP_CODES = [
  // the message
  'not_post',
  'body_absent',
  'body_truncated',
  'body_too_large',
  'body_type',
  'body_invalid',
  'batch',
  'message_invalid',
  'message_ambiguous',
  'params_invalid',
  'meta_missing',
  // its headers
  'header_missing',
  'header_repeated',
  'header_invalid',
  'header_look_alike',
  'header_mismatch',
  // its revision
  'version_unsupported',
] as const;
export type McpCode = (typeof MCP_CODES)[number];

/** The lists of `limits.mcp.servers.<server>` that say who may ask for what. */
export const MCP_LISTS = ['tools', 'prompts', 'resources', 'actions'] as const;
export type McpList = (typeof MCP_LISTS)[number];

/** An argument that a tool mirrors into a header (`x-mcp-header`). */
export type McpParam = {
  /** Lower case, `mcp-param-…`. */
  readonly header: string;
  /** Names from `params.arguments` on. */
  readonly path: readonly string[];
};

/** What the host itself needs of one server's data; made once at load, carried by the route. */
export type McpPlan = {
  readonly server: string;
  /** Revisions that are let in. */
  readonly versions: readonly string[];
  readonly methods: ReadonlySet<string>;
  /** Whether what a caller may not ask for is answered as what is not there. */
  readonly hidden: boolean;
  /** Tools by the names that clients know them by. */
  readonly aliases: ReadonlyMap<string, string>;
  /** By the tool's own name. */
  readonly params: ReadonlyMap<string, readonly McpParam[]>;
  /** What a token needs, by list and name. */
  readonly scopes: Readonly<Record<McpList, ReadonlyMap<string, readonly string[]>>>;
};

/** What one request asks an MCP server for. */
export type McpMessage = {
  readonly server: string;
  /** `body`: read from the client's request; `question`: said by the gateway (AuthZEN's COAZ-MCP binding). */
  readonly source: 'body' | 'question';
  /** Null where it could be read and its headers agree with it. */
  readonly code: McpCode | null;
  /** `declared`: an action that the server's own mapping makes of a call (`x-authzen-mapping`). Null where it could not be read. */
  readonly kind: 'request' | 'notification' | 'declared' | null;
  /** Of JSON-RPC, to be sent back; undefined where there is none or it could not be read. */
  readonly id: string | number | undefined;
  readonly version: string | null;
  readonly method: string | null;
  /** The list that its target has to be in; null where it has none. */
  readonly list: McpList | null;
  /** The target as it was sent: a tool, a prompt, the URI of a resource, an action. */
  readonly name: string | null;
  /** The same by its own name. */
  readonly target: string | null;
  /** Of a tool or prompt. */
  readonly arguments: JsonObject;
  /** Whom the gateway names, only where it is trusted for `subject`. */
  readonly subject: string | null;
  /** The agent that the gateway names in `context.agent`. */
  readonly agent: string | null;
};

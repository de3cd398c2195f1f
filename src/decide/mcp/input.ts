import { z } from 'zod';
import type { Identity } from '../../contract/identity.ts';
import type { JsonValue } from '../../contract/json.ts';
import { MCP_CODES, MCP_LISTS, type McpMessage } from '../../contract/mcp.ts';
import { json, textOrNull } from '../input-fields.ts';

/* `input.mcp`: what the input says of a message, and what each field means. */

const FIELDS: Readonly<Record<string, (message: McpMessage, identity: Identity) => JsonValue>> = {
  server: ({ server }) => server,
  source: ({ source }) => source,
  status: ({ code }) => (code === null ? 'read' : 'refused'),
  code: ({ code }) => code,
  kind: ({ kind }) => kind,
  version: ({ version }) => version,
  method: ({ method }) => method,
  list: ({ list }) => list,
  name: ({ name }) => name,
  target: ({ target }) => target,
  arguments: (message) => message.arguments,
  client: (_message, { subject }) => subject.client,
  caller: callerOf,
};

/** Whether the subject and the agent that a question names are those of the token (COAZ-MCP); of one that only the gateway vouches for nothing is told. */
function callerOf({ source, subject, agent }: McpMessage, { signals: { token } }: Identity): 'same' | 'other' | 'unchecked' {
  if (source === 'body' || token.status !== 'present' || token.value.verifiedBy === 'pep') return 'unchecked';
  if (subject === null && agent === null) return 'unchecked';
  const other = (subject !== null && subject !== token.value.subject) || (agent !== null && agent !== token.value.clientId);
  return other ? 'other' : 'same';
}

export const MCP_FIELDS: readonly string[] = Object.keys(FIELDS);

type McpFacts = { readonly identity: Identity; readonly mcp?: McpMessage | null };

/** The wanted fields; null where the route is not one of an MCP server. */
export function mcpOf({ mcp, identity }: McpFacts, names: readonly string[]): JsonValue {
  if (mcp === undefined || mcp === null) return null;
  const built: Record<string, JsonValue> = {};
  for (const name of names) built[name] = FIELDS[name]?.(mcp, identity) ?? null;
  return built;
}

export const McpInput = z
  .strictObject({
    server: z.string().describe('As the route names it'),
    source: z.enum(['body', 'question']).describe("body: read from the client's body; question: said by the gateway (COAZ-MCP)"),
    status: z.enum(['read', 'refused']).describe('refused: it could not be read, or its headers do not agree with it'),
    code: z.enum(MCP_CODES).nullable().describe('Why it is refused'),
    kind: z
      .enum(['request', 'notification', 'declared'])
      .nullable()
      .describe("declared: an action of the server's own mapping (x-authzen-mapping)"),
    version: textOrNull('Of the protocol, as the client says'),
    method: textOrNull('For example tools/call'),
    list: z.enum(MCP_LISTS).nullable().describe('The list of limits.mcp that its target has to be in'),
    name: textOrNull('Of the tool or prompt, or the URI of the resource, as it was sent'),
    target: textOrNull('The same; of a tool its own name where an alias was sent'),
    arguments: json('Of a tool or prompt'),
    client: textOrNull('The client that verified evidence names'),
    caller: z
      .enum(['same', 'other', 'unchecked'])
      .describe(
        "Of a question: whether its subject and context.agent are the verified token's; unchecked: it names none, or there is no token",
      ),
  })
  .nullable()
  .describe("The message to an MCP server; null where the route is not one of an MCP server's");

import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { McpCode, McpMessage, McpPlan } from '../../contract/mcp.ts';
import { decodeHeaderValue, isMirrored, trimmed } from './header-value.ts';

/* The headers that MCP 2026-07-28 mirrors from the body (Streamable HTTP, Server Validation). */

const VERSION = 'mcp-protocol-version';
const METHOD = 'mcp-method';
const NAME = 'mcp-name';
const PARAM = 'mcp-param-';
const META_VERSION = 'io.modelcontextprotocol/protocolVersion';
/** The first revision whose requests carry all this. */
const MIRRORED_FROM = '2026-07-28';
/** What a request without the header is (Protocol Version Header), where that revision is let in. */
const WITHOUT_HEADER = '2025-03-26';
const NAMED: ReadonlySet<string> = new Set(['tools/call', 'resources/read', 'prompts/get']);
const VERSION_CHARS_MAX = 32;
/** No text, so that no header can say it. */
const REPEATED = false;

type Headers = ReadonlyMap<string, readonly string[]>;
/** The message that the headers have to agree with. */
export type Mirrored = {
  readonly method: string;
  readonly kind: McpMessage['kind'];
  readonly params: JsonObject;
  readonly target: Pick<McpMessage, 'list' | 'target'>;
};
export type Agreement = { readonly code: McpCode | null; readonly version: string | null };

/** The revision, and the first thing that keeps the headers from agreeing with the message; null where they do. Never throws. */
export function headersDisagree(headers: Headers, message: Mirrored, plan: McpPlan): Agreement {
  if (hasLookAlike(headers)) return { code: 'header_look_alike', version: null };
  const said = versionOf(headers, message, plan);
  if (said.code !== null || said.version === null) return said;
  const { version } = said;
  // earlier revisions do not ask for these headers; one that is there must agree all the same, since somebody routed by it
  const asked = version >= MIRRORED_FROM && message.kind === 'request';
  const code = methodCode(headers, message, asked) ?? nameCode(headers, message, asked) ?? paramsCode(headers, message, plan, asked);
  return { code, version };
}

/** A name that some servers read as one of these (`mcp_method`). */
function hasLookAlike(headers: Headers): boolean {
  for (const name of headers.keys()) {
    if (!name.startsWith('mcp') || !/[_.]/.test(name)) continue;
    const plain = name.replace(/[_.]/g, '-');
    if (plain === VERSION || plain === METHOD || plain === NAME || plain.startsWith(PARAM)) return true;
  }
  return false;
}

function versionOf(headers: Headers, { method, kind, params }: Mirrored, { versions }: McpPlan): Agreement {
  const line = only(headers, VERSION);
  if (line === REPEATED) return { code: 'header_repeated', version: null };
  const meta = params['_meta'];
  const inBody = isJsonObject(meta) ? meta[META_VERSION] : undefined;
  if (line === null) {
    if (method === 'initialize') return initialVersion(params['protocolVersion'], versions);
    if (inBody === undefined && versions.includes(WITHOUT_HEADER)) return { code: null, version: WITHOUT_HEADER };
    return { code: 'header_missing', version: null };
  }
  const version = line.slice(0, VERSION_CHARS_MAX);
  if (inBody !== undefined && inBody !== line) return { code: 'header_mismatch', version };
  if (!versions.includes(line)) return { code: 'version_unsupported', version };
  if (inBody === undefined && kind === 'request' && line >= MIRRORED_FROM) return { code: 'meta_missing', version };
  return { code: null, version };
}

/** The handshake of earlier revisions: the server settles which one it is to be, so one of those has to be let in at all. */
function initialVersion(proposed: JsonValue | undefined, versions: readonly string[]): Agreement {
  const version = typeof proposed === 'string' ? proposed.slice(0, VERSION_CHARS_MAX) : null;
  const earlier = version !== null && versions.some((one) => one < MIRRORED_FROM);
  return { code: earlier ? null : 'version_unsupported', version };
}

function methodCode(headers: Headers, { method }: Mirrored, asked: boolean): McpCode | null {
  const line = only(headers, METHOD);
  if (line === REPEATED) return 'header_repeated';
  if (line === null) return asked ? 'header_missing' : null;
  return line === method ? null : 'header_mismatch';
}

function nameCode(headers: Headers, { method, params }: Mirrored, asked: boolean): McpCode | null {
  const line = only(headers, NAME);
  if (line === REPEATED) return 'header_repeated';
  if (line === null) return asked && NAMED.has(method) ? 'header_missing' : null;
  const text = decodeHeaderValue(line);
  if (text === null) return 'header_invalid';
  const uri = method.startsWith('resources/');
  return isMirrored(text, uri ? params['uri'] : params['name']) ? null : 'header_mismatch';
}

function paramsCode(headers: Headers, { params, target }: Mirrored, plan: McpPlan, asked: boolean): McpCode | null {
  if (plan.params.size === 0 || target.list !== 'tools' || target.target === null) return null;
  for (const { header, path } of plan.params.get(target.target) ?? []) {
    const line = only(headers, header);
    const value = argumentAt(params['arguments'], path);
    if (line === REPEATED) return 'header_repeated';
    if (line === null) {
      if (asked && value !== undefined && value !== null) return 'header_missing';
      continue;
    }
    const text = decodeHeaderValue(line);
    if (text === null) return 'header_invalid';
    if (!isMirrored(text, value)) return 'header_mismatch';
  }
  return null;
}

/** Own members only, objects all the way: the annotations reach through nothing else (Schema Extension). */
function argumentAt(from: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let value = from;
  for (const name of path) value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}

/** The one value of a header, without the blanks around it; null where it is not there. */
function only(headers: Headers, name: string): string | null | typeof REPEATED {
  const values = headers.get(name);
  if (values === undefined) return null;
  const [value] = values;
  return values.length === 1 && value !== undefined ? trimmed(value) : REPEATED;
}

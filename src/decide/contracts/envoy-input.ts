import { CountersignError } from '../../contract/errors.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import type { OriginalRequest } from '../../contract/original-request.ts';
import type { DecisionRequest, HttpFacts, RequestFlag } from '../../contract/request.ts';
import { secondOf } from '../credential-fields.ts';
import type { InputFacts } from '../input.ts';
import { BODY_BYTES_MAX, parseBody } from './envoy-body.ts';
import { parseForm, parsePath } from './form-body.ts';

export type EnvoyInputOptions = {
  /** Whether the headers are whole: with `authorization` and every other credential. */
  readonly credentials: boolean;
};

const VERSION = { ext_authz: 'v3', encoding: 'protojson' };
const PAIRS_MAX = 1024;
const SEGMENTS_MAX = 256;
/** Where the border left something out, a policy would decide on a part. */
const CAPPED: readonly RequestFlag[] = ['headers_capped', 'header_values_capped', 'path_too_long'];
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i;

/**
 * The document that opa-envoy-plugin gives its policies (protobuf's JSON names), out of the question as it came; of a question that cannot be asked
 * for once more, out of its facts. Beside it the `id` of the decision and its `time`, which the builtins of time and chance draw on.
 * @throws CountersignError request_invalid where the request is none, or does not hold to its form: the plugin refuses it too
 */
export function envoyInput({ request }: InputFacts, { credentials }: EnvoyInputOptions): JsonObject {
  const { http } = request;
  if (http === null) throw refused('request');
  if (request.flags.some((flag) => CAPPED.includes(flag))) throw refused('request.headers');
  const original = request.original?.() ?? originalOf(request, http);
  const headers = headersOf(original, http, credentials);
  const { path, query } = parseTarget(original.target);
  const body = parseBody(original.body?.bytes ?? null, original.bodyCut, headers['content-type'], headers['content-length']);
  if (!body.ok) throw refused('request.body');
  return {
    attributes: { ...original.attributes, request: { time: original.time ?? timeOf(request), http: httpOf(original, headers) } },
    parsed_path: path,
    parsed_query: query,
    parsed_body: body.value,
    truncated_body: body.truncated,
    version: VERSION,
    id: request.id,
    time: { unix_seconds: secondOf(request), rfc3339: timeOf(request) },
  };
}

function refused(field: string): CountersignError {
  return new CountersignError('request_invalid', { field });
}

function timeOf(request: DecisionRequest): string {
  return new Date(request.receivedAtMs).toISOString();
}

/** Members that protobuf's JSON leaves out where they are empty. */
function httpOf(original: OriginalRequest, headers: Readonly<Record<string, string>>): JsonObject {
  const { id, method, target: path, host, scheme, protocol, size, body } = original;
  const said: Record<string, JsonValue> = { headers };
  for (const [name, text] of Object.entries({ id, method, path, host, scheme, protocol, size: size ?? '' })) {
    if (text !== '') said[name] = text;
  }
  if (body !== null && body.bytes.length <= BODY_BYTES_MAX) {
    const bytes = Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.length);
    if (body.packed) said['rawBody'] = bytes.toString('base64');
    else said['body'] = bytes.toString('utf8');
  }
  return said;
}

/** Lower-case names; repeated lines are joined as Envoy joins them. */
function headersOf(original: OriginalRequest, http: HttpFacts, credentials: boolean): Record<string, string> {
  const lines = new Map<string, string>([
    [':authority', original.host],
    [':method', original.method],
    [':path', original.target],
    [':scheme', original.scheme],
  ]);
  if (credentials) {
    for (const [spelt, value] of original.headers) {
      const name = spelt.toLowerCase();
      if (name.startsWith(':')) continue;
      const before = lines.get(name);
      lines.set(name, before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ','}${value}`);
    }
  } else {
    for (const [name, values] of http.headers) lines.set(name, values.join(','));
  }
  return Object.fromEntries(lines);
}

/** Decoded once, dots and doubled slashes as they are: that is what such policies compare with. */
function parseTarget(target: string): { readonly path: readonly string[]; readonly query: JsonObject } {
  const [whole = ''] = target.replace(ABSOLUTE_FORM, '').split('#', 1);
  const at = whole.indexOf('?');
  const path = parsePath(at < 0 ? whole : whole.slice(0, at));
  const query = at < 0 ? {} : parseForm(whole.slice(at + 1), PAIRS_MAX, false);
  if (path === null || path.length > SEGMENTS_MAX) throw refused('request.path');
  if (query === null) throw refused('request.query');
  return { path, query };
}

/** What the border cut is refused before any policy sees it; the largest body is one that has to be parsed. */
export function atWorst(facts: InputFacts): InputFacts {
  const { request } = facts;
  const { http } = request;
  if (http === null) return facts;
  const json = Buffer.from(JSON.stringify(http.body.json));
  const bytes = json.length <= BODY_BYTES_MAX ? json : Buffer.from(JSON.stringify('x'.repeat(BODY_BYTES_MAX - 2)));
  const original: OriginalRequest = { ...originalOf(request, http), body: { bytes, packed: false } };
  const headers: OriginalRequest['headers'] = [...original.headers, ['content-type', 'application/json']];
  return {
    ...facts,
    request: {
      ...request,
      flags: [],
      http: { ...http, headers: new Map([...http.headers, ['content-type', ['application/json']]]) },
      original: () => ({ ...original, headers }),
    },
  };
}

/** Of protocols that do not keep the question as it came. */
function originalOf(request: DecisionRequest, http: HttpFacts): OriginalRequest {
  const { source, tls, context } = request;
  const address = source.ip === null ? {} : { address: { socketAddress: { address: source.ip, portValue: source.port ?? 0 } } };
  return {
    id: request.requestId ?? '',
    method: http.method,
    scheme: http.scheme,
    host: http.port === null ? http.host : `${http.host}:${http.port}`,
    target: http.queryRaw == null ? http.pathRaw : `${http.pathRaw}?${http.queryRaw}`,
    protocol: '',
    headers: [...http.headers].flatMap(([name, values]) => values.map((value): [string, string] => [name, value])),
    body: null,
    bodyCut: http.body.status === 'truncated',
    size: http.body.size === null ? null : String(http.body.size),
    time: null,
    attributes: {
      source: address,
      ...(Object.keys(context).length === 0 ? {} : { contextExtensions: context }),
      ...(tls.sni === null ? {} : { tlsSession: { sni: tls.sni } }),
    },
  };
}

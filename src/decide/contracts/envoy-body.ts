import type { JsonValue } from '../../contract/json.ts';
import { parseStrictJson } from '../../formats/strict-json.ts';
import { parseForm } from './form-body.ts';
import { boundaryOf, parseMultipart } from './multipart.ts';

/** `parsed_body` and `truncated_body`; a body that is there and does not hold to its type is no question that can be answered. */
export type ParsedBody = { readonly ok: true; readonly value: JsonValue; readonly truncated: boolean } | { readonly ok: false };

/** DESIGN 4: a longer body does not reach Rego; it counts as cut. */
export const BODY_BYTES_MAX = 65_536;
const JSON_LIMITS = { depthMax: 32, keysMax: 10_000 };
const PAIRS_MAX = 1024;

const NOTHING: ParsedBody = { ok: true, value: null, truncated: false };
const CUT: ParsedBody = { ok: true, value: null, truncated: true };
const BROKEN: ParsedBody = { ok: false };

/** What opa-envoy-plugin makes of a body by its content type; of other types, and of no body, nothing. */
export function parseBody(
  bytes: Uint8Array | null,
  cut: boolean,
  contentType: string | undefined,
  contentLength: string | undefined,
): ParsedBody {
  if (cut || (bytes !== null && bytes.length > BODY_BYTES_MAX)) return CUT;
  const type = contentType?.toLowerCase() ?? '';
  const parse = PARSERS.find(([word]) => type.includes(word))?.[1];
  if (parse === undefined || bytes === null || bytes.length === 0) return NOTHING;
  if (contentLength !== undefined) {
    if (!/^-?[0-9]{1,18}$/.test(contentLength)) return BROKEN;
    if (Number(contentLength) > bytes.length) return CUT;
  }
  const value = parse(bytes, contentType ?? '');
  return value === undefined ? BROKEN : { ok: true, value, truncated: false };
}

type Parser = (bytes: Uint8Array, contentType: string) => JsonValue | undefined;

const PARSERS: readonly (readonly [string, Parser])[] = [
  [
    'application/json',
    (bytes) => {
      const parsed = parseStrictJson(bytes, JSON_LIMITS);
      return parsed.ok ? parsed.value : undefined;
    },
  ],
  ['application/x-www-form-urlencoded', (bytes) => parseForm(Buffer.from(bytes).toString('utf8'), PAIRS_MAX, true) ?? undefined],
  [
    'multipart/form-data',
    (bytes, contentType) => {
      const boundary = boundaryOf(contentType);
      return boundary === null ? null : (parseMultipart(bytes, boundary, JSON_LIMITS) ?? undefined);
    },
  ],
];

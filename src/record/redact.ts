import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

/** What stands in a log for a text that may be a secret. */
export const HIDDEN = '***';

/** Names whose values are secrets wherever they stand: in the query, in a body, in claims, in fields of the operational log. */
const SECRET_NAME =
  /(^|[-_.])(authorization|proxy[-_]?authorization|cookies?|passw(or)?d|passphrase|pwd|secrets?|tokens?|api[-_.]?keys?|credentials?|bearer|assertion|private[-_]?key|signature|sig|dpop|pin|otp|code[-_]verifier)$/i;

/** Names that were judged: those of the input are the same each time. Bounded, since clients can make up names. */
const judged = new Map<string, boolean>();
const JUDGED_MAX = 2000;
const JUDGED_CHARS_MAX = 64;

/** True for names such as `access_token`, `X-Api-Key`, `clientSecret`. */
export function isSecretName(name: string): boolean {
  const before = judged.get(name);
  if (before !== undefined) return before;
  const secret = SECRET_NAME.test(name.replace(/([a-z0-9])([A-Z])/g, '$1_$2'));
  if (name.length > JUDGED_CHARS_MAX) return secret;
  if (judged.size >= JUDGED_MAX) judged.clear();
  judged.set(name, secret);
  return secret;
}

/**
 * A policy input as it may be kept. Credentials are not in it to begin with (`Credentials` never reaches Rego); what a client can put
 * anywhere is left out here: texts of its query and of its body, and any value under the name of a secret. Numbers, booleans, names and
 * the structure stay, since they are what rules mostly look at.
 */
export function redactInput(input: JsonValue): JsonValue {
  if (!isJsonObject(input)) return redactNamed(input);
  return mapMembers(input, (name, value) => {
    if (!isJsonObject(value)) return redactMember(name, value);
    if (name === 'request') return redactRequest(value);
    if (name === 'mcp') return redactMessage(value);
    // only words of ours: a pair of evidence is called `token_api_key`
    if (name === 'evidence') return value;
    return name === 'signals' ? mapMembers(value, redactSignal) : redactMember(name, value);
  });
}

/** Counts, and what is remembered of a client, are all ours: `address_failed_credentials` is a number of them, a limit may be called `per_token`. */
function redactSignal(name: string, value: JsonValue): JsonValue {
  return name === 'behaviour' || name === 'rate' ? value : redactMember(name, value);
}

/**
 * A path without the parameters of its segments (`;jsessionid=…`, RFC 3986 section 3.3), which are a place for session ids, and without what
 * was meant as a query (`%3f…`): also as they came, encoded.
 */
export function redactPath(path: string): string {
  if (!HIDING.test(path)) return path;
  return path.replace(/(;|%3b)[^/]*/gi, `$1${HIDDEN}`).replace(/(\?|%3f).*$/is, `$1${HIDDEN}`);
}

const HIDING = /[;?]|%3[bf]/i;

function redactPaths(value: JsonValue): JsonValue {
  if (typeof value === 'string') return redactPath(value);
  return Array.isArray(value) ? mapChanged(value, redactPaths) : value;
}

const PATHS: ReadonlySet<string> = new Set(['path', 'path_raw', 'segments']);

function redactRequest(request: JsonObject): JsonValue {
  return mapMembers(request, (name, value) => {
    if (name === 'query') return redactTexts(value, NONE);
    if (name === 'body') return redactTexts(value, BODY_FACTS);
    return PATHS.has(name) ? redactPaths(value) : redactMember(name, value);
  });
}

/** What a client asks of an MCP server: arguments as those of a body, a URI as a path. */
function redactMessage(message: JsonObject): JsonValue {
  return mapMembers(message, (name, value) => {
    if (name === 'arguments') return redactTexts(value, NONE);
    return name === 'name' || name === 'target' ? redactPaths(value) : value;
  });
}

const NONE: ReadonlySet<string> = new Set();
/** Members of `input.request.body` that are ours and not the client's. */
const BODY_FACTS: ReadonlySet<string> = new Set(['status', 'reason', 'content_type', 'size']);

/** Every text hidden but those of the members in `kept`, which are looked up at the top only. */
function redactTexts(value: JsonValue, kept: ReadonlySet<string>): JsonValue {
  if (typeof value === 'string') return HIDDEN;
  if (Array.isArray(value)) return value.map((item: JsonValue) => redactTexts(item, NONE));
  if (!isJsonObject(value)) return value;
  const shown: Record<string, JsonValue> = {};
  for (const [name, part] of Object.entries(value)) {
    if (kept.has(name)) shown[name] = part;
    else shown[name] = isSecretName(name) && !isEmpty(part) ? HIDDEN : redactTexts(part, NONE);
  }
  return shown;
}

function redactNamed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return mapChanged(value, redactNamed);
  return isJsonObject(value) ? mapMembers(value, redactMember) : value;
}

/** The list itself where nothing in it is hidden, which is nearly always. */
function mapChanged(list: readonly JsonValue[], redact: (item: JsonValue) => JsonValue): readonly JsonValue[] {
  let copy: JsonValue[] | null = null;
  for (let index = 0; index < list.length; index++) {
    const item = list[index] ?? null;
    const shown = redact(item);
    if (shown === item) continue;
    copy ??= [...list];
    copy[index] = shown;
  }
  return copy ?? list;
}

/** The object itself where nothing in it is hidden. */
function mapMembers(object: JsonObject, redact: (name: string, value: JsonValue) => JsonValue): JsonObject {
  let copy: Record<string, JsonValue> | null = null;
  for (const name of Object.keys(object)) {
    const value = object[name] ?? null;
    const shown = redact(name, value);
    if (shown === value) continue;
    copy ??= { ...object };
    copy[name] = shown;
  }
  return copy ?? object;
}

/** Objects below the name of a secret are looked into: `signals.token` is one of ours and holds no token. */
function redactMember(name: string, value: JsonValue): JsonValue {
  if (isJsonObject(value)) return redactNamed(value);
  return isSecretName(name) && !isEmpty(value) ? HIDDEN : redactNamed(value);
}

function isEmpty(value: JsonValue): boolean {
  return value === null || value === '' || typeof value === 'boolean';
}

import { type Effect, type RiskFactor, STEP_UP_KINDS, type StepUpKind } from '../contract/decision.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

/** What the bundle's METADATA says of a rule. */
export type RuleFacts = {
  readonly title: string;
  readonly public: boolean;
  readonly status: number | null;
  /** False where the rule allows no exception. */
  readonly exceptions?: boolean | undefined;
  /** What would lift it, one sentence. */
  readonly remedy?: string | undefined;
  /** Paths below `input` and below `data` that the rule reads; not there where the build did not say. */
  readonly input?: readonly (readonly string[])[] | undefined;
  readonly data?: readonly (readonly string[])[] | undefined;
  /** File and line in the bundle's sources. */
  readonly at?: string | undefined;
};

/** One limit for the fields of draft-ietf-httpapi-ratelimit-headers: an exceeded one of a 429, or what is left where a request passes. */
export type ExceededLimit = {
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  /** Null where nothing has to be waited for. */
  readonly resetSeconds: number | null;
};

/** The details of a verdict that the host acts on; everything else is only kept. */
export type VerdictDetails = {
  readonly status: number | null;
  readonly grants: boolean;
  readonly kind: StepUpKind | null;
  readonly methods: readonly string[];
  readonly acrValues: readonly string[];
  readonly maxAgeSeconds: number | null;
  readonly scopes: readonly string[];
  /** Assurance level that is asked for, or null. */
  readonly required: number | null;
  readonly factors: readonly RiskFactor[];
  readonly retryAfterSeconds: number | null;
  readonly limits: readonly ExceededLimit[];
  /** Names of limits that were exceeded and are not enforced. */
  readonly shadowLimits: readonly string[];
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly upstreamHeaders: Readonly<Record<string, string>>;
  readonly obligations: readonly JsonObject[];
  /** Names of sources that are to be asked before anything is decided; whether they are known is not judged here. */
  readonly collect: readonly string[];
};

/** What one rule says. `undecided` is whatever is not in the closed union: null, an unknown word, a wrong type, a wrong detail. */
export type Verdict = {
  readonly code: string;
  readonly effect: Effect | 'clear' | 'undecided';
  readonly details: VerdictDetails;
  /** The verdict's own words beside its effect. */
  readonly said: JsonObject;
};

const NOTHING: JsonObject = {};
export const NO_DETAILS: VerdictDetails = {
  status: null,
  grants: false,
  kind: null,
  methods: [],
  acrValues: [],
  maxAgeSeconds: null,
  scopes: [],
  required: null,
  factors: [],
  retryAfterSeconds: null,
  limits: [],
  shadowLimits: [],
  responseHeaders: {},
  upstreamHeaders: {},
  obligations: [],
  collect: [],
};

/** Reads one rule's verdict; total, never throws. */
export function parseVerdict(code: string, value: JsonValue): Verdict {
  const effect = parseEffect(value);
  if (effect !== null) return { code, effect, details: NO_DETAILS, said: NOTHING };
  if (!isJsonObject(value)) return undecided(code, typeof value === 'string' ? { verdict: value.slice(0, 64) } : NOTHING);
  const { effect: word, ...said } = value;
  const known = parseEffect(word);
  if (known === null) return undecided(code, said);
  const details = parseDetails(said);
  return details === null ? undecided(code, said) : { code, effect: known, details, said };
}

function undecided(code: string, said: JsonObject): Verdict {
  return { code, effect: 'undecided', details: NO_DETAILS, said };
}

function parseEffect(value: unknown): Verdict['effect'] | null {
  return value === 'allow' || value === 'deny' || value === 'step_up' || value === 'clear' ? value : null;
}

type Mutable = { -readonly [Name in keyof VerdictDetails]: VerdictDetails[Name] };

/** Null where a detail that the host acts on has the wrong type. */
function parseDetails(said: JsonObject): VerdictDetails | null {
  const details: Mutable = { ...NO_DETAILS };
  for (const name of Object.keys(said)) {
    const read = READERS[name];
    if (read !== undefined && !read(said[name] ?? null, details)) return null;
  }
  return details;
}

/** Each takes a value over and says whether it had the right type. */
const READERS: Readonly<Record<string, (value: JsonValue, details: Mutable) => boolean>> = Object.assign(Object.create(null), {
  status: (value: JsonValue, details: Mutable) => isWithin(value, 400, 599) && put(details, 'status', value),
  collect: (value: JsonValue, details: Mutable) => isTexts(value) && put(details, 'collect', value),
  grants: (value: JsonValue, details: Mutable) => typeof value === 'boolean' && put(details, 'grants', value),
  kind(value: JsonValue, details: Mutable) {
    const kind = STEP_UP_KINDS.find((one) => one === value);
    return kind !== undefined && put(details, 'kind', kind);
  },
  methods: (value: JsonValue, details: Mutable) => isTexts(value) && put(details, 'methods', value),
  acr_values: (value: JsonValue, details: Mutable) => isTexts(value) && put(details, 'acrValues', value),
  scopes: (value: JsonValue, details: Mutable) => isTexts(value) && put(details, 'scopes', value),
  max_age_seconds: (value: JsonValue, details: Mutable) => isWithin(value, 0, 1e9) && put(details, 'maxAgeSeconds', value),
  required: (value: JsonValue, details: Mutable) => isWithin(value, 0, 4) && put(details, 'required', value),
  retry_after_seconds: (value: JsonValue, details: Mutable) => isAmount(value) && put(details, 'retryAfterSeconds', Math.ceil(value)),
  factors: (value: JsonValue, details: Mutable) => isFactors(value) && put(details, 'factors', value),
  limits(value: JsonValue, details: Mutable) {
    const limits = parseLimits(value);
    return limits !== null && put(details, 'limits', limits);
  },
  shadow_limits: (value: JsonValue, details: Mutable) => isTexts(value) && put(details, 'shadowLimits', value),
  response_headers(value: JsonValue, details: Mutable) {
    const headers = parseHeaders(value);
    return headers !== null && put(details, 'responseHeaders', headers);
  },
  upstream_headers(value: JsonValue, details: Mutable) {
    const headers = parseHeaders(value);
    return headers !== null && put(details, 'upstreamHeaders', headers);
  },
  obligations: (value: JsonValue, details: Mutable) =>
    Array.isArray(value) && value.every(isJsonObject) && put(details, 'obligations', value),
});

function put<Name extends keyof Mutable>(details: Mutable, name: Name, value: Mutable[Name]): true {
  details[name] = value;
  return true;
}

function isWithin(value: JsonValue, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function isAmount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isTexts(value: JsonValue): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isFactors(value: JsonValue): value is RiskFactor[] {
  return Array.isArray(value) && value.every((one) => isJsonObject(one) && typeof one['code'] === 'string' && isAmount(one['points']));
}

function parseLimits(value: JsonValue): ExceededLimit[] | null {
  if (!Array.isArray(value)) return null;
  const limits: ExceededLimit[] = [];
  for (const one of value) {
    if (!isJsonObject(one)) return null;
    const { name, limit, window_seconds: windowSeconds, remaining, reset_seconds: resetSeconds } = one;
    if (typeof name !== 'string' || !isAmount(limit) || !isAmount(windowSeconds) || !isAmount(remaining) || !isReset(resetSeconds))
      return null;
    limits.push({ name, limit, windowSeconds, remaining, resetSeconds });
  }
  return limits;
}

function isReset(value: JsonValue | undefined): value is number | null {
  return value === null || isAmount(value);
}

/** RFC 9110 `token`, in lower case. */
export const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/;

/** A scalar becomes text, null leaves the header out (USER-ASKS 5); anything else is a wrong type. */
function parseHeaders(value: JsonValue): Record<string, string> | null {
  if (!isJsonObject(value)) return null;
  const headers: Record<string, string> = {};
  for (const [name, content] of Object.entries(value)) {
    const lower = name.toLowerCase();
    if (!HEADER_NAME.test(lower)) return null;
    if (content === null) continue;
    if (typeof content === 'object') return null;
    headers[lower] = String(content);
  }
  return headers;
}

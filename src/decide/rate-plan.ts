import { z } from 'zod';
import { CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import {
  type CounterPlan,
  NAMED_SOURCES,
  PLAIN_SOURCES,
  POINTER_SOURCES,
  type RatePlan,
  type RateThreshold,
  type RequestSource,
} from '../contract/rate-plan.ts';
import type { RateLimitStatus } from '../contract/status.ts';

/* The parts of `data.countersign.limits` that say what is counted: `rate`, `rate_limits`, `counters`. */

const ENTITIES = ['client', 'address', 'token', 'route', 'api_key'] as const;
type Entity = (typeof ENTITIES)[number];
const WINDOWS = ['10s', '1m', '10m', '1h', '1d'] as const;
const NAME = /^[a-z][a-z0-9_]{0,63}$/;
/** Names of `rate` such as `client-10s` have a dash, these have none: no two limits have one name. */
const names = z.string().regex(NAME, 'must be lower-case letters, digits and underscores');
/** The greatest amount of one request. */
export const AMOUNT_MAX = 1e9;
const THOUSANDTHS = 1000;
const COUNTERS_MAX = 32;
const LIMITS_MAX = 64;

const OnMissing = z.enum(['ignore', 'deny']).optional();
const Windows = z.record(z.string(), z.number());
const Counter = z.strictObject({
  key: z.array(z.string()).min(1).max(8),
  routes: z.array(z.string()).optional(),
  on_missing: OnMissing,
  amount: z
    .strictObject({ from: z.string().optional(), default: z.number().min(0).max(AMOUNT_MAX).default(0), reported: names.optional() })
    .optional(),
});
const NamedLimit = z.strictObject({
  of: z.string(),
  window: z.enum(WINDOWS),
  limit: z.number().positive().max(1e12),
  shadow: z.boolean().default(false),
  on_store_error: z.enum(['ignore', 'deny']).default('ignore'),
  on_missing: OnMissing,
});
const RateData = z.looseObject({
  rate: z.record(z.string(), Windows).default({}),
  rate_limits: z.record(names, NamedLimit).default({}),
  counters: z.record(names, Counter).default({}),
});

/** What is counted for each route, and the limits as `/status` shows them. */
export type RatePlans = { of(routeId: string): RatePlan | undefined; readonly limits: readonly RateLimitStatus[] };

/**
 * Reads what the limits of a bundle have counted. A bundle whose limits are of another form counts entities only.
 * @param routeIds ids of the catalogue; `unknown` is one of them always.
 * @throws CountersignError bundle_data_invalid, the field is the path of what is wrong
 */
export function createRatePlans(limits: JsonValue | undefined, routeIds: Pick<ReadonlySet<string>, 'has'>, catalogue: string): RatePlans {
  if (!isJsonObject(limits)) return { of: () => undefined, limits: [] };
  const { rate, rate_limits: named, counters } = parse(limits);
  const thresholds: Record<Entity, RateThreshold[]> = { client: [], address: [], token: [], route: [], api_key: [] };
  const byCounter = new Map<string, RateThreshold[]>(Object.keys(counters).map((name) => [name, []]));
  const shown: RateLimitStatus[] = [];

  for (const entity of ENTITIES) {
    for (const [window, limit] of Object.entries(rate[entity] ?? {})) {
      const at = WINDOWS.findIndex((one) => one === window && one !== '1d');
      if (at < 0) throw invalid(`rate.${entity}.${window}`);
      thresholds[entity].push({ name: `${entity}-${window}`, window: at, limit });
      shown.push({ name: `${entity}-${window}`, of: entity, window, limit, shadow: false, onStoreError: 'ignore', onMissing: 'ignore' });
    }
  }
  for (const [name, { of, window, limit, shadow, on_store_error: onStoreError, on_missing }] of Object.entries(named)) {
    const at = WINDOWS.indexOf(window);
    const entity = ENTITIES.find((one) => one === of);
    const counter = byCounter.get(of);
    if (entity !== undefined && window !== '1d') thresholds[entity].push({ name, window: at, limit });
    else if (counter !== undefined) counter.push({ name, window: at, limit: Math.round(limit * THOUSANDTHS) });
    else if (of !== 'pep') throw invalid(`rate_limits.${name}.${entity === undefined ? 'of' : 'window'}`);
    const onMissing = of === 'pep' ? 'ignore' : (on_missing ?? counters[of]?.on_missing ?? 'ignore');
    shown.push({ name, of, window, limit, shadow, onStoreError, onMissing });
  }
  const compiled = Object.entries(counters).map(([name, { key, routes, amount }]) => {
    if (ENTITIES.some((one) => one === name) || name === 'pep') throw invalid(`counters.${name}`);
    for (const id of routes ?? []) if (!routeIds.has(id) && id !== 'unknown') throw invalid(`counters.${name}.routes`);
    const plan: CounterPlan = {
      name,
      pool: `${catalogue}/${name}`,
      key: key.map((text, index) => parseSource(text) ?? raise(`counters.${name}.key.${index}`)),
      amount:
        amount === undefined
          ? { from: null, otherwise: THOUSANDTHS, reported: null }
          : {
              from: amount.from === undefined ? null : (parseSource(amount.from) ?? raise(`counters.${name}.amount.from`)),
              otherwise: Math.round(amount.default * THOUSANDTHS),
              reported: amount.reported ?? null,
            },
      thresholds: byCounter.get(name) ?? [],
    };
    return { plan, routes: routes === undefined ? null : new Set(routes) };
  });
  if (shown.length === 0 && compiled.length === 0) return { of: () => undefined, limits: shown };

  const entities = Object.fromEntries(Object.entries(thresholds).filter(([, list]) => list.length > 0));
  const plans = new Map<string, RatePlan>();
  return {
    limits: shown,
    of(routeId) {
      const known = plans.get(routeId);
      if (known !== undefined) return known;
      const plan = {
        thresholds: entities,
        counters: compiled.filter(({ routes }) => routes === null || routes.has(routeId)).map((one) => one.plan),
      };
      plans.set(routeId, plan);
      return plan;
    },
  };
}

function parse(limits: JsonObject): z.infer<typeof RateData> {
  const parsed = RateData.safeParse(limits);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new CountersignError('bundle_data_invalid', { field: fieldOf(issue?.path.join('.') ?? ''), detail: issue?.message ?? '' });
  }
  if (Object.keys(parsed.data.counters).length > COUNTERS_MAX) throw invalid('counters', `more than ${COUNTERS_MAX}`);
  if (Object.keys(parsed.data.rate_limits).length > LIMITS_MAX) throw invalid('rate_limits', `more than ${LIMITS_MAX}`);
  return parsed.data;
}

const POINTER = /^(\/([^~/]|~[01])*)+$/;

/** `client`, `claim:sub`, `json:/payment/account`; null where it is none of the closed list. */
export function parseSource(text: string): RequestSource | null {
  const plain = PLAIN_SOURCES.find((one) => one === text);
  if (plain !== undefined) return { from: plain };
  const colon = text.indexOf(':');
  const [kind, rest] = [text.slice(0, colon), text.slice(colon + 1)];
  const named = NAMED_SOURCES.find((one) => one === kind);
  if (named !== undefined && rest !== '') return { from: named, name: named === 'header' ? rest.toLowerCase() : rest };
  const pointed = POINTER_SOURCES.find((one) => one === kind);
  if (pointed === undefined || !POINTER.test(rest)) return null;
  const path = rest
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return { from: pointed, path };
}

const fieldOf = (path: string): string => `countersign.limits.${path}`;

function invalid(path: string, detail = ''): CountersignError {
  return new CountersignError('bundle_data_invalid', { field: fieldOf(path), detail });
}

function raise(path: string): never {
  throw invalid(path);
}

import { createHash } from 'node:crypto';
import type { Identity } from '../contract/identity.ts';
import type { CounterSums } from '../contract/rate-details.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { Route } from '../contract/route.ts';
import type { RateCode, RateValue, Signal, WindowCounts } from '../contract/signals.ts';
import type { CounterAnswer, EntityCounts, WindowAnswer, WindowKeys } from '../stores/windows.ts';
import type { ClientAddress } from './client-address.ts';
import { AMOUNT_SCALE, type PlannedHits, planHits } from './counters.ts';
import { countedPrefix } from './ip-address.ts';

export type RateSignal = Signal<RateValue, RateCode>;

const PLAIN_KEY = /^[0-9A-Za-z._:@/+=-]{1,64}$/;

/**
 * What a request is counted under. Only verified evidence makes a client or token key: an asserted client, or a token that was
 * refused, could name anybody. An address is counted by its prefix (/32, IPv6 /64); where the chain of addresses broke, under the
 * last hop that is known, so that a client cannot leave the counters by breaking its own chain.
 */
export function windowKeys(identity: Identity, route: Route, client: ClientAddress): WindowKeys {
  const { subject, tokenKey, signals } = identity;
  return {
    client: subject.asserted || subject.client === null ? null : boundedKey(subject.client),
    address: countedAddress(client),
    token: tokenKey === null ? null : boundedKey(tokenKey),
    route: route.status === 'none' ? null : boundedKey(`${route.catalogue}/${route.id}`),
    api_key: signals.apiKey.status === 'present' ? boundedKey(signals.apiKey.value.id) : null,
  };
}

/** The prefix that pays for a request, or null where nothing is known of its address. */
export function countedAddress(client: ClientAddress): string | null {
  const address = client.address ?? ('nearest' in client ? client.nearest : null);
  return address === null ? null : countedPrefix(address);
}

/** A key of at most 71 plain characters: identifiers are foreign, and a store must not grow or be steered by their length or text. */
export function boundedKey(text: string): string {
  // the hash is longer than any plain key, so no identifier can be chosen to fall on another's hash
  return PLAIN_KEY.test(text) ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** What is counted for one request, and what was odd about it. */
export type RateQuestion = {
  readonly keys: WindowKeys;
  /** Null where the policy names no counter for this route. */
  readonly planned: PlannedHits | null;
  readonly flags: readonly string[];
};

/** A counter that takes amounts of a unit afterwards, under the key that the request itself had. */
export type ReportableCost = { readonly unit: string; readonly counter: string; readonly key: string };

const NO_COSTS: readonly ReportableCost[] = [];

/** The counters of a route that what a request has cost is added to, once that is reported. */
export function reportableCosts(
  request: DecisionRequest,
  identity: Identity,
  route: Route,
  address: string | null,
): readonly ReportableCost[] {
  const plans = route.rate?.counters.filter(({ amount }) => amount.reported !== null) ?? [];
  if (plans.length === 0) return NO_COSTS;
  const { hits, names } = planHits(plans, { request, identity, route, address });
  return hits.map(({ counter, key }, at) => ({ unit: plans.find(({ name }) => name === names[at])?.amount.reported ?? '', counter, key }));
}

const NO_FLAGS: readonly string[] = [];
const KEY_CHARS_MAX = 1024;

/** All that a request is counted under: its entities, and the counters that its policy names for its route. */
export function rateQuestion(request: DecisionRequest, identity: Identity, route: Route, client: ClientAddress): RateQuestion {
  const entities = windowKeys(identity, route, client);
  const long = (identity.subject.client?.length ?? 0) > KEY_CHARS_MAX ? ['client.key_long'] : NO_FLAGS;
  const { rate } = route;
  if (rate === undefined) return { keys: entities, planned: null, flags: long };
  const { thresholds, counters } = rate;
  if (counters.length === 0) return { keys: { ...entities, thresholds }, planned: null, flags: long };
  const planned = planHits(counters, { request, identity, route, address: entities.address });
  return {
    keys: { ...entities, thresholds, counters: planned.hits },
    planned,
    flags: long.length === 0 ? planned.flags : [...long, ...planned.flags],
  };
}

/**
 * The store's answer as the signal: `unavailable` where nothing could be counted, `present` with `degraded` and null for what
 * could not be.
 */
export function describeRate(answer: WindowAnswer, pep: DecisionRequest['pepRate'], asked?: RateQuestion): RateSignal {
  const { client, address, token, route, historyLost } = answer;
  const apiKey = answer.api_key ?? null;
  const failed: string[] = [];
  let counted = 0;
  let failure: RateCode | null = null;
  const judge = (name: string, counts: EntityCounts): void => {
    if (typeof counts !== 'string') counted += counts === null ? 0 : 1;
    else {
      failed.push(name);
      if (failure !== 'store_unavailable') failure = counts;
    }
  };
  judge('client', client);
  judge('address', address);
  judge('token', token);
  judge('route', route);
  judge('api_key', apiKey);
  const named = asked?.planned == null ? null : countersOf(asked.planned, answer.counters ?? [], judge);
  if (failure !== null && counted === 0) return { status: 'unavailable', code: failure };
  const { resets } = answer;
  return {
    status: 'present',
    value: {
      client: known(client),
      address: known(address),
      token: known(token),
      route: known(route),
      ...(apiKey === null ? {} : { apiKey: known(apiKey) }),
      ...(named === null ? {} : { counters: named, dayLost: answer.dayLost ?? true }),
      ...(resets === undefined ? {} : { resets: secondsOf(resets) }),
      ...(failed.length === 0 ? {} : { failed }),
      ...(asked === undefined || asked.flags.length === 0 ? {} : { flags: asked.flags }),
      degraded: failure !== null,
      historyLost,
      pep,
    },
  };
}

function countersOf(
  { names, missing }: PlannedHits,
  answers: readonly CounterAnswer[],
  judge: (name: string, counts: CounterAnswer) => void,
): Record<string, CounterSums | null> {
  const counters: Record<string, CounterSums | null> = {};
  for (const [index, name] of names.entries()) {
    const sums = answers[index] ?? 'store_unavailable';
    judge(name, sums);
    counters[name] = typeof sums === 'string' ? null : inUnits(sums);
  }
  for (const name of missing) counters[name] = null;
  return counters;
}

/** Thousandths as the unit's own number: the double that is nearest to it, which is also what a policy's `0.3` is. */
function inUnits(sums: CounterSums): CounterSums {
  const { '10s': tenSeconds, '1m': minute, '10m': tenMinutes, '1h': hour, '1d': day } = sums;
  return {
    '10s': tenSeconds / AMOUNT_SCALE,
    '1m': minute / AMOUNT_SCALE,
    '10m': tenMinutes / AMOUNT_SCALE,
    '1h': hour / AMOUNT_SCALE,
    '1d': day / AMOUNT_SCALE,
  };
}

function secondsOf(resets: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(resets).map(([name, afterMs]) => [name, Math.max(1, Math.ceil(afterMs / 1000))]));
}

function known(counts: EntityCounts): WindowCounts | null {
  return typeof counts === 'string' ? null : counts;
}

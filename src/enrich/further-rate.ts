import type { Identity } from '../contract/identity.ts';
import type { CounterPlan, RequestSource } from '../contract/rate-plan.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { Route } from '../contract/route.ts';
import type { EnrichmentSignals, RateValue } from '../contract/signals.ts';
import type { Awaitable } from '../contract/stages.ts';
import type { WindowAnswer, WindowStore } from '../stores/windows.ts';
import type { ClientAddress } from './client-address.ts';
import { type PlannedHits, planHits } from './counters.ts';
import { countedAddress, describeRate, type RateSignal, rateQuestion } from './rate.ts';

/** Parts of a question that items of one batch have each for themselves; all others are of the call, and the same for every item. */
const OF_ITEMS: ReadonlySet<RequestSource['from']> = new Set<RequestSource['from']>(['action', 'resource_type', 'resource_id', 'context']);

/** What a further item of a batch is counted by. */
export type FurtherQuestion = {
  readonly request: DecisionRequest;
  readonly identity: Identity;
  readonly route: Route;
  readonly client: ClientAddress;
  readonly budgetMs: number;
};

const ENTITIES = ['client', 'address', 'token', 'route', 'api_key'] as const;
const NOBODY = { client: null, address: null, token: null, route: null };
/** Nothing was asked of the store. */
const NOTHING: WindowAnswer = { ...NOBODY, historyLost: false, dayLost: false };

/**
 * Counts a further item of a batch under the named counters whose key or amount is the item's own, and under nothing else: the rest was
 * counted with the first item. @returns `before`, which may be another item's, with these counters replaced; itself where the route has none
 */
export function countFurther(windows: WindowStore, question: FurtherQuestion, before: EnrichmentSignals): Awaitable<EnrichmentSignals> {
  const { request, identity, route, client, budgetMs } = question;
  const plans = route.rate?.counters.filter(isOfItems) ?? [];
  if (plans.length === 0) return before;
  const planned = planHits(plans, { request, identity, route, address: countedAddress(client) });
  const join = (answer: WindowAnswer): EnrichmentSignals => ({
    ...before,
    rate: joined(question, before.rate, { plans, planned, answer }),
  });
  if (planned.hits.length === 0) return join(NOTHING);
  const answer = windows.count({ ...NOBODY, counters: planned.hits }, request.receivedAtMs, budgetMs);
  return answer instanceof Promise ? answer.then(join) : join(answer);
}

function isOfItems({ key, amount }: CounterPlan): boolean {
  return key.some(({ from }) => OF_ITEMS.has(from)) || (amount.from !== null && OF_ITEMS.has(amount.from.from));
}

type Further = { readonly plans: readonly CounterPlan[]; readonly planned: PlannedHits; readonly answer: WindowAnswer };

function joined(question: FurtherQuestion, before: RateSignal, { plans, planned, answer }: Further): RateSignal {
  const { flags } = planned;
  const counted = describeRate(answer, null, { keys: NOBODY, planned, flags });
  const own = counted.status === 'present' ? counted.value : { counters: nullsOf(planned), failed: planned.names, flags };
  const { resets: oldResets, failed: oldFailed, flags: oldFlags, ...base } = before.status === 'present' ? before.value : lost(question);
  const names = new Set(plans.map(({ name }) => name));
  const limits = new Set(plans.flatMap(({ thresholds }) => thresholds.map(({ name }) => name)));

  const counters = { ...base.counters, ...own.counters };
  const failed = [...(oldFailed ?? []).filter((name) => !names.has(name)), ...(own.failed ?? [])];
  const kept = (oldFlags ?? []).filter((flag) => !names.has(flag.slice(0, flag.lastIndexOf('.'))));
  const allFlags = [...kept, ...(own.flags ?? [])];
  const others = Object.entries(oldResets ?? {}).filter(([name]) => !limits.has(name));
  const resets = { ...Object.fromEntries(others), ...('resets' in own ? own.resets : {}) };

  const known = [base.client, base.address, base.token, base.route, base.apiKey ?? null, ...Object.values(counters)];
  if (failed.length > 0 && known.every((counts) => counts === null)) {
    if (counted.status !== 'present') return counted;
    if (before.status !== 'present') return before;
  }
  return {
    status: 'present',
    value: {
      ...base,
      counters,
      dayLost: (base.dayLost ?? false) || (answer.dayLost ?? true),
      historyLost: base.historyLost || answer.historyLost,
      ...(Object.keys(resets).length === 0 ? {} : { resets }),
      ...(failed.length === 0 ? {} : { failed }),
      ...(allFlags.length === 0 ? {} : { flags: allFlags }),
      degraded: failed.length > 0,
    },
  };
}

/** What is known where the store could not count the first item: nothing of all that it was asked. */
function lost({ request, identity, route, client }: FurtherQuestion): RateValue {
  const { keys, planned, flags } = rateQuestion(request, identity, route, client);
  const failed: string[] = ENTITIES.filter((entity) => (keys[entity] ?? null) !== null);
  return {
    ...NOBODY,
    ...(planned === null ? {} : { counters: nullsOf(planned) }),
    failed: [...failed, ...(planned?.names ?? [])],
    flags,
    degraded: true,
    historyLost: true,
    pep: request.pepRate,
  };
}

function nullsOf({ names, missing }: PlannedHits): Record<string, null> {
  return Object.fromEntries([...names, ...missing].map((name) => [name, null]));
}

import type { CircuitBreaker } from '../circuit-breaker.ts';
import type { SimulatedWindows } from '../memory-windows.ts';
import type { StoreLogger } from '../store-logger.ts';
import {
  COUNTER_WINDOW_NAMES,
  type CounterAnswer,
  type CounterHit,
  DAY_MS,
  ENTITIES,
  type Entity,
  type EntityCounts,
  LONGEST_WINDOW_MS,
  type Threshold,
  WINDOW_NAMES,
  type WindowAnswer,
  type WindowKeys,
  type WindowStore,
} from '../windows.ts';
import type { RedisClient, RedisCommand, RedisReply } from './client.ts';
import { onCopy, onlyOfCopies, scriptTexts } from './on-copy.ts';
import type { RedisRound, RoundPart } from './round.ts';
import { readResets, toCounts, toSums } from './windows-reply.ts';
import { COUNTERS_SCRIPT, COUNTERS_SCRIPT_SHA, WINDOWS_SCRIPT, WINDOWS_SCRIPT_SHA } from './windows-script.ts';

export type RedisWindowsOptions = {
  readonly client: RedisClient;
  readonly round: RedisRound;
  readonly breaker: CircuitBreaker;
  readonly deadlineMs: number;
  readonly keyPrefix: string;
  readonly logger: StoreLogger;
};

/** Requests that wait for an answer; with a deadline of 25 ms more than this means that Redis or we are beyond help. */
const WAITING_MAX = 4096;
const TAGS: Readonly<Record<Entity, string>> = { client: 'c', address: 'a', token: 't', route: 'r', api_key: 'k' };

type Waiting = {
  /** Counts on copies that are gone at once, and leaves everything as it is. */
  readonly simulated: boolean;
  readonly keys: WindowKeys;
  readonly nowMs: number;
  readonly settle: (answer: WindowAnswer) => void;
  /** Answers without the store; its reply is still waited for, so that what is under way stays bounded. */
  readonly giveUp: () => void;
};

/** All that goes out in one round; the places of the markers by their keys, and of what is asked of copies. */
type Batch = { readonly commands: RedisCommand[]; readonly markers: Map<string, number>; readonly copied: number[] };
/** Places of a request's replies in the batch: one an entity in the order of `ENTITIES`, one a counter in the order asked. */
type Plan = { readonly places: readonly (number | null)[]; readonly counters: readonly number[]; readonly markers: readonly number[] };
const SCRIPTS = scriptTexts([WINDOWS_SCRIPT, COUNTERS_SCRIPT]);
const NOTHING: Plan = { places: [], counters: [], markers: [] };
const NOBODY: WindowKeys = { client: null, address: null, token: null, route: null };
const NO_THRESHOLDS: readonly Threshold[] = [];

/**
 * Sliding windows in Redis, shared by all replicas: one script call an entity, each with the entity's hash tag, and all calls of
 * the requests that are being read in this turn of the event loop in one write. A failed call marks its entity only.
 */
export function createRedisWindows({ client, round, breaker, deadlineMs, keyPrefix, logger }: RedisWindowsOptions): SimulatedWindows {
  let gathered: Waiting[] = [];
  let waiting = 0;
  let refused: string | null = null;

  /** The calls of everybody who has gathered; settles each of them whatever happens. */
  function gather(): RoundPart {
    const requests = gathered;
    gathered = [];
    const batch: Batch = { commands: [], markers: new Map(), copied: [] };
    let plans: readonly Plan[] = [];
    return {
      commands() {
        plans = requests.map((request) => plan(request, batch));
        return batch.commands;
      },
      settle(replies) {
        judge(replies);
        const known = onlyOfCopies(replies, batch.copied);
        for (const [index, { keys, nowMs, settle }] of requests.entries()) settle(answerOf(keys, nowMs, plans[index] ?? NOTHING, known));
      },
      giveUp() {
        for (const { giveUp } of requests) giveUp();
      },
      fail(error) {
        breaker.failed();
        logger.warn('store_unavailable', { store: 'redis', error });
        for (const { keys, settle } of requests) settle(unavailable(keys));
      },
    };
  }

  /** Puts a request's calls into the batch, and for each server that they go to one look at its marker. */
  function plan({ keys, nowMs, simulated }: Waiting, { commands, markers, copied }: Batch): Plan {
    const asked: number[] = [];
    const now = Math.floor(nowMs);
    const call = (key: string, sha: string, amount: number, thresholds: readonly Threshold[]): number => {
      // the marker tells since when windows are kept on a server: set by whoever finds it gone, after a restart or a flush
      const marker = `${keyPrefix}:{${client.shardTag(key)}}`;
      let place = markers.get(marker);
      if (place === undefined) {
        place = commands.push({ key: marker, words: simulated ? ['GET', marker] : ['SET', marker, now, 'NX', 'GET'] }) - 1;
        if (!simulated) markers.set(marker, place);
      }
      if (!asked.includes(place)) asked.push(place);
      const commandOf = (counted: string): RedisCommand => {
        const words: [string, ...(string | number)[]] = ['EVALSHA', sha, 1, counted, now, amount];
        for (const { window, limit } of thresholds) words.push(window + 1, limit);
        return { key, words };
      };
      if (!simulated) return commands.push(commandOf(key)) - 1;
      const at = commands.push(...onCopy(key, commandOf, SCRIPTS)) - 2;
      copied.push(at);
      return at;
    };
    const places = ENTITIES.map((entity) => {
      const name = keys[entity] ?? null;
      if (name === null) return null;
      return call(`${keyPrefix}:{${TAGS[entity]}:${name}}`, WINDOWS_SCRIPT_SHA, 1, keys.thresholds?.[entity] ?? NO_THRESHOLDS);
    });
    const counters = (keys.counters ?? []).map(({ counter, key, amount, thresholds }) =>
      call(`${keyPrefix}:{n:${counter}:${key}}`, COUNTERS_SCRIPT_SHA, amount, thresholds),
    );
    return { places, counters, markers: asked };
  }

  /** One good reply shows that the server answers; a bad one is told in the status. */
  function judge(replies: readonly RedisReply[]): void {
    refused = null;
    let answered = false;
    for (const reply of replies) {
      if (reply.ok) answered = true;
      else refused = reply.error;
    }
    if (answered) breaker.succeeded();
    else breaker.failed();
  }

  function ask(keys: WindowKeys, nowMs: number, budgetMs: number, simulated: boolean): WindowAnswer | Promise<WindowAnswer> {
    if (!client.ready || waiting >= WAITING_MAX || budgetMs <= 0 || !breaker.allows()) return unavailable(keys);
    waiting += 1;
    return new Promise<WindowAnswer>((resolve) => {
      let timer: NodeJS.Timeout | null = null;
      const settle = (answer: WindowAnswer) => {
        if (timer !== null) clearTimeout(timer);
        waiting -= 1;
        resolve(answer);
      };
      const giveUp = () => resolve(unavailable(keys));
      // the round's own deadline covers the usual case without a timer a request
      if (budgetMs < deadlineMs) timer = setTimeout(giveUp, budgetMs);
      if (gathered.length === 0) round.join(gather);
      gathered.push({ simulated, keys, nowMs, settle, giveUp });
    });
  }

  const count: WindowStore['count'] = (keys, nowMs, budgetMs) => ask(keys, nowMs, budgetMs, false);
  const store: WindowStore = {
    count,
    add(hits, nowMs, budgetMs) {
      const failed = hits.map(() => 'store_unavailable' as const);
      const answer = count({ ...NOBODY, counters: hits }, nowMs, budgetMs);
      return answer instanceof Promise ? answer.then(({ counters }) => counters ?? failed) : (answer.counters ?? failed);
    },
    status: () => ({
      kind: 'redis',
      state: client.ready && !breaker.open ? 'ready' : 'unavailable',
      entries: null,
      lastError: client.lastError ?? refused,
    }),
    // the client belongs to whoever made it
    close: () => Promise.resolve(),
  };
  const simulated: WindowStore = {
    ...store,
    count: (keys, nowMs, budgetMs) => ask(keys, nowMs, budgetMs, true),
    add: (hits) => hits.map(() => 'store_unavailable'),
  };
  return { ...store, simulated };
}

/** The answer to one request out of the replies to all. */
function answerOf(keys: WindowKeys, nowMs: number, plan: Plan, replies: readonly RedisReply[]): WindowAnswer {
  const { places, counters, markers } = plan;
  const counted = places.map((place): EntityCounts => (place === null ? null : toCounts(replies[place])));
  const [client = null, address = null, token = null, route = null, api_key = null] = counted;
  const missedMs = (windowMs: number) => markers.some((place) => keptMs(replies[place], nowMs) < windowMs);
  const answer = { client, address, token, route, api_key, historyLost: missedMs(LONGEST_WINDOW_MS) };
  const { thresholds, counters: hits } = keys;
  if (thresholds === undefined && hits === undefined) return answer;
  const resets: Record<string, number> = {};
  for (const [index, entity] of ENTITIES.entries())
    readResets(replies[places[index] ?? -1], WINDOW_NAMES.length, thresholds?.[entity] ?? NO_THRESHOLDS, resets);
  for (const [index, hit] of (hits ?? []).entries())
    readResets(replies[counters[index] ?? -1], COUNTER_WINDOW_NAMES.length, hit.thresholds, resets);
  const told = Object.keys(resets).length === 0 ? answer : { ...answer, resets };
  return hits === undefined ? told : { ...told, counters: counters.map((place) => toSums(replies[place])), dayLost: missedMs(DAY_MS) };
}

/** For how long windows have been kept, by the marker's answer: null in it where it was set just now, else unix milliseconds since when. */
function keptMs(started: RedisReply | undefined, nowMs: number): number {
  if (started?.ok !== true || typeof started.value !== 'string') return 0;
  const sinceMs = Number(started.value);
  return Number.isFinite(sinceMs) ? nowMs - sinceMs : 0;
}

function unavailable(keys: WindowKeys): WindowAnswer {
  const failed = (entity: Entity): EntityCounts => ((keys[entity] ?? null) === null ? null : 'store_unavailable');
  const entities = { client: failed('client'), address: failed('address'), token: failed('token'), route: failed('route') };
  const answer = { ...entities, api_key: failed('api_key'), historyLost: true };
  const { counters } = keys;
  if (counters === undefined) return answer;
  return { ...answer, counters: counters.map((_hit: CounterHit): CounterAnswer => 'store_unavailable'), dayLost: true };
}

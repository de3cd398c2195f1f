import type { CircuitBreaker } from '../circuit-breaker.ts';
import type { StoreLogger } from '../store-logger.ts';
import {
  type Counts,
  ENTITIES,
  type Entity,
  type EntityCounts,
  LONGEST_WINDOW_MS,
  type WindowAnswer,
  type WindowKeys,
  type WindowStore,
} from '../windows.ts';
import type { RedisClient, RedisCommand, RedisReply } from './client.ts';
import { WINDOWS_SCRIPT_SHA } from './windows-script.ts';

export type RedisWindowsOptions = {
  readonly client: RedisClient;
  readonly breaker: CircuitBreaker;
  readonly deadlineMs: number;
  readonly keyPrefix: string;
  readonly logger: StoreLogger;
};

/** Requests that wait for an answer; with a deadline of 25 ms more than this means that Redis or we are beyond help. */
const WAITING_MAX = 4096;
const TAGS: Readonly<Record<Entity, string>> = { client: 'c', address: 'a', token: 't', route: 'r' };

type Waiting = {
  readonly keys: WindowKeys;
  readonly nowMs: number;
  readonly settle: (answer: WindowAnswer) => void;
};

/** All that goes out in one round; the places of the markers by their keys. */
type Batch = { readonly commands: RedisCommand[]; readonly markers: Map<string, number> };
/** Places of a request's replies in the batch, one an entity in the order of `ENTITIES`. */
type Plan = { readonly places: readonly (number | null)[]; readonly markers: readonly number[] };
const NOTHING: Plan = { places: [], markers: [] };

/**
 * Sliding windows in Redis, shared by all replicas: one script call an entity, each with the entity's hash tag, and all calls of
 * the requests that are being read in this turn of the event loop in one write. A failed call marks its entity only.
 */
export function createRedisWindows({ client, breaker, deadlineMs, keyPrefix, logger }: RedisWindowsOptions): WindowStore {
  let gathered: Waiting[] = [];
  let waiting = 0;
  let refused: string | null = null;

  /** Asks for everybody who has gathered, and settles each of them whatever happens. */
  async function flush(): Promise<void> {
    const requests = gathered;
    gathered = [];
    try {
      await ask(requests);
    } catch (thrown) {
      breaker.failed();
      logger.warn('store_unavailable', { store: 'redis', error: thrown instanceof Error ? thrown.message : String(thrown) });
      for (const { keys, settle } of requests) settle(unavailable(keys));
    }
  }

  async function ask(requests: readonly Waiting[]): Promise<void> {
    const batch: Batch = { commands: [], markers: new Map() };
    const plans = requests.map((request) => plan(request, batch));
    const replies = await client.send(batch.commands);
    judge(replies);
    for (const [index, { nowMs, settle }] of requests.entries()) {
      const { places, markers } = plans[index] ?? NOTHING;
      const [c, a, t, r] = places.map((place) => (place === null ? null : toCounts(replies[place])));
      const lost = markers.some((place) => historyLost(replies[place], nowMs));
      settle({ client: c ?? null, address: a ?? null, token: t ?? null, route: r ?? null, historyLost: lost });
    }
  }

  /** Puts a request's calls into the batch, and for each server that they go to one look at its marker. */
  function plan({ keys, nowMs }: Waiting, { commands, markers }: Batch): Plan {
    const asked: number[] = [];
    const places = ENTITIES.map((entity) => {
      const name = keys[entity];
      if (name === null) return null;
      const key = `${keyPrefix}:{${TAGS[entity]}:${name}}`;
      // the marker tells since when windows are kept on a server: set by whoever finds it gone, after a restart or a flush
      const marker = `${keyPrefix}:{${client.shardTag(key)}}`;
      let place = markers.get(marker);
      if (place === undefined) {
        place = commands.push({ key: marker, words: ['SET', marker, Math.floor(nowMs), 'NX', 'GET'] }) - 1;
        markers.set(marker, place);
      }
      if (!asked.includes(place)) asked.push(place);
      return commands.push({ key, words: ['EVALSHA', WINDOWS_SCRIPT_SHA, 1, key, Math.floor(nowMs)] }) - 1;
    });
    return { places, markers: asked };
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

  return {
    count(keys, nowMs, budgetMs) {
      if (!client.ready || waiting >= WAITING_MAX || budgetMs <= 0 || !breaker.allows()) return unavailable(keys);
      waiting += 1;
      return new Promise<WindowAnswer>((resolve) => {
        let timer: NodeJS.Timeout | null = null;
        const settle = (answer: WindowAnswer) => {
          if (timer !== null) clearTimeout(timer);
          waiting -= 1;
          resolve(answer);
        };
        // the client's own command timeout covers the usual case without a timer a request
        if (budgetMs < deadlineMs) timer = setTimeout(() => resolve(unavailable(keys)), budgetMs);
        if (gathered.length === 0) setImmediate(() => void flush());
        gathered.push({ keys, nowMs, settle });
      });
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
}

/** The marker's answer: null where it was set just now, else the unix milliseconds since when windows are kept. */
function historyLost(started: RedisReply | undefined, nowMs: number): boolean {
  if (started?.ok !== true || typeof started.value !== 'string') return true;
  const sinceMs = Number(started.value);
  return !Number.isFinite(sinceMs) || nowMs - sinceMs < LONGEST_WINDOW_MS;
}

function toCounts(reply: RedisReply | undefined): EntityCounts {
  if (reply?.ok !== true || !Array.isArray(reply.value)) return 'store_unavailable';
  const [tenSeconds, minute, tenMinutes, hour]: unknown[] = reply.value;
  if (!isCount(tenSeconds) || !isCount(minute) || !isCount(tenMinutes) || !isCount(hour)) return 'store_unavailable';
  return { '10s': tenSeconds, '1m': minute, '10m': tenMinutes, '1h': hour } satisfies Counts;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function unavailable(keys: WindowKeys): WindowAnswer {
  const failed = (entity: Entity): EntityCounts => (keys[entity] === null ? null : 'store_unavailable');
  return { client: failed('client'), address: failed('address'), token: failed('token'), route: failed('route'), historyLost: true };
}

import type { CircuitBreaker } from './circuit-breaker.ts';
import type { RedisClient, RedisReply } from './redis-client.ts';
import { WINDOWS_SCRIPT, WINDOWS_SCRIPT_SHA } from './redis-windows-script.ts';
import type { StoreLogger } from './store-logger.ts';
import {
  type Counts,
  ENTITIES,
  type Entity,
  type EntityCounts,
  LONGEST_WINDOW_MS,
  type WindowAnswer,
  type WindowKeys,
  type WindowStore,
} from './windows.ts';

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

type Command = readonly [string, ...(string | number)[]];
type Waiting = {
  readonly keys: WindowKeys;
  readonly nowMs: number;
  readonly settle: (answer: WindowAnswer) => void;
};

/**
 * Sliding windows in Redis, shared by all replicas: one script call an entity, each with the entity's hash tag, and all calls of
 * the requests that are being read in this turn of the event loop in one write. A failed call marks its entity only.
 */
export function createRedisWindows({ client, breaker, deadlineMs, keyPrefix, logger }: RedisWindowsOptions): WindowStore {
  const marker = `${keyPrefix}:{started}`;
  let gathered: Waiting[] = [];
  let waiting = 0;
  let refused: string | null = null;

  const append = (commands: Command[], { keys, nowMs }: Waiting): void => {
    for (const entity of ENTITIES) {
      const key = keys[entity];
      if (key === null) continue;
      commands.push(['EVALSHA', WINDOWS_SCRIPT_SHA, 1, `${keyPrefix}:{${TAGS[entity]}:${key}}`, Math.floor(nowMs)]);
    }
  };

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
    const [first] = requests;
    if (first === undefined) return;
    // the marker tells since when windows are kept here: set by whoever finds it gone, after a restart or a flush
    const commands: Command[] = [['SET', marker, Math.floor(first.nowMs), 'NX', 'GET']];
    for (const request of requests) append(commands, request);
    const replies = await sendScripts(client, commands);
    judge(replies);

    const [started] = replies;
    let at = 1;
    const next = () => replies[at++];
    for (const { keys, nowMs, settle } of requests) {
      const lost = historyLost(started, nowMs);
      const [c, a, t, r] = ENTITIES.map((entity) => (keys[entity] === null ? null : toCounts(next())));
      settle({ client: c ?? null, address: a ?? null, token: t ?? null, route: r ?? null, historyLost: lost });
    }
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

/** Sends script calls by their hash; where the server does not know it (SCRIPT FLUSH, a restart) loads the script and sends those again. */
async function sendScripts(client: RedisClient, commands: readonly Command[]): Promise<readonly RedisReply[]> {
  const replies = await client.send(commands);
  const unknown = new Set<number>();
  for (const [index, reply] of replies.entries()) if (!reply.ok && reply.error.startsWith('NOSCRIPT')) unknown.add(index);
  if (unknown.size === 0) return replies;
  // a call that met no script has counted nothing, so sending it again counts once
  const repeated = commands.filter((_, index) => unknown.has(index));
  const [, ...again] = await client.send([['SCRIPT', 'LOAD', WINDOWS_SCRIPT], ...repeated]);
  let at = 0;
  return replies.map((reply, index) => (unknown.has(index) ? (again[at++] ?? reply) : reply));
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

import type { CircuitBreaker } from '../circuit-breaker.ts';
import type { ReplayAnswer, ReplayMemory, SimulatedReplays } from '../replay-memory.ts';
import type { StoreLogger } from '../store-logger.ts';
import type { RedisClient, RedisCommand, RedisReply } from './client.ts';

export type RedisReplaysOptions = {
  readonly client: RedisClient;
  readonly breaker: CircuitBreaker;
  readonly deadlineMs: number;
  readonly keyPrefix: string;
  readonly logger: StoreLogger;
};

/** What an answer may take beyond the deadline of a command, as for the windows. */
const ROUNDS_MS = 10;
/** Requests that wait for an answer, as for the windows. */
const WAITING_MAX = 4096;
/** A key is kept for longer than it may be used by the clock of the replica that set it: another replica's clock may be behind. */
const MARGIN_MS = 60_000;

type Waiting = {
  readonly key: string;
  readonly lifeMs: number | null;
  readonly settle: (answer: ReplayAnswer) => void;
  readonly giveUp: () => void;
};

/**
 * A replay memory in Redis, shared by all replicas: one `SET NX PX` a key, which asks and remembers in one step, and those of one turn of
 * the event loop in one write. It outlives this process; a server that lost its data forgets what was used, as any store does.
 */
export function createRedisReplays({ client, breaker, deadlineMs, keyPrefix, logger }: RedisReplaysOptions): SimulatedReplays {
  let gathered: Waiting[] = [];
  let waiting = 0;
  let refused: string | null = null;

  async function flush(): Promise<void> {
    const requests = gathered;
    gathered = [];
    const timer = setTimeout(() => {
      for (const { giveUp } of requests) giveUp();
    }, deadlineMs + ROUNDS_MS);
    try {
      const replies = await client.send(requests.map(({ key, lifeMs }) => remembering(`${keyPrefix}:{u:${key}}`, lifeMs)));
      judge(replies);
      for (const [index, { settle }] of requests.entries()) settle(toAnswer(replies[index]));
    } catch (thrown) {
      breaker.failed();
      logger.warn('store_unavailable', { store: 'redis', error: thrown instanceof Error ? thrown.message : String(thrown) });
      for (const { settle } of requests) settle('store_unavailable');
    } finally {
      clearTimeout(timer);
    }
  }

  /** One good reply shows that the server answers; a bad one is told in the status. */
  function judge(replies: readonly RedisReply[]): void {
    refused = null;
    for (const reply of replies) if (!reply.ok) refused = reply.error;
    if (replies.some((reply) => reply.ok)) breaker.succeeded();
    else breaker.failed();
  }

  /** @param lifeMs null asks and remembers nothing */
  function ask(key: string, lifeMs: number | null, budgetMs: number): ReplayAnswer | Promise<ReplayAnswer> {
    if (!client.ready || waiting >= WAITING_MAX || budgetMs <= 0 || !breaker.allows()) return 'store_unavailable';
    waiting += 1;
    return new Promise<ReplayAnswer>((resolve) => {
      let timer: NodeJS.Timeout | null = null;
      const settle = (answer: ReplayAnswer) => {
        if (timer !== null) clearTimeout(timer);
        waiting -= 1;
        resolve(answer);
      };
      const giveUp = () => resolve('store_unavailable');
      // the round's own deadline covers the usual case without a timer a request
      if (budgetMs < deadlineMs) timer = setTimeout(giveUp, budgetMs);
      if (gathered.length === 0) setImmediate(() => void flush());
      gathered.push({ key, lifeMs, settle, giveUp });
    });
  }

  const memory: ReplayMemory = {
    sinceMs: null,
    remember: (key, nowMs, untilMs, budgetMs) => ask(key, Math.max(1, Math.ceil(untilMs - nowMs)) + MARGIN_MS, budgetMs),
    status: () => ({
      kind: 'redis',
      state: client.ready && !breaker.open ? 'ready' : 'unavailable',
      entries: null,
      lastError: client.lastError ?? refused,
    }),
    // the client belongs to whoever made it
    close: () => Promise.resolve(),
  };
  return { ...memory, simulated: { ...memory, remember: (key, _nowMs, _untilMs, budgetMs) => ask(key, null, budgetMs) } };
}

function remembering(key: string, lifeMs: number | null): RedisCommand {
  if (lifeMs === null) return { key, words: ['EXISTS', key] };
  return { key, words: ['SET', key, 1, 'NX', 'PX', lifeMs] };
}

function toAnswer(reply: RedisReply | undefined): ReplayAnswer {
  if (reply?.ok !== true) return 'store_unavailable';
  if (reply.value === 'OK' || reply.value === 0) return 'fresh';
  if (reply.value === 1) return 'replayed';
  return reply.value === null ? 'replayed' : 'store_unavailable';
}

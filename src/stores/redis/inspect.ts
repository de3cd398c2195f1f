import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisClient } from './client.ts';
import { connectCluster } from './cluster.ts';
import { connectSingle } from './single.ts';

export type InspectOptions = {
  readonly url: string;
  readonly sentinels: readonly string[];
  readonly cluster: readonly string[] | null;
  /** To connect, and for the questions. */
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly monotonic: () => number;
};

/** What a server says of itself; the text of an error holds no credential. */
export type Inspected =
  | {
      readonly ok: true;
      readonly aheadMs: number;
      readonly tookMs: number;
      readonly version: string | null;
      readonly evicts: string | null;
    }
  | { readonly ok: false; readonly error: string };

const QUIET = { info: () => undefined, warn: () => undefined };
const LOOK_MS = 20;
/** What a few attempts say alike is not going to change. */
const CERTAIN = /ECONNREFUSED|ENOTFOUND|WRONGPASS|NOAUTH/;
const CERTAIN_MS = 500;
/** The first question pays for what is not there yet on either side. */
const QUESTIONS = 3;

/** Asks for the time and for what INFO tells, and writes nothing. Never rejects. */
export async function inspectRedis(options: InspectOptions): Promise<Inspected> {
  const { url, sentinels, cluster, timeoutMs, monotonic } = options;
  const common = { deadlineMs: timeoutMs, scripts: [], logger: QUIET };
  let client: RedisClient | null = null;
  try {
    client =
      cluster === null
        ? connectSingle({ ...common, url, sentinels })
        : connectCluster({ ...common, urls: [url, ...cluster], breaker: { failuresMax: 3, openMs: 250 }, monotonic });
    const begunMs = monotonic();
    while (!client.ready) {
      const waitedMs = monotonic() - begunMs;
      if (waitedMs > timeoutMs || (waitedMs > CERTAIN_MS && CERTAIN.test(client.lastError ?? ''))) break;
      await sleep(LOOK_MS);
    }
    if (!client.ready) return { ok: false, error: client.lastError ?? 'it did not answer in time' };
    return await ask(client, options);
  } catch {
    // only an address that cannot be read comes here, and it may hold a password
    return { ok: false, error: 'the address cannot be read' };
  } finally {
    await client?.close();
  }
}

async function ask(client: RedisClient, { now, monotonic }: InspectOptions): Promise<Inspected> {
  let tookMs = Number.POSITIVE_INFINITY;
  let aheadMs = 0;
  for (let question = 0; question < QUESTIONS; question++) {
    const askedMs = monotonic();
    const askedAtMs = now();
    const [time] = await client.send([{ key: 'doctor', words: ['TIME'] }]);
    const spentMs = monotonic() - askedMs;
    if (time === undefined || !time.ok) return { ok: false, error: time?.error ?? 'no reply' };
    const saidMs = timeOf(time.value);
    if (saidMs === null) return { ok: false, error: 'TIME was answered by something else' };
    if (spentMs >= tookMs) continue;
    tookMs = spentMs;
    aheadMs = saidMs - (askedAtMs + spentMs / 2);
  }
  // a user that may not ask for it is a sound one
  const [info] = await client.send([{ key: 'doctor', words: ['INFO'] }]);
  const text = info?.ok === true && typeof info.value === 'string' ? info.value : '';
  const member = (name: string): string | null => new RegExp(`^${name}:(\\S+)`, 'm').exec(text)?.[1] ?? null;
  return { ok: true, aheadMs, tookMs, version: member('valkey_version') ?? member('redis_version'), evicts: member('maxmemory_policy') };
}

/** Seconds and microseconds, two texts. */
function timeOf(reply: unknown): number | null {
  if (!Array.isArray(reply)) return null;
  const [seconds, micros] = reply.map(Number);
  return seconds === undefined || micros === undefined || !Number.isFinite(seconds + micros) ? null : seconds * 1000 + micros / 1000;
}

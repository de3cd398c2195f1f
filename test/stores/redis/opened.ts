import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { openRedisStores, type RedisStores, type RedisStoresOptions } from '../../../src/stores/redis/stores.ts';
import type { StoreLogger } from '../../../src/stores/store-logger.ts';

/** Stores of a test that are closed after it, once they are ready; `lines` are their log. */
export async function openReady(
  options: Pick<RedisStoresOptions, 'url'> & Partial<RedisStoresOptions>,
): Promise<RedisStores & { readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const log: StoreLogger['info'] = (event, fields) => {
    lines.push(JSON.stringify({ event, ...fields }));
  };
  const logger: StoreLogger = { info: log, warn: log };
  const stores = openRedisStores({ deadlineMs: 500, keyPrefix: 'test', monotonic: () => performance.now(), logger, ...options });
  onTestFinished(() => stores.close());
  await until(() => stores.windows.status().state === 'ready');
  return { ...stores, lines };
}

/** Asks every 10 ms; for what other processes do in their own time. */
export async function until(reached: () => boolean | Promise<boolean>, boundMs = 20_000): Promise<void> {
  const end = Date.now() + boundMs;
  while (!(await reached())) {
    if (Date.now() > end) throw new Error(`not reached within ${boundMs} ms`);
    await sleep(10);
  }
}

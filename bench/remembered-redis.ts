// What shared memory costs over one Redis on loopback: node bench/remembered-redis.ts [clients]; prints microseconds of this process and of Redis a request.

import { SHARED_SCRIPTS } from '../src/enrich/shared/shared-calls.ts';
import { createSharedClients } from '../src/enrich/shared/shared-clients.ts';
import { openRedisStores } from '../src/stores/redis/stores.ts';
import { type RedisServer, startRedis } from '../test/support/redis.ts';
import { allowedRecord, behaviourRequest, clientIdentity, placeOf } from './remembered-traffic.ts';

const CLIENTS = Number(process.argv[2] ?? 1000);
const REQUESTS = 60_000;
const IN_FLIGHT = 64;
const NOW_MS = 1_790_000_000_000;

type Asked = { readonly memory: boolean; readonly learns: boolean; readonly things: number };

/** Microseconds of CPU that the server's main thread has used. */
async function usedMicros(redis: RedisServer): Promise<number> {
  const info = await redis.command('INFO', 'cpu');
  const of = (name: string): number => Number(new RegExp(`${name}:([0-9.]+)`).exec(info)?.[1] ?? 0) * 1e6;
  return of('used_cpu_sys_main_thread') + of('used_cpu_user_main_thread');
}

async function measure(name: string, { memory, learns, things }: Asked): Promise<void> {
  const redis = await startRedis();
  const logger = { info: () => undefined, warn: () => undefined };
  const options = { url: redis.url, deadlineMs: 5000, keyPrefix: 'b', monotonic: () => performance.now(), logger };
  const stores = openRedisStores({ ...options, scripts: SHARED_SCRIPTS, hashKey: [1, 2] });
  const learning = { entriesMax: 1, learningRequests: 10, learningHours: 0 };
  const clients = createSharedClients({ behaviour: learning, device: learning }, () => null, stores.shared);
  while (stores.windows.status().state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 10));
  const network = placeOf(1, 0);

  async function one(number: number): Promise<void> {
    const client = `client-${number % CLIENTS}`;
    const request = behaviourRequest(NOW_MS + number, `/things/${((number / CLIENTS) % things) | 0}`);
    const identity = clientIdentity(client, 'absent');
    const keys = { client, address: `203.0.113.${number % 200}/32`, token: `token-${number % CLIENTS}`, route: 'default/things' };
    const counts = stores.windows.count(keys, request.receivedAtMs, 5000);
    if (memory) await clients.look(request, identity, network, keys, 5000);
    await counts;
    if (learns) clients.learn(allowedRecord(request, identity, network), client);
  }

  async function play(requests: number): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < requests) await one(next++);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  }

  await play(REQUESTS / 4);
  const [ours, theirs] = [process.cpuUsage(), await usedMicros(redis)];
  await play(REQUESTS);
  const { user, system } = process.cpuUsage(ours);
  const used = (await usedMicros(redis)) - theirs;
  const bytes = Number(/used_memory:(\d+)/.exec(await redis.command('INFO', 'memory'))?.[1] ?? 0);
  const perRequest = (micros: number): string => (micros / REQUESTS).toFixed(1).padStart(6);
  console.log(
    `${name.padEnd(60)} here ${perRequest(user + system)} µs   Redis ${perRequest(used)} µs   ${(bytes / 1e6).toFixed(0)} MB in Redis`,
  );
  await stores.close();
  await redis.stop();
}

if (process.env['ONLY'] === undefined) await measure('windows alone', { memory: false, learns: false, things: 10 });
if (process.env['ONLY'] === undefined) await measure('and device and behaviour, looked at', { memory: true, learns: false, things: 10 });
await measure('and learning from each decision', { memory: true, learns: true, things: 10 });
if (process.env['ONLY'] === undefined)
  await measure('the same, every client beyond 32 resources', { memory: true, learns: true, things: 1000 });

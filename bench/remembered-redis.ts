// What shared memory costs over one Redis on loopback: node bench/remembered-redis.ts [clients]; prints microseconds of this process and of Redis a request.

import { SHARED_SCRIPTS } from '../src/enrich/shared/shared-calls.ts';
import { createSharedClients } from '../src/enrich/shared/shared-clients.ts';
import { openRedisStores } from '../src/stores/redis/stores.ts';
import { type RedisServer, startRedis } from '../test/support/redis.ts';
import { allowedRecord, behaviourRequest, clientIdentity, placeOf } from './remembered-traffic.ts';

const CLIENTS = Number(process.argv[2] ?? 1000);
const REQUESTS = 5000;
const ROUNDS = 15;
const IN_FLIGHT = 64;
const NOW_MS = 1_790_000_000_000;

type Variant = { readonly name: string; readonly looks: boolean; readonly learns: boolean; readonly things: number };
type Spent = { readonly here: number; readonly redis: number };

const VARIANTS: readonly Variant[] = [
  { name: 'windows alone', looks: false, learns: false, things: 10 },
  { name: 'with device and behaviour', looks: true, learns: false, things: 10 },
  { name: 'and learning from each decision', looks: true, learns: true, things: 10 },
  { name: 'the same, all clients beyond 32 resources', looks: true, learns: true, things: 100_000 },
];

/** Microseconds of CPU that the server's main thread has used. */
async function usedMicros(redis: RedisServer): Promise<number> {
  const info = await redis.command('INFO', 'cpu');
  const of = (name: string): number => Number(new RegExp(`${name}:([0-9.]+)`).exec(info)?.[1] ?? 0) * 1e6;
  return of('used_cpu_sys_main_thread') + of('used_cpu_user_main_thread');
}

const redis = await startRedis();
const logger = { info: () => undefined, warn: () => undefined };
const options = { url: redis.url, deadlineMs: 5000, keyPrefix: 'b', monotonic: () => performance.now(), logger };
const stores = openRedisStores({ ...options, scripts: SHARED_SCRIPTS, hashKey: [1, 2] });
const learning = { entriesMax: 1, learningRequests: 10, learningHours: 0 };
const clients = createSharedClients({ behaviour: learning, device: learning }, () => null, stores.shared);
while (stores.windows.status().state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 10));
const network = placeOf(1, 0);
let asked = 0;
let failed = 0;

async function one({ name, looks, learns, things }: Variant): Promise<void> {
  asked += 1;
  const client = `${name.length}-${asked % CLIENTS}`;
  const request = behaviourRequest(NOW_MS + asked, `/things/${Math.floor(asked / CLIENTS) % things}`);
  const identity = clientIdentity(client, 'absent');
  const keys = { client, address: `203.0.113.${asked % 200}/32`, token: `token-${client}`, route: 'default/things' };
  const counts = stores.windows.count(keys, request.receivedAtMs, 5000);
  if (looks) {
    const { behaviour } = await clients.look(request, identity, network, keys, 5000);
    if (behaviour.status !== 'present' || behaviour.value.degraded) failed += 1;
  }
  await counts;
  if (learns) clients.learn(allowedRecord(request, identity, network), client);
}

async function play(variant: Variant, requests: number): Promise<Spent> {
  const [ours, theirs] = [process.cpuUsage(), await usedMicros(redis)];
  let left = requests;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one(variant);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const { user, system } = process.cpuUsage(ours);
  return { here: (user + system) / requests, redis: ((await usedMicros(redis)) - theirs) / requests };
}

const least = new Map<string, Spent>();
for (let round = 0; round < ROUNDS; round += 1) {
  // in turn, so that what else the machine does falls on all of them; the least is what the work itself takes
  for (const variant of VARIANTS) {
    failed = 0;
    const spent = await play(variant, REQUESTS);
    // a machine that stood still for 300 ms has measured nothing
    if (failed > 0) continue;
    const before = least.get(variant.name) ?? spent;
    least.set(variant.name, { here: Math.min(before.here, spent.here), redis: Math.min(before.redis, spent.redis) });
  }
}
for (const [name, { here, redis: there }] of least) {
  console.log(`${name.padEnd(44)} here ${here.toFixed(1).padStart(5)} µs   Redis ${there.toFixed(1).padStart(5)} µs`);
}
await stores.close();
await redis.stop();

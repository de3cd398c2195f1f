// What revocations of operators cost: node --expose-gc bench/revocations.ts [--entries N]. Two replicas over one Redis of its own, in one process.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Logger } from '../src/contract/stages.ts';
import { createRevocationJudge } from '../src/identify/revocation.ts';
import type { TokenOutcome } from '../src/identify/token-outcome.ts';
import { joinRegistry } from '../src/registry/joined-registry.ts';
import { createPushedRevocations, type PushedRevocations } from '../src/registry/pushed/pushed-revocations.ts';
import { openRedisStores } from '../src/stores/redis/stores.ts';
import { systemClock } from '../src/system-clock.ts';
import { startRedis } from '../test/support/redis.ts';

const { values } = parseArgs({ options: { entries: { type: 'string', default: '100000' } } });
const count = Number(values.entries);
const QUIET: Logger = { debug() {}, info() {}, warn: console.warn, error: console.error };
const PORTION = 1000;

const TOKEN: TokenOutcome = {
  signal: {
    status: 'present',
    value: {
      ...{
        issuer: 'https://as.example',
        subject: 'alice',
        clientId: 'agent-a',
        audience: ['api'],
        scopes: [],
        expiresAt: 2e9,
        issuedAt: 1e9,
      },
      ...{ notBefore: null, acr: null, amr: [], authTime: null, jtiHash: 'x'.repeat(43), binding: 'none', actor: null, delegation: null },
      ...{ authorizationDetails: [], roles: [], groups: [], entitlements: [], claims: { sid: 's' }, verifiedBy: 'countersign' },
      keysFetchedAt: null,
    },
  },
  tokenKey: 't',
  confirmation: null,
  identityAlone: null,
};

const redis = await startRedis();
const closers: (() => unknown)[] = [];

async function replica(): Promise<PushedRevocations> {
  const stores = openRedisStores({
    url: redis.url,
    deadlineMs: 25,
    keyPrefix: 'bench',
    monotonic: () => systemClock.monotonic(),
    logger: QUIET,
  });
  const shared = stores.entries('revocations', () => randomBytes(9).toString('base64url'));
  const options = { entriesMax: 1_000_000, pollMs: 250, required: true, ageMaxSeconds: null };
  const pushed = createPushedRevocations(options, { clock: systemClock, logger: QUIET, shared, openKept: null });
  closers.push(
    () => pushed.stop(),
    () => stores.close(),
  );
  await pushed.start(60_000);
  return pushed;
}

/** Runs, and says how long it took and what the longest turn of the event loop cost this thread. */
async function watched<T>(name: string, work: () => Promise<T>): Promise<T> {
  let running = true;
  let longest = 0;
  const cpu = () => process.threadCpuUsage().user / 1000;
  const watch = (async () => {
    for (let last = cpu(); running; ) {
      await sleep(1);
      longest = Math.max(longest, cpu() - last);
      last = cpu();
    }
  })();
  const started = systemClock.monotonic();
  const done = await work();
  const tookMs = systemClock.monotonic() - started;
  running = false;
  await watch;
  console.log(`${name.padEnd(52)} ${tookMs.toFixed(0).padStart(7)} ms; longest turn of the loop ${longest.toFixed(1)} ms`);
  return done;
}

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await sleep(1);
}

const [a, b] = [await replica(), await replica()];
const judge = createRevocationJudge(joinRegistry(null, a), { get: () => undefined });

function time(name: string): void {
  const rounds = Array.from({ length: 15 }, () => {
    const started = systemClock.monotonic();
    for (let turn = 0; turn < 100_000; turn++) judge.token(TOKEN);
    return ((systemClock.monotonic() - started) * 1e6) / 100_000;
  }).sort((one, other) => one - other);
  console.log(`${name.padEnd(52)} ${(rounds[7] ?? 0).toFixed(0).padStart(7)} ns a token`);
}

time('look-up, nothing revoked');
const post = (from: number, many: number) => {
  const posted = Array.from({ length: many }, (_, index) => ({ client: `client-${from + index}`, reason: 'bench' }));
  return a.admin.add(posted, { name: 'bench', role: 'admin' });
};
await watched(`post ${PORTION} at once`, () => post(0, PORTION));
await watched('until the other replica has them', () => until(() => b.revocations.entries === PORTION));
await watched(`post ${count} by ${PORTION}`, async () => {
  for (let from = PORTION; from < count; from += PORTION) {
    const done = await post(from, PORTION);
    if ('refused' in done) from -= PORTION;
  }
});
await watched('until the other replica has them', () => until(() => b.revocations.entries === count));
globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
const c = await watched('a third replica begins and reads everything', replica);
globalThis.gc?.();
console.log(`${'memory of it'.padEnd(52)} ${((process.memoryUsage().heapUsed - before) / 1e6).toFixed(0).padStart(7)} MB`);
if (c.revocations.entries !== count) throw new Error('the third replica lacks some');
time(`look-up, ${count} revoked`);
const delays = [];
for (let turn = 0; turn < 50; turn++) {
  const started = systemClock.monotonic();
  await a.admin.add([{ client: `one-${turn}`, reason: 'bench' }], { name: 'bench', role: 'admin' });
  await until(() => b.revocations.client(`one-${turn}`));
  delays.push(systemClock.monotonic() - started);
}
delays.sort((one, other) => one - other);
console.log(
  `${'one, until the other replica has it'.padEnd(52)} ${(delays[25] ?? 0).toFixed(0).padStart(7)} ms; at most ${(delays.at(-1) ?? 0).toFixed(0)} ms`,
);
await watched('a page of 1000', async () => a.admin.list({ after: null, limit: 1000, kind: 'client' }));
await redis.command('FLUSHALL');
await watched('Redis forgets: until everything is back', async () => {
  while (!(await redis.command('HGET', 'bench:{revocations}', 'm')).includes(` ${count + 50} `)) await sleep(50);
});
for (const close of closers) await close();
await redis.stop();

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OUTCOMES, type Outcome } from '../../../src/contract/behaviour.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import type { Asked } from '../behaviour/client.ts';
import { HOUR_MS, T0 } from '../behaviour/fixtures.ts';
import { createProcess, numbersOf, openReplica } from './worlds.ts';

/* Memory and Redis tell the same, to the last digit, of any traffic under any clock. */

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** A request, or an outcome that is reported of a client. */
type Step = { readonly asked: Asked; readonly moveMs: number; readonly outcome: Outcome | null };

const MINUTE_MS = 60_000;
const forward = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 2000 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 2 * MINUTE_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 * HOUR_MS }) },
);
const back = fc.oneof(fc.integer({ min: -20_000, max: 0 }), fc.integer({ min: -4 * HOUR_MS, max: 0 }));
const orNull = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values, { nil: null, freq: 6 });
const coordinates = fc.record({
  latitude: fc.double({ min: -90, max: 90, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
  accuracyKm: orNull(fc.integer({ min: 0, max: 500 })),
});

function stepsOf(clients: readonly (string | null)[], moves: fc.Arbitrary<number>, paths: number): fc.Arbitrary<Step[]> {
  const asked = fc.record(
    {
      client: fc.constantFrom(...clients),
      path: fc.integer({ min: 0, max: paths }).map((path) => `/orders/${path}`),
      address: orNull(fc.integer({ min: 0, max: paths }).map((address) => `198.51.${address >> 8}.${address & 255}/32`)),
      token: orNull(fc.constantFrom('tok-1', 'tok-2')),
      refused: orNull(fc.integer({ min: 0, max: paths }).map(String)).map((text) => text ?? undefined),
      country: orNull(fc.constantFrom('DE', 'FR', 'US', 'JP', 'BR', 'ZA', 'IN', 'AU', 'SE', 'PT')),
      asn: orNull(fc.integer({ min: 1, max: 20 })),
      coordinates: orNull(coordinates),
      effect: fc.constantFrom('allow' as const, 'allow' as const, 'allow' as const, 'deny' as const, 'step_up' as const),
      status: fc.constantFrom(undefined, 401, 403, 503),
      failed: fc.constantFrom(false, false, false, true),
      ja4: orNull(fc.integer({ min: 0, max: 11 }).map((device) => `t13d1516h2_${String(device).padStart(12, '0')}_b186095e22b6`)),
      userAgent: fc.constantFrom('agent/1', 'agent/2', ''),
    },
    { requiredKeys: ['client', 'path'] },
  );
  return fc.array(fc.record({ asked: asked.map(defined), moveMs: moves, outcome: orNull(fc.constantFrom(...OUTCOMES)) }), {
    minLength: 1,
    maxLength: 120,
    size: 'max',
  });
}

function defined({
  refused,
  status,
  ...asked
}: Record<string, unknown> & { refused?: string | undefined; status?: number | undefined }): Asked {
  return { ...asked, ...(refused === undefined ? {} : { refused }), ...(status === undefined ? {} : { status }) };
}

let run = 0;

async function expectSame(steps: readonly Step[], startMs: number): Promise<void> {
  run += 1;
  const replica = await openReplica({ url: redis.url, deadlineMs: 5000, keyPrefix: `run-${run}` });
  const memory = createProcess();
  try {
    let atMs = startMs;
    for (const [index, { asked, moveMs, outcome }] of steps.entries()) {
      atMs += moveMs;
      const inMemory = memory.ask({ ...asked, atMs });
      const inRedis = await replica.ask({ ...asked, atMs });
      expect(numbersOf(inRedis), `step ${index}`).toEqual(numbersOf(inMemory));
      if (outcome === null || asked.client == null) continue;
      memory.behaviour.outcome(asked.client, outcome, atMs);
      replica.clients.outcome(asked.client, outcome, atMs);
    }
    expect(replica.shared.status().dropped).toBe(0);
  } finally {
    await replica.close();
  }
}

test.each([
  ['one client of a few things, a clock that goes on', stepsOf(['a'], forward, 5), 40],
  ['one client of many things', stepsOf(['a'], fc.integer({ min: 0, max: 60_000 }), 400), 25],
  ['several clients and none, a clock that jumps anywhere', stepsOf(['a', 'b', null], fc.oneof(forward, back), 40), 40],
])(
  'the same numbers: %s',
  async (_name, sequences, numRuns) => {
    await fc.assert(
      fc.asyncProperty(sequences, fc.integer({ min: 0, max: 10 * HOUR_MS }), (steps, offset) => expectSame(steps, T0 + offset)),
      { numRuns },
    );
  },
  300_000,
);

test('a set that becomes an estimate, into the next hour and the one after', async () => {
  const steps = Array.from(
    { length: 400 },
    (_, index): Step => ({
      asked: { path: `/orders/${index % 170}`, address: `198.51.100.${index % 50}/32`, token: 'tok-1', asn: index % 45 },
      moveMs: 25_000,
      outcome: null,
    }),
  );
  await expectSame(steps, T0);
});

test('a baseline that is learnt, and a burst that does not teach itself in', async () => {
  const minutes = Array.from({ length: 80 }, (_, minute) => 1 + ((minute * 7) % 11) + (minute > 60 ? 40 : 0));
  const steps = minutes.flatMap((requests) =>
    Array.from({ length: requests }, (_, index): Step => ({ asked: {}, moveMs: index === 0 ? MINUTE_MS : 0, outcome: null })),
  );
  await expectSame(steps, T0);
}, 60_000);

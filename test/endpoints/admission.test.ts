import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createAdmission } from '../../src/endpoints/admission.ts';
import { createMemoryLogger } from './fixtures.ts';

/** Questions that take so long each; `done` has them in the order of their end, those that were late with a minus. */
function admissionOf(queueMs: number | null) {
  const clock = { ms: 0 };
  const logger = createMemoryLogger();
  const admission = createAdmission({ heldBytesMax: 100, queueMs, clock: { monotonic: () => clock.ms }, logger });
  const done: number[] = [];
  let asked = 0;
  const ask = (count: number, ms: number) => {
    for (let index = 0; index < count; index += 1) {
      asked += 1;
      const number = asked;
      admission.enter((late) => {
        if (!late) clock.ms += ms;
        done.push(late ? -number : number);
      });
    }
  };
  return { admission, clock, logger, done, ask };
}

test('a turn takes questions for five milliseconds; the next ones wait, in their order', async () => {
  const { done, ask, admission } = admissionOf(50);
  ask(5, 3);
  expect([done, admission.status().waiting]).toEqual([[1, 2], 3]);
  await turn();
  ask(1, 3);
  expect([done, admission.status().waiting]).toEqual([[1, 2, 3, 4], 2]);
  await turn();
  expect([done, admission.status().waiting]).toEqual([[1, 2, 3, 4, 5, 6], 0]);
  await turn();
  ask(1, 3);
  expect(done.at(-1)).toBe(7);
});

test('what has waited for longer than the bound is late, where the queue stands and more are behind it than can be answered in time', async () => {
  const { done, ask, admission } = admissionOf(50);
  ask(60, 10);
  for (let turns = 0; turns < 60; turns += 1) await turn();
  const late = done.filter((number) => number < 0).map((number) => -number);
  // the last ones are answered, although they are old: nobody stands behind them
  expect(late.length).toBeGreaterThan(5);
  expect(Math.min(...late)).toBeGreaterThan(25);
  expect(done.slice(-3)).toEqual([58, 59, 60]);
  expect(done.map(Math.abs)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  expect(admission.status()).toMatchObject({ waiting: 0, shed: { in_flight: 0, bytes: 0, queue: late.length } });
});

test('a pause of the process, however long, makes nobody late who can be answered', async () => {
  const { done, ask, clock } = admissionOf(50);
  for (let round = 0; round < 3; round += 1) {
    ask(8, 6);
    await turn();
    clock.ms += 10_000;
    for (let turns = 0; turns < 8; turns += 1) await turn();
  }
  expect(done).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
});

test('without a bound nothing is late', async () => {
  const { done, ask, clock } = admissionOf(null);
  ask(2, 10);
  clock.ms = 1e9;
  await turn();
  expect(done).toEqual([1, 2]);
});

test('a question that fails keeps no other one waiting', async () => {
  const { done, ask, admission, logger } = admissionOf(50);
  ask(1, 10);
  admission.enter(() => {
    throw new Error('broken');
  });
  ask(1, 10);
  await turn();
  await turn();
  expect(done).toEqual([1, 2]);
  expect(logger.lines.map(({ event }) => event)).toEqual(['question_failed']);
});

test('each reason is counted, and the log hears of it once in ten seconds', () => {
  const { admission, clock, logger } = admissionOf(50);
  admission.crowded();
  admission.held.onFull?.();
  clock.ms = 9999;
  admission.crowded();
  expect(logger.lines).toEqual([
    { level: 'warn', event: 'overload_shed', fields: { reason: 'in_flight', in_flight: 1, bytes: 0, queue: 0 } },
  ]);
  clock.ms = 10_000;
  admission.crowded();
  expect(logger.lines.at(-1)?.fields).toEqual({ reason: 'in_flight', in_flight: 3, bytes: 1, queue: 0 });
  admission.held.heldBytes = 7;
  expect(admission.status()).toEqual({ heldBytes: 7, heldBytesMax: 100, waiting: 0, shed: { in_flight: 3, bytes: 1, queue: 0 } });
});

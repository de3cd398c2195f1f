import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createAdmission } from '../../src/endpoints/admission.ts';
import { createMemoryLogger } from './fixtures.ts';

function admissionOf(queueMs: number | null) {
  const clock = { ms: 0 };
  const logger = createMemoryLogger();
  const admission = createAdmission({ heldBytesMax: 100, queueMs, clock: { monotonic: () => clock.ms }, logger });
  return { admission, clock, logger };
}

test('what is not taken up within the bound of its turn is late, and the next turn begins anew', async () => {
  const { admission, clock } = admissionOf(50);
  const after = (ms: number) => {
    clock.ms += ms;
    return admission.late();
  };
  expect([after(1000), after(50), after(1), after(0)]).toEqual([false, false, true, true]);
  await turn();
  expect([after(0), after(50), after(1)]).toEqual([false, false, true]);
  expect(admission.status().shed).toEqual({ in_flight: 0, bytes: 0, queue: 3 });
});

test('without a bound nothing is late', () => {
  const { admission, clock } = admissionOf(null);
  admission.late();
  clock.ms = 1e9;
  expect(admission.late()).toBe(false);
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
  expect(admission.status()).toEqual({ heldBytes: 7, heldBytesMax: 100, shed: { in_flight: 3, bytes: 1, queue: 0 } });
});

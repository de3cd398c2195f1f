import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryWindows } from '../../src/stores/memory-windows.ts';
import { WINDOW_MS, WINDOW_NAMES } from '../../src/stores/windows.ts';

const NOW = 1_790_000_000_000;
const NONE = { address: null, token: null, route: null };

/** Hits in (from, to], by an exact log of times. */
function exact(log: readonly number[], from: number, to: number): number {
  return log.filter((at) => at > from && at <= to).length;
}

test('a count is never below the exact number of its window, and never above that of the window and one sixtieth', () => {
  const pauses = fc.array(
    fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 0, max: 15_000 }),
      fc.integer({ min: 0, max: 400_000 }),
      fc.constantFrom(10_000, 60_000, 600_000),
    ),
    { minLength: 1, maxLength: 200 },
  );
  fc.assert(
    fc.property(pauses, fc.integer({ min: 0, max: 3_600_000 }), (steps, start) => {
      const store = createMemoryWindows({ entriesMax: 100, startedAtMs: 0 });
      const log: number[] = [];
      let now = NOW + start;
      for (const step of steps) {
        now += step;
        log.push(now);
        const answer = store.count({ ...NONE, client: 'c' }, now, 25);
        const counts = answer instanceof Promise ? expect.fail() : answer.client;
        if (counts === null || typeof counts === 'string') expect.fail();
        for (const [index, name] of WINDOW_NAMES.entries()) {
          const width = WINDOW_MS[index] ?? expect.fail();
          expect(counts[name]).toBeGreaterThanOrEqual(exact(log, now - width, now));
          expect(counts[name]).toBeLessThanOrEqual(exact(log, now - width - width / 60, now));
        }
      }
    }),
    { numRuns: 150 },
  );
});

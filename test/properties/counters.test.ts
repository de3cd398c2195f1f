import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryWindows } from '../../src/stores/memory-windows.ts';
import { COUNTER_WINDOW_MS, COUNTER_WINDOW_NAMES, type WindowKeys } from '../../src/stores/windows.ts';

const NOW = 1_790_000_000_000;
const NOBODY: WindowKeys = { client: null, address: null, token: null, route: null };

type Entry = { readonly at: number; readonly amount: number };
const sumOf = (log: readonly Entry[], from: number, to: number): number =>
  log.reduce((sum, { at, amount }) => (at > from && at <= to ? sum + amount : sum), 0);

/** When an exact log has room for one more of this amount, if nothing came before it: right after an entry has left the window. */
function exactRoomAt(log: readonly Entry[], width: number, amount: number, limit: number, now: number): number {
  const leaves = log.map(({ at }) => at + width).filter((at) => at > now);
  return leaves.find((at) => sumOf(log, at - width, at) + amount <= limit) ?? Math.max(...leaves);
}

const pauses = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 0, max: 4_000_000 }));
const entries = fc.array(fc.record({ pause: pauses, amount: fc.integer({ min: 0, max: 5000 }) }), { minLength: 1, maxLength: 120 });

describe('weighted sums beside an exact log', () => {
  test('never below the window, never above the window and one sixtieth', () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 0, max: 3_600_000 }), (steps, start) => {
        const store = createMemoryWindows({ entriesMax: 100, startedAtMs: 0 });
        const log: Entry[] = [];
        let now = NOW + start;
        for (const { pause, amount } of steps) {
          now += pause;
          log.push({ at: now, amount });
          const answer = store.add([{ counter: 'c', key: 'k', amount, thresholds: [] }], now, 25);
          const sums = answer instanceof Promise ? expect.fail() : answer[0];
          if (typeof sums !== 'object') expect.fail();
          for (const [index, name] of COUNTER_WINDOW_NAMES.entries()) {
            const width = COUNTER_WINDOW_MS[index] ?? expect.fail();
            expect(sums[name]).toBeGreaterThanOrEqual(sumOf(log, now - width, now));
            expect(sums[name]).toBeLessThanOrEqual(sumOf(log, now - width - width / 60, now));
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test('the time until there is room is the exact one, or later by one sixtieth of the window at most; and then there is room', () => {
    const of = fc.record({ window: fc.integer({ min: 0, max: 4 }), limit: fc.integer({ min: 1, max: 20_000 }) });
    let told = 0;
    fc.assert(
      fc.property(entries, of, (steps, { window, limit }) => {
        const store = createMemoryWindows({ entriesMax: 100, startedAtMs: 0 });
        const width = COUNTER_WINDOW_MS[window] ?? expect.fail();
        const name = COUNTER_WINDOW_NAMES[window] ?? expect.fail();
        const log: Entry[] = [];
        let now = NOW;
        const ask = (at: number, amount: number) => {
          const answer = store.count(
            { ...NOBODY, counters: [{ counter: 'c', key: 'k', amount, thresholds: [{ name: 'l', window, limit }] }] },
            at,
            25,
          );
          return answer instanceof Promise ? expect.fail() : answer;
        };
        for (const { pause, amount } of steps) {
          now += pause;
          log.push({ at: now, amount });
          const afterMs = ask(now, amount).resets?.['l'];
          const exact = sumOf(log, now - width, now);
          if (exact > limit) expect(afterMs).toBeGreaterThan(0);
          if (afterMs === undefined || exact <= limit) continue;
          told += 1;
          const room = exactRoomAt(log, width, amount, limit, now);
          expect(now + afterMs).toBeGreaterThan(room);
          expect(now + afterMs).toBeLessThanOrEqual(Math.ceil(room + width / 60));
        }
        const last = steps.at(-1)?.amount ?? 0;
        const afterMs = ask(now, 0).resets?.['l'];
        if (afterMs === undefined || last > limit) return;
        // whoever comes when he was told to is not over the limit by what was there before
        const sums = ask(now + afterMs, 0).counters?.[0];
        expect(typeof sums === 'object' ? sums[name] : Number.NaN).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 150 },
    );
    expect(told).toBeGreaterThan(100);
  });
});

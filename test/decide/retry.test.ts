import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRetry } from '../../src/decide/retry.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const CLOCK = { now: () => Date.now(), monotonic: () => Date.now() };

test('it is done later each time, up to ten minutes, and soon again once it went well', () => {
  const retry = createRetry(CLOCK);
  const waits: number[] = [];
  const work = (): void => undefined;
  for (let time = 0; time < 12; time += 1) {
    retry.later(work);
    waits.push(((retry.atMs() ?? 0) - Date.now()) / 1000);
  }
  expect(waits).toEqual([30, 60, 120, 240, 480, 600, 600, 600, 600, 600, 600, 600]);
  retry.done();
  expect(retry.atMs()).toBeNull();
  retry.later(work);
  expect((retry.atMs() ?? 0) - Date.now()).toBe(30_000);
});

test('the last one that was asked for is done once; nothing after it is stopped', () => {
  const retry = createRetry(CLOCK, 10);
  const done: string[] = [];
  retry.later(() => void done.push('a'));
  retry.later(() => void done.push('b'));
  vi.advanceTimersByTime(1000);
  expect([done, retry.atMs()]).toEqual([['b'], null]);
  retry.later(() => void done.push('c'));
  retry.stop();
  vi.advanceTimersByTime(1000);
  expect([done, retry.atMs()]).toEqual([['b'], null]);
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { within } from '../../src/contract/within.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new Promise<string>(() => undefined);

test('the value, where it comes in time, and no timer is left', async () => {
  expect(await within(1000, Promise.resolve('value'), 'late')).toBe('value');
  expect(vi.getTimerCount()).toBe(0);
});

test('late, once the time is over, and not before', async () => {
  let got: string | null = null;
  const waiting = within(1000, never, 'late').then((value) => {
    got = value;
  });
  await vi.advanceTimersByTimeAsync(999);
  expect(got).toBeNull();
  await vi.advanceTimersByTimeAsync(1);
  await waiting;
  expect(got).toBe('late');
});

test('late at once where no time is left', async () => {
  expect(await within(0, never, 'late')).toBe('late');
  expect(await within(-5, never, 'late')).toBe('late');
  expect(vi.getTimerCount()).toBe(0);
});

test('a failure in time is a failure, and no timer is left', async () => {
  await expect(within(1000, Promise.reject(new Error('broken')), 'late')).rejects.toThrow('broken');
  expect(vi.getTimerCount()).toBe(0);
});

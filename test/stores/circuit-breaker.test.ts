import { expect, test } from 'vitest';
import { CircuitBreaker } from '../../src/stores/circuit-breaker.ts';

function breaker() {
  const clock = { ms: 1000 };
  return { clock, breaker: new CircuitBreaker({ failuresMax: 3, openMs: 250 }, () => clock.ms) };
}

test('failures in a row open it, a success between them does not', () => {
  const { breaker: subject } = breaker();
  for (const outcome of ['failed', 'failed', 'succeeded', 'failed', 'failed'] as const) subject[outcome]();
  expect(subject.allows()).toBe(true);
  subject.failed();
  expect(subject.allows()).toBe(false);
  expect(subject.open).toBe(true);
});

test('after its time one trial is let through; its failure opens it for as long again, its success closes it', () => {
  const { breaker: subject, clock } = breaker();
  for (let count = 0; count < 3; count += 1) subject.failed();
  clock.ms += 249;
  expect(subject.allows()).toBe(false);
  clock.ms += 1;
  expect([subject.allows(), subject.allows()]).toEqual([true, false]);
  subject.failed();
  clock.ms += 249;
  expect(subject.allows()).toBe(false);
  clock.ms += 1;
  expect(subject.allows()).toBe(true);
  subject.succeeded();
  expect([subject.open, subject.allows(), subject.allows()]).toEqual([false, true, true]);
});

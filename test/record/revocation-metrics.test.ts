import { expect, test } from 'vitest';
import type { PushedRevocationsStatus } from '../../src/contract/revocations.ts';
import { readinessOf } from '../../src/readiness.ts';
import { showRevocations } from '../../src/record/revocation-metrics.ts';
import { STATUS } from '../endpoints/operations/status-fixture.ts';

const READY: PushedRevocationsStatus = {
  ...{ state: 'ready', required: true, tooOld: false, entries: 7, unreadable: 1, version: 12, ageSeconds: 3 },
  ...{ shared: true, persisted: false, historyLost: 2, lastError: null },
};

function shown(status: PushedRevocationsStatus | undefined): Record<string, number> {
  const found: Record<string, number> = {};
  showRevocations(status, ({ name }, labels, value) => {
    found[[name.replace('countersign_pushed_revocations', ''), ...Object.values(labels)].join(' ')] = value;
  });
  return found;
}

test('metrics', () => {
  expect(shown(READY)).toEqual({
    ...{ '': 7, _unreadable: 1, _version: 12, _age_seconds: 3, _history_lost_total: 2 },
    ...{ '_state ready': 1, '_state stale': 0, '_state never_loaded': 0 },
  });
  expect(shown({ ...READY, state: 'stale', ageSeconds: null })).not.toHaveProperty('_age_seconds');
  expect(shown(undefined)).toEqual({});
});

test.each<[string, Partial<PushedRevocationsStatus>, boolean, string | undefined]>([
  ['shared and there', {}, true, 'ready'],
  ['of this process alone', { shared: false }, true, undefined],
  ['the store is away', { state: 'stale' }, true, 'stale'],
  ['the store is away for too long', { state: 'stale', tooOld: true }, false, 'too_old'],
  ['never read', { state: 'never_loaded' }, false, 'not_loaded'],
  ['never read, and a damaged file alone', { state: 'never_loaded', shared: false }, false, 'not_loaded'],
  ['never read, and nobody waits for it', { state: 'never_loaded', required: false }, true, undefined],
])('/readyz: %s', (_name, change, ready, part) => {
  const { ready: said, parts } = readinessOf({ ...STATUS, revocations: { ...READY, ...change } });
  expect([said, parts.revocations]).toEqual([ready, part]);
});

import { expect, test } from 'vitest';
import type { RegistryStatus } from '../src/contract/registry-status.ts';
import type { PolicyStatus, ServiceStatus } from '../src/contract/status.ts';
import { readinessOf } from '../src/readiness.ts';
import { STATUS } from './endpoints/operations/status-fixture.ts';

const [POLICY] = STATUS.policies;
const of = (...changes: readonly Partial<PolicyStatus>[]): Partial<ServiceStatus> => ({
  policies: changes.map((change) => ({
    ...(POLICY ?? { name: '', state: 'active', revision: null, activatedAt: null, rules: 0, routes: 0, lastError: null }),
    ...change,
  })),
});

const PART = { ageSeconds: null, lastError: null, problems: [] };
const registry = (state: RegistryStatus['records']['state']): Partial<ServiceStatus> => ({
  registry: { records: { ...PART, state, clients: 0, apiKeys: 0 }, revocations: { ...PART, state: 'ready', entries: 0 } },
});

test.each<[string, Partial<ServiceStatus>, boolean, object]>([
  ['all is well', {}, true, { policy: 'ready', keys: 'ready', draining: false }],
  ['no policy', { policies: [] }, false, { policy: 'not_loaded' }],
  ['one of two is not there', of({}, { state: 'not_loaded' }), false, { policy: 'not_loaded' }],
  ['data is missing', of({ missingData: ['tenants.a'] }), false, { policy: 'data_not_loaded' }],
  ['a last known good that is too old', of({ runningOn: 'last_known_good', tooOld: true }), false, { policy: 'too_old' }],
  ['one of two is too old', of({}, { tooOld: true }), false, { policy: 'too_old' }],
  ['a last known good that may serve', of({ runningOn: 'last_known_good', tooOld: false }), true, { policy: 'ready' }],
  ['a registry that was never read', registry('never_loaded'), false, { registry: 'not_loaded' }],
  ['a registry that cannot be read any more', registry('stale'), true, { registry: 'stale' }],
  ['it drains', { draining: true }, false, { draining: true, policy: 'ready' }],
])('/readyz where %s', (_what, change, ready, parts) => {
  expect(readinessOf({ ...STATUS, ...change })).toMatchObject({ ready, parts });
});

test('/readyz until the start is over', () => {
  expect(readinessOf(STATUS, false)).toMatchObject({ ready: false, parts: { policy: 'ready', starting: true } });
  expect(readinessOf(STATUS, true).parts).not.toHaveProperty('starting');
});

import { expect, test } from 'vitest';
import type { PolicyStatus } from '../../src/contract/status.ts';
import { showPolicies } from '../../src/record/policy-metrics.ts';

const GOOD: PolicyStatus = {
  ...{ name: 'default', state: 'active', revision: 'r1', activatedAt: 1, rules: 2, routes: 3, lastError: null },
  ...{ runningOn: 'source', expectedRevision: 'r1', ageSeconds: 4, tooOld: false, missingData: [] },
};

function shown(status: PolicyStatus): Record<string, number> {
  const found: Record<string, number> = {};
  showPolicies([status], ({ name }, labels, value) => {
    found[[name.replace('countersign_policy_', ''), ...Object.values(labels).slice(1)].join(' ')] = value;
  });
  return found;
}

const RUNNING = { 'running_on source': 1, 'running_on last_known_good': 0, 'running_on activated': 0, 'running_on rolled_back': 0 };

test('a policy that its source confirms', () => {
  expect(shown(GOOD)).toEqual({ ...RUNNING, age_seconds: 4, in_sync: 1, too_old: 0, missing_data: 0 });
});

test('one whose next revision is refused: what runs, what failed, and why', () => {
  const lastError = { code: 'bundle_wasm_invalid', text: 't', at: 9, revision: 'r2' };
  expect(shown({ ...GOOD, runningOn: 'last_known_good', expectedRevision: 'r2', ageSeconds: 90, tooOld: true, lastError })).toEqual({
    ...RUNNING,
    ...{ 'running_on source': 0, 'running_on last_known_good': 1 },
    ...{ age_seconds: 90, in_sync: 0, too_old: 1, missing_data: 0, 'failed_revision_info r2 bundle_wasm_invalid': 1 },
  });
});

test('what is not known has no value', () => {
  const lastError = { code: 'fetch_failed', text: 't', at: 9, revision: null };
  const status = {
    ...GOOD,
    state: 'not_loaded',
    revision: null,
    runningOn: null,
    expectedRevision: null,
    ageSeconds: null,
    lastError,
  } as const;
  expect(shown(status)).toEqual({ ...RUNNING, 'running_on source': 0, too_old: 0, missing_data: 0 });
});

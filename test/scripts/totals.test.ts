import { describe, expect, test } from 'vitest';
import { add, closingLine, opaTestTotals, vitestTotals } from '../../scripts/totals.mjs';

const tests = (...statuses: string[]) => ({
  status: statuses.includes('failed') ? 'failed' : 'passed',
  assertionResults: statuses.map((status) => ({ status })),
});

describe('totals', () => {
  test('close in the one form that is read', () => {
    expect(closingLine(add({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 }))).toBe(
      '11 passed, 22 failed, 33 skipped',
    );
  });

  test('of vitest are counted test by test, a todo is a skipped one', () => {
    const report = { testResults: [tests('passed', 'passed', 'pending', 'todo'), tests('failed', 'skipped')] };
    expect(vitestTotals(report, false)).toEqual({ passed: 2, failed: 1, skipped: 3 });
  });

  test('of vitest count a file that could not be loaded', () => {
    const report = { testResults: [tests('passed'), { status: 'failed', assertionResults: [] }] };
    expect(vitestTotals(report, false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  test('of a run that says it failed, that ran nothing, or that wrote no report are never clean', () => {
    expect(vitestTotals({ testResults: [tests('passed')] }, false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect(vitestTotals({ testResults: [] }, true)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(vitestTotals(null, false)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(opaTestTotals(null, false)).toEqual({ passed: 0, failed: 1, skipped: 0, failures: [] });
    expect(opaTestTotals([], true)).toEqual({ passed: 0, failed: 1, skipped: 0, failures: [] });
  });

  test('of opa test name what failed', () => {
    const location = { file: 'a_test.rego', row: 7 };
    const report = [
      { package: 'data.a', name: 'test_x', location },
      { package: 'data.a', name: 'test_y', fail: true, location },
      { package: 'data.a', name: 'test_z', skip: true, location },
      { package: 'data.a', name: 'test_e', error: {}, location },
    ];
    expect(opaTestTotals(report, false)).toEqual({
      passed: 1,
      failed: 2,
      skipped: 1,
      failures: ['data.a.test_y (a_test.rego:7)', 'data.a.test_e (a_test.rego:7)'],
    });
  });
});

// Counting what ran. A step of `verify` counts as one; a step that is a test run counts as its tests.

/** @typedef {{ passed: number, failed: number, skipped: number }} Totals */

/** @returns {Totals} */
export const noTotals = () => ({ passed: 0, failed: 0, skipped: 0 });

/**
 * @param {Totals} a
 * @param {Totals} b
 * @returns {Totals}
 */
export const add = (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped });

/** @param {Totals} totals the closing line, alone on its line */
export const closingLine = (totals) => `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`;

/**
 * What a test run that says of itself whether it succeeded comes to: one that failed counts at least one failure, and one that ran
 * nothing failed.
 * @param {Totals} totals
 * @param {boolean} ok
 * @returns {Totals}
 */
function honest(totals, ok) {
  const ranNothing = totals.passed + totals.failed === 0;
  return (ok && !ranNothing) || totals.failed > 0 ? totals : { ...totals, failed: 1 };
}

/**
 * @param {unknown} report the JSON report of vitest
 * @param {boolean} ok whether vitest ended with 0
 * @returns {Totals}
 */
export function vitestTotals(report, ok) {
  const totals = noTotals();
  for (const file of listIn(report, 'testResults')) {
    const tests = listIn(file, 'assertionResults');
    // A file that could not even be loaded has no tests to count.
    if (textIn(file, 'status') === 'failed' && !tests.some((test) => textIn(test, 'status') === 'failed')) totals.failed += 1;
    for (const test of tests) {
      const status = textIn(test, 'status');
      if (status === 'passed') totals.passed += 1;
      else if (status === 'failed') totals.failed += 1;
      else totals.skipped += 1; // pending, skipped, todo, disabled
    }
  }
  return honest(totals, ok);
}

/**
 * @param {unknown} report the JSON of `opa test --format json`: one object a test, `fail` and `skip` where they are true
 * @param {boolean} ok whether opa ended with 0
 * @returns {Totals & { failures: string[] }}
 */
export function opaTestTotals(report, ok) {
  const totals = noTotals();
  /** @type {string[]} */
  const failures = [];
  for (const test of Array.isArray(report) ? report : []) {
    if (test?.fail === true || test?.error !== undefined) {
      totals.failed += 1;
      failures.push(`${test.package}.${test.name} (${test.location?.file}:${test.location?.row})`);
    } else if (test?.skip === true) totals.skipped += 1;
    else totals.passed += 1;
  }
  return { ...honest(totals, ok), failures };
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {unknown[]}
 */
function listIn(value, name) {
  const list = value !== null && typeof value === 'object' ? Reflect.get(value, name) : undefined;
  return Array.isArray(list) ? list : [];
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {unknown}
 */
function textIn(value, name) {
  return value !== null && typeof value === 'object' ? Reflect.get(value, name) : undefined;
}

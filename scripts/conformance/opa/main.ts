// Runs OPA's own tests against our runtime and `opa eval`, and prints each family: npm run conformance opa [family]. Ends with 1 where a case goes otherwise without being listed.
import { isRunnable, readCases } from './cases.ts';
import { readDifferences } from './differences.ts';
import { judgeAll } from './run.ts';
import { totalsOf } from './totals.ts';

/** What the cases of offered families must pass at the least. */
const SHARE_MIN = 0.97;

/** @returns the exit code */
export async function runOpa(family: string | null): Promise<number> {
  const all = readCases();
  const cases = all.filter((one) => isRunnable(one) && (family === null || one.dir === family));
  if (cases.length === 0) {
    console.error(`${family} is no family`);
    return 1;
  }
  const { families, share, problems, refusals } = totalsOf(await judgeAll(cases), readDifferences(), family === null);
  const columns = ['family', 'cases', 'passed', 'refused by name', 'listed difference', 'failed'];
  const rows = families.map((one) => [one.family, one.cases, one.passed, one.refused, one.listed, one.failed].map(String));
  const sums = ['cases', 'passed', 'refused', 'listed', 'failed'] as const;
  const total = ['all', ...sums.map((name) => String(families.reduce((sum, one) => sum + one[name], 0)))];
  for (const row of [columns, ...rows, total])
    console.log(row.map((cell, at) => (at === 0 ? cell.padEnd(34) : cell.padStart((columns[at]?.length ?? 0) + 2))).join(''));
  for (const [why, count] of [...refusals].sort()) console.log(`refused in ${count}: ${why}`);
  const aside = all.length - all.filter(isRunnable).length;
  console.log(
    `${(share * 100).toFixed(2)} % of the cases whose builtins are offered pass; ${aside} are left out, queries without an entry point for the most part`,
  );
  for (const problem of problems) console.error(`failed: ${problem}`);
  return problems.length > 0 || share < SHARE_MIN ? 1 : 0;
}

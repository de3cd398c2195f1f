import type { Difference } from './differences.ts';
import type { Judged } from './run.ts';

export type FamilyTotals = { readonly family: string; cases: number; passed: number; refused: number; listed: number; failed: number };

export type OpaTotals = {
  readonly families: readonly FamilyTotals[];
  /** Passed among the cases whose builtins are offered. */
  readonly share: number;
  readonly problems: readonly string[];
  /** A refused builtin, with its reason, and how many cases call it. */
  readonly refusals: ReadonlyMap<string, number>;
};

/**
 * Counts by family. A failure that is not listed is a problem, and so is a listed one that passes.
 * @param isWhole false where the cases are a part of all, which may lack listed ones
 */
export function totalsOf(judged: readonly Judged[], differences: readonly Difference[], isWhole: boolean): OpaTotals {
  const listed = new Set(differences.flatMap(({ cases }) => cases));
  const families = new Map<string, FamilyTotals>();
  const refusals = new Map<string, number>();
  const problems: string[] = [];
  for (const { one, verdict } of judged) {
    const family = families.get(one.dir) ?? { family: one.dir, cases: 0, passed: 0, refused: 0, listed: 0, failed: 0 };
    families.set(one.dir, family);
    family.cases++;
    const isListed = listed.delete(one.id);
    if (verdict.outcome === 'refused') {
      family.refused++;
      for (const why of verdict.why.split(/, (?=[a-z0-9_.]+: )/)) refusals.set(why, (refusals.get(why) ?? 0) + 1);
    }
    if (verdict.outcome === 'failed' && isListed) family.listed++;
    else if (verdict.outcome === 'failed') {
      family.failed++;
      problems.push(`${one.id} (${one.case.note}): ${verdict.why.slice(0, 400)}`);
    } else if (verdict.outcome === 'passed') family.passed++;
    if (isListed && verdict.outcome !== 'failed') problems.push(`${one.id} is listed as a difference, and is ${verdict.outcome}`);
  }
  if (isWhole) for (const id of listed) problems.push(`${id} is listed as a difference, and is no case`);
  const all = [...families.values()];
  const offered = all.reduce((sum, { cases, refused }) => sum + cases - refused, 0);
  const passed = all.reduce((sum, family) => sum + family.passed, 0);
  return { families: all, share: offered === 0 ? 0 : passed / offered, problems, refusals };
}

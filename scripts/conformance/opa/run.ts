import { availableParallelism } from 'node:os';
import type { Case } from './cases.ts';
import { judge, type Verdict } from './judge.ts';
import { make } from './opa.ts';

export type Judged = { readonly one: Case; readonly verdict: Verdict };

/** Judges cases, as many at once as there are cores. */
export async function judgeAll(cases: readonly Case[]): Promise<readonly Judged[]> {
  const done: Judged[] = [];
  const queue = cases.values();
  const work = async (): Promise<void> => {
    for (const one of queue) done.push({ one, verdict: await judge(one, await make(one)) });
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return done.sort((a, b) => (a.one.id < b.one.id ? -1 : 1));
}

import type { PolicyTools } from './tools.ts';

/** What decisions cost in this process, microseconds each. */
export type BenchReport = {
  readonly decisions: number;
  readonly questions: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly meanUs: number;
  readonly perSecond: number;
  readonly memory: { readonly rssBytes: number; readonly rssGrowthBytes: number; readonly heapBytes: number };
};

/** Evaluations before the measured ones: what is compiled late must not be measured. */
const WARM_UP = 1000;

/** Asks each question in turn until `decisions` were made; the clock is read around each. */
export function benchPolicy(
  questions: readonly (() => void)[],
  decisions: number,
  tools: Pick<PolicyTools, 'monotonic' | 'memory'>,
): BenchReport {
  const ask = (index: number): void => questions[index % questions.length]?.();
  for (let index = 0; index < Math.min(WARM_UP, decisions); index++) ask(index);
  const before = tools.memory();
  const spentMs = new Float64Array(decisions);
  const startedMs = tools.monotonic();
  for (let index = 0; index < decisions; index++) {
    const at = tools.monotonic();
    ask(index);
    spentMs[index] = tools.monotonic() - at;
  }
  const wholeMs = tools.monotonic() - startedMs;
  const after = tools.memory();
  spentMs.sort();
  const quantile = (share: number): number => roundUs(spentMs[Math.min(decisions - 1, Math.ceil(share * decisions) - 1)] ?? 0);
  return {
    decisions,
    questions: questions.length,
    p50Us: quantile(0.5),
    p99Us: quantile(0.99),
    meanUs: roundUs(spentMs.reduce((sum, one) => sum + one, 0) / decisions),
    perSecond: wholeMs > 0 ? Math.round((decisions / wholeMs) * 1000) : 0,
    memory: { rssBytes: after.rss, rssGrowthBytes: after.rss - before.rss, heapBytes: after.heap },
  };
}

function roundUs(ms: number): number {
  return Math.round(ms * 10_000) / 10;
}

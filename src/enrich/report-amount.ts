import type { CounterHit, WindowStore } from '../stores/windows.ts';
import { counterKey, toThousandths } from './counters.ts';

/** An amount that became known after the request was let through: tokens of an answer, rows, money. */
export type AmountReport = {
  /** Name of the policy that names the counter. */
  readonly catalogue: string;
  readonly counter: string;
  /** The parts of the counter's key in its order, as text. */
  readonly parts: readonly string[];
  /** 0 to 1e9. */
  readonly amount: number;
};

export type AmountReported = 'counted' | 'amount_invalid' | 'store_unavailable' | 'store_full';

/**
 * Adds a reported amount to the counter that requests with the same parts are counted under; a request that reports has its own amount declared
 * with a default of 0, else it counts twice. The caller says whether the policy has that counter: a name that none has is a pool that nobody reads.
 */
export function reportAmount(
  store: WindowStore,
  { catalogue, counter, parts, amount }: AmountReport,
  nowMs: number,
  budgetMs: number,
): AmountReported | Promise<AmountReported> {
  const thousandths = toThousandths(amount);
  if (thousandths === null) return 'amount_invalid';
  const hit: CounterHit = { counter: `${catalogue}/${counter}`, key: counterKey(parts), amount: thousandths, thresholds: [] };
  const answer = store.add([hit], nowMs, budgetMs);
  return answer instanceof Promise ? answer.then(toldBy) : toldBy(answer);
}

function toldBy([sums]: Awaited<ReturnType<WindowStore['add']>>): AmountReported {
  return sums === undefined ? 'store_unavailable' : typeof sums === 'string' ? sums : 'counted';
}

import type { RegoValue } from './value.ts';

/** What one evaluation lends to builtins, so that a record replays to the same decision. */
export type Moment = {
  /** The only clock: when the request was received, nanoseconds since 1970; undefined where the evaluation has none. */
  readonly nowNs: bigint | undefined;
  /** What chance is drawn from: the decision's id. */
  readonly seed: string | undefined;
};

/**
 * A builtin: its value, or undefined where OPA has none (a wrong type, a bad argument). What it throws is undefined too, except
 * `BuiltinLimitError`.
 */
export type Builtin = (values: readonly RegoValue[], moment: () => Moment) => RegoValue | undefined;

export type BuiltinTable = Readonly<Record<string, Builtin>>;

/**
 * More than a builtin does for one decision. OPA would have answered, so undefined would be another answer: the evaluation fails, and that
 * is a deny.
 */
export class BuiltinLimitError extends Error {}

/** @throws BuiltinLimitError */
export function atMost(count: number, max: number, what: string): void {
  if (count > max) throw new BuiltinLimitError(`${count} ${what}, and ${max} is the most`);
}

/** A builtin of strings alone. */
export function ofTexts(count: number, make: (first: string, second: string, third: string) => RegoValue | undefined): Builtin {
  return (values) => {
    const texts = values.filter((value) => typeof value === 'string');
    return texts.length === count && values.length === count ? make(texts[0] ?? '', texts[1] ?? '', texts[2] ?? '') : undefined;
  };
}

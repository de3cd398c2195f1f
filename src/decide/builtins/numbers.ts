import { atMost, type Builtin, type BuiltinTable } from './builtin.ts';
import { type RegoValue, wholeNumber, wholeOf } from './value.ts';

const COUNT_MAX = 100_000;

/** From one number to another, down where the second is smaller. */
const rangeStep: Builtin = ([from, to, by]) => {
  const first = wholeOf(from);
  const last = wholeOf(to);
  const step = wholeOf(by);
  if (first === undefined || last === undefined || step === undefined || step <= 0n) return undefined;
  const size = last > first ? last - first : first - last;
  atMost(Number(size / step), COUNT_MAX, 'numbers');
  const numbers: RegoValue[] = [];
  for (let at = 0n; at <= size; at += step) numbers.push(wholeNumber(last > first ? first + at : first - at));
  return numbers;
};

export const NUMBERS: BuiltinTable = { 'numbers.range_step': rangeStep };

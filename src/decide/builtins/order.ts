import { bytesOfText } from './bytes.ts';
import { canonical, doubleOf, isArray, isNumber, isObject, RegoSet, type RegoValue, wholeOf } from './value.ts';

/** Rego's order: null, booleans, numbers, strings by their bytes, arrays, objects, sets. Wasm keeps sets and objects in no order. */
export function compareValues(one: RegoValue, other: RegoValue): number {
  const kind = rank(one) - rank(other);
  if (kind !== 0) return kind;
  if (typeof one === 'string' && typeof other === 'string') return compareTexts(one, other);
  if (isNumber(one) && isNumber(other)) return compareNumbers(one, other);
  if (isArray(one) && isArray(other)) return compareLists(one, other);
  if (one instanceof RegoSet && other instanceof RegoSet) return compareLists(sorted(one.items), sorted(other.items));
  if (isObject(one) && isObject(other))
    return compareLists(sorted([...one.keys()]), sorted([...other.keys()])) || compareTexts(canonical(one), canonical(other));
  return Number(one) - Number(other);
}

/** In the order of Rego. */
export function sorted(values: readonly RegoValue[]): readonly RegoValue[] {
  return values.toSorted(compareValues);
}

function rank(value: RegoValue): number {
  if (value === null) return 0;
  if (typeof value === 'boolean') return 1;
  if (isNumber(value)) return 2;
  if (typeof value === 'string') return 3;
  if (isArray(value)) return 4;
  return value instanceof RegoSet ? 6 : 5;
}

function compareTexts(one: string, other: string): number {
  return Buffer.compare(bytesOfText(one), bytesOfText(other));
}

function compareNumbers(one: RegoValue, other: RegoValue): number {
  const [first, second] = [wholeOf(one), wholeOf(other)];
  if (first !== undefined && second !== undefined) return first === second ? 0 : first < second ? -1 : 1;
  return isNumber(one) && isNumber(other) ? doubleOf(one) - doubleOf(other) : 0;
}

function compareLists(one: readonly RegoValue[], other: readonly RegoValue[]): number {
  for (const [index, item] of one.entries()) {
    const against = other[index];
    if (against === undefined) return 1;
    const order = compareValues(item, against);
    if (order !== 0) return order;
  }
  return one.length - other.length;
}

import type { Builtin, BuiltinTable } from './builtin.ts';
import { canonical, isArray, isEqual, isObject, lookup, type RegoObject, RegoSet, type RegoValue } from './value.ts';

/** Objects within objects; sets and rows below them are compared as a whole. */
function objectSubset(outer: RegoObject, inner: RegoObject): boolean {
  for (const [key, member] of inner) {
    const other = lookup(outer, key);
    if (other === undefined) return false;
    if (!isEqual(member, other) && subset(other, member) !== true) return false;
  }
  return true;
}

function setSubset(outer: readonly RegoValue[], inner: readonly RegoValue[]): boolean {
  const known = new Set(outer.map(canonical));
  return inner.every((item) => known.has(canonical(item)));
}

/** The whole of a row must be in the other one, in its order and without gaps (Knuth, Morris and Pratt: linear). */
function arraySubset(outer: readonly RegoValue[], inner: readonly RegoValue[]): boolean {
  if (inner.length === 0) return true;
  const text = outer.map(canonical);
  const pattern = inner.map(canonical);
  const borders = [0];
  for (let at = 1, length = 0; at < pattern.length; at++) {
    while (length > 0 && pattern[at] !== pattern[length]) length = borders[length - 1] ?? 0;
    if (pattern[at] === pattern[length]) length++;
    borders.push(length);
  }
  let matched = 0;
  for (const item of text) {
    while (matched > 0 && item !== pattern[matched]) matched = borders[matched - 1] ?? 0;
    if (item === pattern[matched]) matched++;
    if (matched === pattern.length) return true;
  }
  return false;
}

/** As OPA does it: it counts the items of the row that are in the set, an item that is there twice twice, and a row of nothing holds nothing. */
function rowHoldsSet(outer: readonly RegoValue[], inner: readonly RegoValue[]): boolean {
  const wanted = new Set(inner.map(canonical));
  return outer.length > 0 && outer.filter((item) => wanted.has(canonical(item))).length >= wanted.size;
}

function subset(outer: RegoValue, inner: RegoValue): boolean | undefined {
  if (isObject(outer) && isObject(inner)) return objectSubset(outer, inner);
  if (outer instanceof RegoSet && inner instanceof RegoSet) return setSubset(outer.items, inner.items);
  return isArray(outer) && isArray(inner) ? arraySubset(outer, inner) : undefined;
}

const objectSubsetBuiltin: Builtin = ([outer, inner]) => {
  if (outer === undefined || inner === undefined) return undefined;
  if (isArray(outer) && inner instanceof RegoSet) return rowHoldsSet(outer, inner.items);
  return subset(outer, inner);
};

export const OBJECT_SUBSET: BuiltinTable = { 'object.subset': objectSubsetBuiltin };

/*
 * Whether something (a country, an AS, a device) is new for a client: a short list of what it was allowed with, newest first. A client that has
 * more than fit is one of many users, for which new says nothing: from then on nobody can say.
 */

/** Typed arrays that a list may lie in. */
type List = Uint32Array | Uint16Array;

/** Cells that a list of `max` takes: the values, and whether it ever was too short. */
export function noveltyCells(max: number): number {
  return max + 1;
}

/** True or false, or null where the list was too short once. 0 is no value. */
export function isNew(list: List, at: number, max: number, value: number): boolean | null {
  for (let index = at + 1; index <= at + max; index += 1) {
    const known = list[index];
    if (known === value) return false;
    if (known === 0) break;
  }
  return list[at] === 0 ? true : null;
}

/** Remembers a value as the newest one; where the list is full the oldest one goes. */
export function remember(list: List, at: number, max: number, value: number): void {
  if (list[at + 1] === value) return;
  let index = at + 1;
  const last = at + max;
  while (index < last && list[index] !== value && list[index] !== 0) index += 1;
  if (index === last && list[index] !== value && list[index] !== 0) list[at] = 1;
  list.copyWithin(at + 2, at + 1, index);
  list[at + 1] = value;
}

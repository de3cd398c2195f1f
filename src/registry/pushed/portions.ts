/* A hundred thousand entries at once would stop decisions. */

/** Entries between two turns of the event loop; each takes some microseconds. */
export const PORTION = 500;

/** Lets the event loop do what waits. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A list in parts of at most so many. */
export function* portionsOf<T>(list: readonly T[], most = PORTION): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += most) yield list.slice(at, at + most);
}

/** Numbers that are the same for the same seed (mulberry32, public domain, Tommy Ettinger). */
export type Random = {
  /** From 0 up to 1, 1 left out. */
  next(): number;
  /** A whole number, both bounds included. */
  between(low: number, high: number): number;
  /** As likely in each power of ten: for what differs by orders of magnitude. */
  logBetween(low: number, high: number): number;
  chance(share: number): boolean;
  pick<T>(values: readonly [T, ...T[]]): T;
};

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between,
    logBetween: (low, high) => Math.round(Math.exp(Math.log(low) + next() * (Math.log(high) - Math.log(low)))),
    chance: (share) => next() < share,
    pick: (values) => values[between(0, values.length - 1)] ?? values[0],
  };
}

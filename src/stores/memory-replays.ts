import type { ReplayAnswer, ReplayMemory, SimulatedReplays } from './replay-memory.ts';

export type MemoryReplaysOptions = {
  /** Keys that are remembered at once; about 200 bytes each. */
  readonly entriesMax: number;
  /** Unix milliseconds by the same clock as the calls. */
  readonly startedAtMs: number;
};

const SLOT_MS = 1000;

/**
 * A replay memory in this process: answers at once, forgets at a restart. A key that may still be used is never forgotten for another
 * one: a full memory says so.
 */
export function createMemoryReplays({ entriesMax, startedAtMs }: MemoryReplaysOptions): SimulatedReplays {
  const keys = new Set<string>();
  /** Keys by the second in which they end, so that forgetting looks at nothing that stays. */
  const slots = new Map<number, string[]>();
  /** Everything that ends before this slot has been forgotten. */
  let forgottenTo = Math.floor(startedAtMs / SLOT_MS);

  function forget(nowMs: number): void {
    const current = Math.floor(nowMs / SLOT_MS);
    if (current <= forgottenTo) return;
    // after a long pause there are fewer slots than seconds
    const ended = current - forgottenTo > slots.size ? [...slots.keys()].filter((slot) => slot < current) : between(forgottenTo, current);
    for (const slot of ended) {
      for (const key of slots.get(slot) ?? []) keys.delete(key);
      slots.delete(slot);
    }
    forgottenTo = current;
  }

  function remember(key: string, nowMs: number, untilMs: number): ReplayAnswer {
    forget(nowMs);
    const slot = Math.floor(untilMs / SLOT_MS);
    // a clock that was set back: what ended by the later time is forgotten, so nothing is known of it
    if (slot < forgottenTo) return keys.has(key) ? 'replayed' : 'store_unavailable';
    const before = keys.size;
    if (before >= entriesMax) return keys.has(key) ? 'replayed' : 'store_full';
    keys.add(key);
    if (keys.size === before) return 'replayed';
    const ending = slots.get(slot);
    if (ending === undefined) slots.set(slot, [key]);
    else ending.push(key);
    return 'fresh';
  }

  const memory: ReplayMemory = {
    sinceMs: startedAtMs,
    remember,
    status: () => ({ kind: 'memory', state: 'ready', entries: keys.size, lastError: null }),
    close: () => Promise.resolve(),
  };
  const told = (key: string): ReplayAnswer => (keys.has(key) ? 'replayed' : keys.size >= entriesMax ? 'store_full' : 'fresh');
  return { ...memory, simulated: { ...memory, remember: told } };
}

function between(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

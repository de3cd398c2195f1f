/** `fresh`: seen for the first time and remembered from now on; `replayed`: seen before; else why it is not known. */
export type ReplayAnswer = 'fresh' | 'replayed' | 'store_unavailable' | 'store_full';

/** A memory with a view of it that answers as it would, and remembers nothing. */
export type SimulatedReplays = ReplayMemory & { readonly simulated: ReplayMemory };

/** What `/status` says of a replay memory. */
export type ReplayMemoryStatus = {
  readonly kind: 'memory' | 'redis';
  readonly state: 'ready' | 'unavailable';
  readonly entries: number | null;
  readonly lastError: string | null;
};

/** Remembers what may be used once. Its failures are values. */
export interface ReplayMemory {
  /**
   * Unix milliseconds before which nothing was remembered: what could have been used earlier has to be refused. Null where the memory
   * outlives the process.
   */
  readonly sinceMs: number | null;
  /**
   * Remembers a key at once with asking for it, so that of two equal keys one is `fresh` whichever replica they come to.
   * @param key bounded in length by whoever makes it, and no secret.
   * @param nowMs unix milliseconds by the caller's clock.
   * @param untilMs the caller refuses the key by itself from then on.
   * @param budgetMs how long the answer may take; a memory that answers at once does not look at it.
   */
  remember(key: string, nowMs: number, untilMs: number, budgetMs: number): ReplayAnswer | Promise<ReplayAnswer>;
  status(): ReplayMemoryStatus;
  close(): Promise<void>;
}

/* What all replicas remember together: calls that each touch one entity, whose failures are values. */

/** Two 32-bit numbers that texts are hashed with, the same in all replicas. */
export type HashKey = readonly [number, number];

/** One call for one entity. */
export type SharedCall = {
  /** The entity, kind and name: `c:agent-1`. Bounded in length and free of braces by whoever makes it. */
  readonly tag: string;
  /** Words of the command before the entity's key, and after it. */
  readonly before: readonly [string, ...(string | number)[]];
  readonly args: readonly (string | number)[];
};

/** Makes calls once the key that texts are hashed with is known. */
export type MakeCalls = (hashKey: HashKey) => readonly SharedCall[];

export type SharedAnswer = {
  /** In the order of the calls: undefined where one failed. Strings come as bytes. */
  readonly replies: readonly unknown[];
  /** Unix milliseconds since when all that these calls touch has been kept without a loss (restart, flush); null where that is not known. */
  readonly keptSinceMs: number | null;
};

export type SharedStoreStatus = {
  readonly state: 'ready' | 'unavailable';
  /** Calls that nobody waited for and that were not sent, or failed, since the start. */
  readonly dropped: number;
  readonly lastError: string | null;
};

/** A store that is shared by all replicas. */
export interface SharedStore {
  /**
   * Asks at the end of this turn, together with all others who ask; settles by the deadline, never rejects.
   * @returns null where nothing can be asked now.
   */
  ask(make: MakeCalls, nowMs: number, budgetMs: number): Promise<SharedAnswer> | null;
  /** Tells without waiting: in the order told, before what is asked later; what cannot be sent is dropped and counted. */
  tell(make: MakeCalls, nowMs: number): void;
  status(): SharedStoreStatus;
}

/** With a view that answers as the store would and changes nothing: it counts on copies that are gone at once, and what is told it drops. */
export type SimulatedShared = SharedStore & { readonly simulated: SharedStore };

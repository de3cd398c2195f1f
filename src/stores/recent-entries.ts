type Entry<V> = { readonly value: V; readonly atMs: number };

/** What was noted lately, by an id that is used once: bounded in number and age, the oldest goes first. */
export class RecentEntries<V extends object> {
  readonly #entriesMax: number;
  readonly #ageMaxMs: number;
  readonly #entries = new Map<string, Entry<V>>();

  constructor(entriesMax: number, ageMaxMs: number) {
    this.#entriesMax = entriesMax;
    this.#ageMaxMs = ageMaxMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Notes one, and clears away up to two that are too old. */
  note(id: string, value: V, nowMs: number): void {
    let cleared = 0;
    for (const [oldest, { atMs }] of this.#entries) {
      const isOld = Math.abs(nowMs - atMs) > this.#ageMaxMs;
      if (cleared === 2 || (!isOld && this.#entries.size < this.#entriesMax)) break;
      this.#entries.delete(oldest);
      cleared += 1;
    }
    this.#entries.set(id, { value, atMs: nowMs });
  }

  /** What was noted under the id no longer ago than the age, or null. */
  find(id: string, nowMs: number): V | null {
    const entry = this.#entries.get(id);
    return entry === undefined || Math.abs(nowMs - entry.atMs) > this.#ageMaxMs ? null : entry.value;
  }
}

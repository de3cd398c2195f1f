const PLACES_FIRST = 1024;
/** No place. */
export const NONE = -1;

/** Places of a pool in the order of their last use, and those that were given back: a doubly linked list in typed arrays, O(1) and without garbage. */
export class UseOrder {
  /** Neighbours; `next` also links the free places. */
  #previous = new Int32Array(PLACES_FIRST);
  #next = new Int32Array(PLACES_FIRST);
  #oldest = NONE;
  #newest = NONE;
  #free = NONE;

  /** The place that was not used for the longest time, or NONE. */
  get oldest(): number {
    return this.#oldest;
  }

  /** The place that was used last, or NONE. */
  get newest(): number {
    return this.#newest;
  }

  /** The place that was used next after a place that is in the order, or NONE. */
  after(place: number): number {
    return this.#next[place] ?? NONE;
  }

  /** Makes room for so many places. */
  grow(places: number): void {
    if (places <= this.#next.length) return;
    // doubled, so that growing stays O(1) amortised
    const length = Math.max(places, this.#next.length * 2);
    const previous = new Int32Array(length);
    const next = new Int32Array(length);
    previous.set(this.#previous);
    next.set(this.#next);
    this.#previous = previous;
    this.#next = next;
  }

  /** Puts a place that is not in the order behind all others. */
  append(place: number): void {
    this.#previous[place] = this.#newest;
    this.#next[place] = NONE;
    if (this.#newest === NONE) this.#oldest = place;
    else this.#next[this.#newest] = place;
    this.#newest = place;
  }

  /** Takes a place out of the order. */
  unlink(place: number): void {
    const before = this.#previous[place] ?? NONE;
    const after = this.#next[place] ?? NONE;
    if (before === NONE) this.#oldest = after;
    else this.#next[before] = after;
    if (after === NONE) this.#newest = before;
    else this.#previous[after] = before;
  }

  /** Takes a place out of the order and keeps it for `takeFree`. */
  giveBack(place: number): void {
    this.unlink(place);
    this.#next[place] = this.#free;
    this.#free = place;
  }

  /** A place that was given back, or NONE. */
  takeFree(): number {
    const place = this.#free;
    if (place !== NONE) this.#free = this.#next[place] ?? NONE;
    return place;
  }
}

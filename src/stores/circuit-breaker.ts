export type BreakerOptions = {
  /** Failures in a row that open it. */
  readonly failuresMax: number;
  /** How long it stays open before one trial. */
  readonly openMs: number;
};

/**
 * Keeps requests from waiting for something that has just failed several times: after `failuresMax` failures in a row it is open,
 * after `openMs` it lets one trial through, and that one's outcome closes it or opens it again.
 */
export class CircuitBreaker {
  readonly #options: BreakerOptions;
  /** Milliseconds that never go back. */
  readonly #monotonic: () => number;
  #failures = 0;
  #openUntilMs = 0;
  #trying = false;

  constructor(options: BreakerOptions, monotonic: () => number) {
    this.#options = options;
    this.#monotonic = monotonic;
  }

  get open(): boolean {
    return this.#failures >= this.#options.failuresMax;
  }

  /** True where an attempt may be made now; the caller then reports `succeeded` or `failed`. */
  allows(): boolean {
    if (!this.open) return true;
    if (this.#trying || this.#monotonic() < this.#openUntilMs) return false;
    this.#trying = true;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#trying = false;
  }

  failed(): void {
    this.#failures += 1;
    this.#trying = false;
    if (this.open) this.#openUntilMs = this.#monotonic() + this.#options.openMs;
  }
}

import type { MetricDefinition } from './metric-definitions.ts';

/**
 * One latency histogram as plain numbers. prom-client's own hashes and checks its labels at each observation: four of them took 2.7 µs
 * of the 2.8 µs that counting a decision took.
 */
export class Latency {
  readonly #bounds: readonly number[];
  /** Observations by bucket, not cumulated; the last is above every bound. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Takes one time, in seconds. */
  observe(seconds: number): void {
    let bucket = 0;
    for (const bound of this.#bounds) {
      if (seconds <= bound) break;
      bucket += 1;
    }
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += seconds;
  }

  /** Lines of the text format; `labels` is what stands in the braces beside `le`, already escaped. */
  lines(name: string, labels: string): string[] {
    let count = 0;
    const buckets = [...this.#bounds.map(String), '+Inf'].map((bound, index) => {
      count += this.#counts[index] ?? 0;
      return `${name}_bucket{${labels === '' ? '' : `${labels},`}le="${bound}"} ${count}`;
    });
    const braces = labels === '' ? '' : `{${labels}}`;
    return [...buckets, `${name}_sum${braces} ${this.#sum}`, `${name}_count${braces} ${count}`];
  }
}

/** A histogram in the text format of Prometheus, with the lines of all its series. */
export function histogramText({ name, help }: MetricDefinition, lines: readonly string[]): string {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...lines, ''].join('\n');
}

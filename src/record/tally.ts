/** Labels of one time series. */
export type Labels = Record<string, string>;

/** One time series of a counter; adding to it is the only thing that happens on the request path. */
export type Cell = { count: number };

/**
 * The series of one counter, kept as plain numbers and handed to the registry at a scrape: a pre-bound child of prom-client still
 * hashes and checks its labels at each increment.
 */
export class Tally {
  readonly #cells = new Map<string, Cell & { readonly labels: Labels }>();
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** The series with these label values, in the order of the names; made on first use. */
  cell(...values: readonly string[]): Cell {
    const key = values.join('\n');
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const labels: Labels = {};
    for (const [index, name] of this.#names.entries()) labels[name] = values[index] ?? '';
    const cell = { count: 0, labels };
    this.#cells.set(key, cell);
    return cell;
  }

  /** Every series with its labels. */
  series(): Iterable<Cell & { readonly labels: Labels }> {
    return this.#cells.values();
  }
}

/**
 * Lets only so many different label values of the right form through and names the others `other`, so that nothing a client or a
 * policy says can make the number of series grow.
 */
export function createLabelGate(valuesMax: number, form: RegExp): (value: string) => string {
  const admitted = new Set<string>();
  return (value) => {
    if (admitted.has(value)) return value;
    if (admitted.size >= valuesMax || !form.test(value)) return 'other';
    admitted.add(value);
    return value;
  };
}

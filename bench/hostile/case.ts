/** One parser of foreign bytes with one kind of input that is meant to make it slow. */
export type HostileCase = {
  readonly parser: string;
  readonly input: string;
  /** Makes an input of about so many bytes, and gives what parses it; refusals and typed errors are results. */
  readonly make: (bytes: number) => () => unknown;
  /** Sizes that are compared, the second twice the first; smaller than usual where a cap stands inside the parser. */
  readonly sizes?: readonly [number, number];
};

export const USUAL_SIZES: readonly [number, number] = [32_768, 65_536];

/** Texts of a size: what is between `before` and `after` is repeated, and numbered where it is a function. */
export function filled(before: string, part: string | ((index: number) => string), after = ''): (bytes: number) => string {
  return (bytes) => {
    const parts: string[] = [];
    let left = bytes - before.length - after.length;
    for (let index = 0; ; index += 1) {
      const one = typeof part === 'string' ? part : part(index);
      left -= one.length;
      if (left < 0) return before + parts.join('') + after;
      parts.push(one);
    }
  };
}

/** Cases of one parser of text: a name and a text of any size for each. */
export function casesOf(
  parser: string,
  parse: (text: string) => unknown,
  inputs: Readonly<Record<string, (bytes: number) => string>>,
  sizes?: HostileCase['sizes'],
): readonly HostileCase[] {
  return Object.entries(inputs).map(([input, text]) => ({
    parser,
    input,
    make(bytes) {
      const made = text(bytes);
      return () => parse(made);
    },
    ...(sizes === undefined ? {} : { sizes }),
  }));
}

export function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

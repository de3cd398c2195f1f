import type { RegoValue } from './value.ts';
import { numberOf, ValueTextError } from './value-text.ts';

const DEPTH_MAX = 256;

/** JSON with its numbers as they are written; of two members of one name the last one counts, as in OPA. Undefined where it is none. */
export function parseJson(text: string): RegoValue | undefined {
  try {
    // the reviver's third argument has the text of a number, which a double would lose
    const value: unknown = JSON.parse(text, (_, member: unknown, context?: { readonly source?: string }) =>
      typeof member === 'number' && context?.source !== undefined ? new Exact(context.source) : member,
    );
    return converted(value, 0);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ValueTextError) return undefined;
    throw error;
  }
}

class Exact {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

function converted(value: unknown, depth: number): RegoValue {
  if (depth > DEPTH_MAX) throw new ValueTextError('too deep');
  if (value instanceof Exact) return numberOf(value.source);
  if (value === null || typeof value === 'boolean') return value;
  // what is no UTF-8, or a lone surrogate, is U+FFFD as in Go
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map((item) => converted(item, depth + 1));
  if (typeof value !== 'object') throw new ValueTextError('no value');
  return new Map(Object.entries(value).map(([name, member]) => [name.toWellFormed(), converted(member, depth + 1)]));
}

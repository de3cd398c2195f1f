import { sorted } from './order.ts';
import { isArray, isNumber, RegoDecimal, type RegoNumber, RegoSet, type RegoValue } from './value.ts';

/* The text that OPA's `opa_value_dump` writes and `opa_value_parse` reads: JSON with sets (`{1, 2}`, `set()`) and keys of any kind. */

const DEPTH_MAX = 512;

/** A text that is not of the form. */
export class ValueTextError extends Error {}

/** A whole number as number or bigint, any other one as its text. */
export function numberOf(text: string): RegoNumber {
  if (!/^-?\d+$/.test(text)) return new RegoDecimal(text.replace(/^(-?)\./, '$10.').replace(/\.(?!\d)/, '.0'));
  const small = Number(text);
  return Number.isSafeInteger(small) && !Object.is(small, -0) ? small : BigInt(text);
}

/** @throws ValueTextError, SyntaxError */
export function parseValue(text: string): RegoValue {
  const first = text.charCodeAt(0);
  if (first === QUOTE) {
    const whole: unknown = JSON.parse(text);
    if (typeof whole === 'string') return whole;
  }
  return new Reader(text).whole();
}

const QUOTE = 0x22;
/** Rego also writes `.5`. */
const NUMBER = /-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\]|\\.)*"/sy;
const BLANKS = /[ \t\r\n]*/y;

class Reader {
  private at = 0;
  private depth = 0;
  private readonly text: string;
  constructor(text: string) {
    this.text = text;
  }

  whole(): RegoValue {
    const value = this.value();
    this.blanks();
    if (this.at !== this.text.length) throw new ValueTextError('text after the value');
    return value;
  }

  private value(): RegoValue {
    this.blanks();
    const { text, at } = this;
    const first = text[at];
    if (first === '"') return this.string();
    if (first === '[') return this.nested(() => this.list(']'));
    if (first === '{') return this.nested(() => this.braces());
    if (text.startsWith('set()', at)) return this.word('set()', new RegoSet([]));
    if (text.startsWith('true', at)) return this.word('true', true);
    if (text.startsWith('false', at)) return this.word('false', false);
    if (text.startsWith('null', at)) return this.word('null', null);
    return numberOf(this.match(NUMBER));
  }

  /** A set, or an object: the first thing after the first value tells. */
  private braces(): RegoValue {
    this.at++;
    this.blanks();
    if (this.take('}')) return new Map();
    const first = this.value();
    this.blanks();
    if (!this.take(':')) {
      const items = [first];
      while (this.take(',')) {
        items.push(this.value());
        this.blanks();
      }
      this.expect('}');
      return new RegoSet(sorted(items));
    }
    const made = new Map<RegoValue, RegoValue>([[first, this.value()]]);
    this.blanks();
    while (this.take(',')) {
      const key = this.value();
      this.blanks();
      this.expect(':');
      made.set(key, this.value());
      this.blanks();
    }
    this.expect('}');
    return made;
  }

  private list(end: string): readonly RegoValue[] {
    this.at++;
    const items: RegoValue[] = [];
    this.blanks();
    if (this.take(end)) return items;
    do {
      items.push(this.value());
      this.blanks();
    } while (this.take(','));
    this.expect(end);
    return items;
  }

  private nested(read: () => RegoValue): RegoValue {
    if (++this.depth > DEPTH_MAX) throw new ValueTextError('too deep');
    const value = read();
    this.depth--;
    return value;
  }

  private string(): string {
    const value: unknown = JSON.parse(this.match(STRING));
    if (typeof value !== 'string') throw new ValueTextError('no string');
    return value;
  }

  private word(word: string, value: RegoValue): RegoValue {
    this.at += word.length;
    return value;
  }

  private blanks(): void {
    const code = this.text.charCodeAt(this.at);
    if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) this.match(BLANKS);
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw new ValueTextError('no value');
    this.at += found.length;
    return found;
  }

  private take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private expect(character: string): void {
    if (!this.take(character)) throw new ValueTextError(`no ${character}`);
  }
}

/** The text of a value. A string of bytes that are no UTF-8 (`bytes.ts`) has none that OPA's Wasm would read. */
export function valueText(value: RegoValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (isNumber(value)) return numberText(value);
  if (isArray(value)) return `[${value.map(valueText).join()}]`;
  if (value instanceof RegoSet) return value.items.length === 0 ? 'set()' : `{${value.items.map(valueText).join()}}`;
  return `{${[...value].map(([key, member]) => `${valueText(key)}:${valueText(member)}`).join()}}`;
}

/** The text of a number. @throws ValueTextError where it is not finite */
export function numberText(value: RegoNumber): string {
  if (value instanceof RegoDecimal) return value.text;
  if (typeof value === 'bigint') return String(value);
  if (!Number.isFinite(value)) throw new ValueTextError('no number');
  return Number.isSafeInteger(value) ? value.toFixed(0) : String(value);
}

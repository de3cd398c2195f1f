import { isJsonObject, type JsonValue } from '../../contract/json.ts';
import type { AttributeValue, SourceCode } from '../../contract/sources.ts';
import { parseJsonPointer, resolveJsonPointer } from '../../formats/json-pointer.ts';
import type { AttributeOptions } from './options.ts';

/** UTF-8 bytes of a string, and entries of a list. */
const TEXT_BYTES_MAX = 1024;
const TEXTS_MAX = 64;

export type Attributes = Readonly<Record<string, AttributeValue>>;
type Refusal = Extract<SourceCode, 'attribute_missing' | 'attribute_type' | 'attribute_too_large'>;

/** Takes the configured attributes out of an answer: all of them, or why there are none. Nothing is cut short or made fit. */
export type PickAttributes = (answer: JsonValue) => Attributes | Refusal;

/** Compiles the pointers; null where one is none, which the configuration has refused before. */
export function compileAttributes(options: Readonly<Record<string, AttributeOptions>>): PickAttributes | null {
  const wanted: { readonly name: string; readonly tokens: readonly string[]; readonly rule: AttributeOptions }[] = [];
  for (const [name, rule] of Object.entries(options)) {
    const tokens = parseJsonPointer(rule.pointer);
    if (tokens === null) return null;
    wanted.push({ name, tokens, rule });
  }
  return (answer) => {
    const picked: Record<string, AttributeValue> = {};
    for (const { name, tokens, rule } of wanted) {
      const value = resolveJsonPointer(answer, tokens) ?? null;
      if (value === null) {
        if (!rule.optional) return 'attribute_missing';
        picked[name] = null;
        continue;
      }
      const read = READERS[rule.type](value);
      if (typeof read === 'object' && 'refused' in read) return read.refused;
      picked[name] = read;
    }
    return picked;
  };
}

type Read = string | number | boolean | readonly string[] | { readonly refused: Refusal };

const WRONG_TYPE: Read = { refused: 'attribute_type' };
const TOO_LARGE: Read = { refused: 'attribute_too_large' };

const READERS: Readonly<Record<AttributeOptions['type'], (value: JsonValue) => Read>> = {
  string: (value) => (typeof value !== 'string' ? WRONG_TYPE : isShort(value) ? value : TOO_LARGE),
  number: (value) => (typeof value === 'number' && Number.isFinite(value) ? value : WRONG_TYPE),
  boolean: (value) => (typeof value === 'boolean' ? value : WRONG_TYPE),
  strings(value) {
    if (isJsonObject(value) || typeof value !== 'object' || value === null) return WRONG_TYPE;
    const texts = value.filter((one) => typeof one === 'string');
    if (texts.length < value.length) return WRONG_TYPE;
    return texts.length <= TEXTS_MAX && texts.every(isShort) ? texts : TOO_LARGE;
  },
};

function isShort(text: string): boolean {
  return text.length <= TEXT_BYTES_MAX && Buffer.byteLength(text) <= TEXT_BYTES_MAX;
}

import type { NamedText } from '../../contract/decision.ts';
import { isJsonObject, type JsonValue } from '../../contract/json.ts';

/** RFC 9110 `token`, in lower case. */
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/;

/**
 * The lines of an object of headers, or of a list of such objects. A value is a scalar, which becomes text, or a list of them, a line each; null
 * leaves the header out (USER-ASKS 5). Null where it has another form.
 */
export function parseHeaderLines(value: JsonValue | undefined): readonly NamedText[] | null {
  if (value === undefined || value === null) return [];
  const lines = namedTexts(value)?.map(([name, text]): NamedText => [name.toLowerCase(), text]) ?? null;
  return lines?.every(([name]) => NAME.test(name)) === true ? lines : null;
}

/** The same for names of any form: parameters of a query. */
export function namedTexts(value: JsonValue): NamedText[] | null {
  const objects: readonly JsonValue[] = isJsonObject(value) ? [value] : Array.isArray(value) ? value : [null];
  const pairs: NamedText[] = [];
  for (const object of objects) {
    if (!isJsonObject(object)) return null;
    for (const [name, content] of Object.entries(object)) {
      const texts: readonly JsonValue[] = Array.isArray(content) ? content : [content];
      for (const text of texts) {
        if (text === null) continue;
        if (typeof text === 'object') return null;
        pairs.push([name, String(text)]);
      }
    }
  }
  return pairs;
}

/** A list of texts; null where it has another form. */
export function parseTexts(value: JsonValue | undefined): readonly string[] | null {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : null;
}

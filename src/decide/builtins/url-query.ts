import type { Builtin, BuiltinTable } from './builtin.ts';
import { ofTexts } from './builtin.ts';
import { bytesOfText } from './bytes.ts';
import { escapeText, unescapeText } from './url-escapes.ts';
import { isArray, isObject, objectOf, RegoSet, type RegoValue } from './value.ts';

/** Values are a text, or a row or set of texts; names are in the order of their bytes. */
const encodeObject: Builtin = ([object]) => {
  if (!isObject(object)) return undefined;
  const pairs: { readonly name: string; readonly values: readonly string[] }[] = [];
  for (const [key, member] of object) {
    const items: readonly RegoValue[] =
      typeof member === 'string' ? [member] : isArray(member) ? member : member instanceof RegoSet ? member.items : [null];
    const values = items.filter((item) => typeof item === 'string');
    if (typeof key !== 'string' || values.length < items.length) return undefined;
    pairs.push({ name: key, values });
  }
  pairs.sort((one, other) => Buffer.compare(bytesOfText(one.name), bytesOfText(other.name)));
  return pairs.flatMap(({ name, values }) => values.map((value) => `${escapeText(name, 'query')}=${escapeText(value, 'query')}`)).join('&');
};

/** Every name with the row of its values; undefined where a pair is malformed. */
const decodeObject = ofTexts(1, (query) => {
  const found = new Map<string, string[]>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = unescapeText(at < 0 ? pair : pair.slice(0, at), 'query');
    const value = unescapeText(at < 0 ? '' : pair.slice(at + 1), 'query');
    // a semicolon separates in some parsers and not in others
    if (pair.includes(';') || name === undefined || value === undefined) return undefined;
    const values = found.get(name);
    if (values === undefined) found.set(name, [value]);
    else values.push(value);
  }
  return objectOf(found);
});

export const URL_QUERY: BuiltinTable = {
  'urlquery.encode': ofTexts(1, (text) => escapeText(text, 'query')),
  'urlquery.decode': ofTexts(1, (text) => unescapeText(text, 'query')),
  'urlquery.encode_object': encodeObject,
  'urlquery.decode_object': decodeObject,
};

import type { Builtin, BuiltinTable } from './builtin.ts';
import { bytesOfText } from './bytes.ts';
import { isArray, isNumber, isObject, RegoSet, type RegoValue } from './value.ts';
import { numberText } from './value-text.ts';

/* Go's `json.Marshal` and `json.MarshalIndent`: names in the order of their bytes, `<`, `>` and `&` escaped, sets as rows. */

type Layout = { readonly prefix: string; readonly indent: string };

function stringText(text: string): string {
  const plain = JSON.stringify(text.toWellFormed());
  return plain.replaceAll(/[<>&\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function nameOf(key: RegoValue): string {
  return typeof key === 'string' ? key : marshal(key, null, 0);
}

function joined(parts: readonly string[], ends: string, layout: Layout | null, depth: number): string {
  const [open = '', close = ''] = ends;
  if (parts.length === 0) return ends;
  if (layout === null) return open + parts.join() + close;
  const line = (by: number): string => `\n${layout.prefix}${layout.indent.repeat(by)}`;
  return open + line(depth + 1) + parts.join(`,${line(depth + 1)}`) + line(depth) + close;
}

/** The text of a value; without a layout on one line. */
export function marshal(value: RegoValue, layout: Layout | null, depth: number): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return stringText(value);
  if (isNumber(value)) return numberText(value);
  const items = isArray(value) ? value : value instanceof RegoSet ? value.items : null;
  if (items !== null)
    return joined(
      items.map((item) => marshal(item, layout, depth + 1)),
      '[]',
      layout,
      depth,
    );
  if (!isObject(value)) return '';
  const members = [...value].map(([key, member]) => ({ name: nameOf(key), member }));
  members.sort((one, other) => Buffer.compare(bytesOfText(one.name), bytesOfText(other.name)));
  const colon = layout === null ? ':' : ': ';
  return joined(
    members.map(({ name, member }) => stringText(name) + colon + marshal(member, layout, depth + 1)),
    '{}',
    layout,
    depth,
  );
}

const marshalWithOptions: Builtin = ([value, options]) => {
  if (value === undefined || !isObject(options)) return undefined;
  let pretty: boolean | null = null;
  let layout: Layout = { prefix: '', indent: '\t' };
  for (const [name, option] of options) {
    if (name === 'pretty' && typeof option === 'boolean') pretty = option;
    else if ((name === 'prefix' || name === 'indent') && typeof option === 'string') layout = { ...layout, [name]: option };
    else return undefined;
  }
  const isPretty = pretty ?? (options.has('prefix') || options.has('indent'));
  return isPretty ? layout.prefix + marshal(value, layout, 0) : marshal(value, null, 0);
};

export const JSON_MARSHAL: BuiltinTable = { 'json.marshal_with_options': marshalWithOptions };

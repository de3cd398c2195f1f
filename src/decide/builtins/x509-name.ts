import { childrenOf, type Element, TAG } from '../../formats/der.ts';
import { textOfBytes } from './bytes.ts';
import { objectOf, type RegoObject, type RegoValue } from './value.ts';

/* Object ids and distinguished names as Go's package `pkix` gives them. */

/** The arcs of an object id. */
export function arcsOf(der: Buffer, { start, end }: Element): readonly number[] {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of der.subarray(start, end)) {
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(value);
      value = 0;
    }
  }
  const [first = 0, ...rest] = numbers;
  const top = Math.min(Math.floor(first / 40), 2);
  return [top, first - top * 40, ...rest];
}

/** Attributes that have a field of their own, by the last arc of 2.5.4; the first two hold one text, the others a list. */
const FIELDS: Readonly<Record<number, string>> = {
  3: 'CommonName',
  5: 'SerialNumber',
  6: 'Country',
  7: 'Locality',
  8: 'Province',
  9: 'StreetAddress',
  10: 'Organization',
  11: 'OrganizationalUnit',
  17: 'PostalCode',
};
const LISTS = ['Country', 'Locality', 'Province', 'StreetAddress', 'Organization', 'OrganizationalUnit', 'PostalCode'];
const UTF8 = 0x0c;
const TEXTS = new Set([UTF8, 0x12, 0x13, 0x14, 0x16]);
const BMP = 0x1e;

/** Undefined where the name holds what is no text. */
export function nameOf(der: Buffer, name: Element): RegoObject | undefined {
  const lists = new Map<string, string[]>(LISTS.map((field) => [field, []]));
  const single = new Map<string, string>([
    ['CommonName', ''],
    ['SerialNumber', ''],
  ]);
  const names: RegoValue[] = [];
  const sets = childrenOf(der, name);
  if (sets === null) return undefined;
  for (const set of sets) {
    const attributes = childrenOf(der, set);
    if (attributes === null) return undefined;
    for (const attribute of attributes) {
      const [id, value] = childrenOf(der, attribute) ?? [];
      if (id?.tag !== TAG.objectIdentifier || value === undefined) return undefined;
      const text = textOf(der, value);
      if (text === undefined) return undefined;
      const arcs = arcsOf(der, id);
      names.push(
        objectOf([
          ['Type', arcs],
          ['Value', text],
        ]),
      );
      const field = arcs.length === 4 && arcs.slice(0, 3).join('.') === '2.5.4' ? FIELDS[arcs[3] ?? 0] : undefined;
      if (field === undefined) continue;
      if (single.has(field)) single.set(field, text);
      else lists.get(field)?.push(text);
    }
  }
  return objectOf([
    ...single,
    ...[...lists].map(([field, texts]): [string, RegoValue] => [field, texts.length === 0 ? null : texts]),
    ['Names', names.length === 0 ? null : names],
    ['ExtraNames', null],
  ]);
}

function textOf(der: Buffer, { tag, start, end }: Element): string | undefined {
  if (TEXTS.has(tag)) return tag === 0x14 ? der.toString('latin1', start, end) : textOfBytes(der.subarray(start, end));
  if (tag !== BMP || (end - start) % 2 === 1) return undefined;
  return Buffer.from(der.subarray(start, end)).swap16().toString('utf16le');
}

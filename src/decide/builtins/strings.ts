import { atMost, type Builtin, type BuiltinTable, ofTexts } from './builtin.ts';
import { isArray, RegoSet, type RegoValue, wholeOf } from './value.ts';

const PAIRS_MAX = 1_000_000;
const COMPARED_MAX = 50_000_000;

/** A text, or a row or set of texts. */
function textsOf(value: RegoValue | undefined): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  const items = isArray(value) ? value : value instanceof RegoSet ? value.items : undefined;
  const texts = items?.filter((item) => typeof item === 'string');
  return texts !== undefined && texts.length === items?.length ? texts : undefined;
}

const anyMatch =
  (isMatch: (text: string, affix: string) => boolean): Builtin =>
  ([search, base]) => {
    const texts = textsOf(search);
    const affixes = textsOf(base);
    if (texts === undefined || affixes === undefined) return undefined;
    atMost(texts.length * affixes.length, PAIRS_MAX, 'pairs');
    return texts.some((text) => affixes.some((affix) => isMatch(text, affix)));
  };

/** How often a text occurs, without overlapping; the empty one is between all characters. */
const count = ofTexts(2, (text, part) => (part === '' ? [...text].length + 1 : text.split(part).length - 1));

/** The places of a text in another, in characters; they may overlap. */
const indexOfN = ofTexts(2, (text, part) => {
  if (part === '') return undefined;
  // at each place all of the part may be compared
  atMost(part.length * Math.max(text.length - part.length, 0), COMPARED_MAX, 'characters to compare');
  const places: number[] = [];
  let characters = 0;
  let counted = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
    for (; counted < at; characters++) counted += (text.codePointAt(counted) ?? 0) > 0xffff ? 2 : 1;
    places.push(characters);
  }
  return places;
});

/** The first `n` parts of a text, or where `n` is negative the last `-n`. */
const splitN: Builtin = ([text, separator, wanted]) => {
  const n = wholeOf(wanted);
  if (typeof text !== 'string' || typeof separator !== 'string' || n === undefined || BigInt.asIntN(64, n) !== n) return undefined;
  const parts = separator === '' ? [...text] : text.split(separator);
  return n >= 0n ? parts.slice(0, Number(n)) : parts.slice(Number(n));
};

export const STRINGS: BuiltinTable = {
  'strings.any_prefix_match': anyMatch((text, affix) => text.startsWith(affix)),
  'strings.any_suffix_match': anyMatch((text, affix) => text.endsWith(affix)),
  'strings.count': count,
  'strings.split_n': splitN,
  indexof_n: indexOfN,
};

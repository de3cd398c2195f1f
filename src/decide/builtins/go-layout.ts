/* Layouts of Go's package `time`, in which policies write how a time looks: `2006-01-02T15:04:05Z07:00`. */

/** One piece of a layout: what it stands for, and the text that comes before it. */
export type LayoutPiece = { readonly before: string; readonly kind: PieceKind | null; readonly digits: number; readonly point: string };

export type PieceKind =
  | 'month_long' | 'month_short' | 'month' | 'month_zero' | 'weekday_long' | 'weekday_short' | 'day' | 'day_space' | 'day_zero'
  | 'year_day' | 'year_day_space' | 'hour' | 'hour12' | 'hour12_zero' | 'minute' | 'minute_zero' | 'second' | 'second_zero' | 'year'
  | 'year_short' | 'PM' | 'pm' | 'zone' | 'fraction' | 'fraction_trimmed' | OffsetKind; // biome-ignore format: a table

export type OffsetKind = `${'Z' | '-'}${'070000' | '07:00:00' | '0700' | '07:00' | '07'}`;

/** In the order in which they are tried: a longer one before its own beginning. */
const WORDS: readonly (readonly [string, PieceKind])[] = [
  ['January', 'month_long'],
  ['Jan', 'month_short'],
  ['Monday', 'weekday_long'],
  ['Mon', 'weekday_short'],
  ['MST', 'zone'],
  ['002', 'year_day'],
  ['01', 'month_zero'],
  ['02', 'day_zero'],
  ['03', 'hour12_zero'],
  ['04', 'minute_zero'],
  ['05', 'second_zero'],
  ['06', 'year_short'],
  ['15', 'hour'],
  ['1', 'month'],
  ['2006', 'year'],
  ['2', 'day'],
  ['__2', 'year_day_space'],
  ['_2', 'day_space'],
  ['3', 'hour12'],
  ['4', 'minute'],
  ['5', 'second'],
  ['PM', 'PM'],
  ['pm', 'pm'],
  ['-070000', '-070000'],
  ['-07:00:00', '-07:00:00'],
  ['-0700', '-0700'],
  ['-07:00', '-07:00'],
  ['-07', '-07'],
  ['Z070000', 'Z070000'],
  ['Z07:00:00', 'Z07:00:00'],
  ['Z0700', 'Z0700'],
  ['Z07:00', 'Z07:00'],
  ['Z07', 'Z07'],
];

/** Those that OPA knows by name. */
export const NAMED_LAYOUTS: Readonly<Record<string, string>> = {
  ANSIC: 'Mon Jan _2 15:04:05 2006',
  UnixDate: 'Mon Jan _2 15:04:05 MST 2006',
  RubyDate: 'Mon Jan 02 15:04:05 -0700 2006',
  RFC822: '02 Jan 06 15:04 MST',
  RFC822Z: '02 Jan 06 15:04 -0700',
  RFC850: 'Monday, 02-Jan-06 15:04:05 MST',
  RFC1123: 'Mon, 02 Jan 2006 15:04:05 MST',
  RFC1123Z: 'Mon, 02 Jan 2006 15:04:05 -0700',
  RFC3339: '2006-01-02T15:04:05Z07:00',
  RFC3339Nano: '2006-01-02T15:04:05.999999999Z07:00',
};

export const RFC3339 = '2006-01-02T15:04:05Z07:00';
export const RFC3339_NANO = '2006-01-02T15:04:05.999999999Z07:00';
export const MONTHS = 'January,February,March,April,May,June,July,August,September,October,November,December'.split(',');
export const WEEKDAYS = 'Sunday,Monday,Tuesday,Wednesday,Thursday,Friday,Saturday'.split(',');

/** The pieces of a layout; the last one has the text that is left and no kind. */
export function piecesOf(layout: string): readonly LayoutPiece[] {
  const pieces: LayoutPiece[] = [];
  let start = 0;
  for (let at = 0; at < layout.length; ) {
    const found = pieceAt(layout, at);
    if (found === null) {
      at++;
      continue;
    }
    pieces.push({ before: layout.slice(start, at + found.skip), kind: found.kind, digits: found.digits, point: layout.charAt(at) });
    at += found.skip + found.length;
    start = at;
  }
  return [...pieces, { before: layout.slice(start), kind: null, digits: 0, point: '' }];
}

type Found = { readonly kind: PieceKind; readonly skip: number; readonly length: number; readonly digits: number };

function pieceAt(layout: string, at: number): Found | null {
  // an underscore before a year is an underscore
  if (layout.startsWith('_2006', at)) return { kind: 'year', skip: 1, length: 4, digits: 0 };
  const fraction = /^[.,](0+|9+)(?!\d)/.exec(layout.slice(at, at + 32));
  if (fraction !== null) {
    const kind = fraction[1]?.startsWith('0') === true ? 'fraction' : 'fraction_trimmed';
    return { kind, skip: 0, length: fraction[0].length, digits: fraction[0].length - 1 };
  }
  for (const [word, kind] of WORDS) {
    if (!layout.startsWith(word, at)) continue;
    // `Mont` and `Jane` are words
    if ((kind === 'month_short' || kind === 'weekday_short') && /^[a-z]/.test(layout.slice(at + 3))) return null;
    return { kind, skip: 0, length: word.length, digits: 0 };
  }
  return null;
}

import { type LayoutPiece, MONTHS, type OffsetKind, piecesOf, WEEKDAYS } from './go-layout.ts';
import { fixedZone, instantOf, UTC, type Zone } from './time-zone.ts';

/** What has been read so far; -1 is not said. */
class Reading {
  text: string;
  year = 0;
  month = -1;
  day = -1;
  yearDay = -1;
  hour = 0;
  minute = 0;
  second = 0;
  nanosecond = 0;
  half: 'am' | 'pm' | null = null;
  zone: Zone | null = null;
  constructor(text: string) {
    this.text = text;
  }

  /** Takes what matches at the beginning; null where nothing does. */
  take(pattern: RegExp): string | null {
    const found = pattern.exec(this.text)?.[0] ?? null;
    if (found !== null) this.text = this.text.slice(found.length);
    return found;
  }

  number(pattern: RegExp, min: number, max: number): number | null {
    const found = this.take(pattern);
    if (found === null) return null;
    const value = Number(found);
    return value >= min && value <= max ? value : null;
  }
}

const LOOSE = /^\d{1,2}/;
const FIXED = /^\d\d/;

/** The instant that a text in a Go layout says, nanoseconds; undefined where it does not say one (`time.Parse`; a zone's name is UTC's). */
export function parseTime(layout: string, text: string): bigint | undefined {
  const reading = new Reading(text);
  const pieces = piecesOf(layout);
  for (const [index, piece] of pieces.entries()) {
    if (!skip(reading, piece.before)) return undefined;
    if (piece.kind !== null && !read(reading, piece, pieces[index + 1])) return undefined;
  }
  return reading.text === '' ? instant(reading) : undefined;
}

/** The text between pieces; blanks match any number of blanks. */
function skip(reading: Reading, prefix: string): boolean {
  for (let at = 0; at < prefix.length; at++) {
    if (prefix[at] === ' ') {
      if (reading.text !== '' && reading.text[0] !== ' ') return false;
      while (prefix[at + 1] === ' ') at++;
      reading.text = reading.text.replace(/^ +/, '');
    } else if (reading.text[0] === prefix[at]) reading.text = reading.text.slice(1);
    else return false;
  }
  return true;
}

function read(reading: Reading, piece: LayoutPiece, next: LayoutPiece | undefined): boolean {
  const into = (name: 'year' | 'month' | 'day' | 'yearDay' | 'hour' | 'minute' | 'second', value: number | null): boolean => {
    if (value === null) return false;
    reading[name] = value;
    return true;
  };
  const { kind } = piece;
  switch (kind) {
    case null:
      return true;
    case 'year':
      return into('year', reading.number(/^\d{4}/, 0, 9999));
    case 'year_short': {
      const short = reading.number(FIXED, 0, 99);
      return into('year', short === null ? null : short + (short >= 69 ? 1900 : 2000));
    }
    case 'month':
      return into('month', reading.number(LOOSE, 1, 12));
    case 'month_zero':
      return into('month', reading.number(FIXED, 1, 12));
    case 'month_long':
    case 'month_short':
      return into('month', named(reading, MONTHS, kind === 'month_short'));
    case 'weekday_long':
    case 'weekday_short':
      return named(reading, WEEKDAYS, kind === 'weekday_short') !== null;
    case 'day':
      return into('day', reading.number(LOOSE, 0, 99));
    case 'day_space':
      return into('day', reading.number(/^ ?\d{1,2}/, 0, 99));
    case 'day_zero':
      return into('day', reading.number(FIXED, 0, 99));
    case 'year_day':
      return into('yearDay', reading.number(/^\d{3}/, 0, 999));
    case 'year_day_space':
      return into('yearDay', reading.number(/^ {0,2}\d{1,3}/, 0, 999));
    case 'hour':
      return into('hour', reading.number(LOOSE, 0, 23));
    case 'hour12':
      return into('hour', reading.number(LOOSE, 0, 12));
    case 'hour12_zero':
      return into('hour', reading.number(FIXED, 0, 12));
    case 'minute':
      return into('minute', reading.number(LOOSE, 0, 59));
    case 'minute_zero':
      return into('minute', reading.number(FIXED, 0, 59));
    case 'second':
    case 'second_zero':
      if (!into('second', reading.number(kind === 'second' ? LOOSE : FIXED, 0, 59))) return false;
      // a fraction may stand in the text without standing in the layout
      if (next?.before !== '' || next.kind?.startsWith('fraction') !== true) fraction(reading, reading.take(/^[.,]\d+/));
      return true;
    case 'PM':
    case 'pm':
      return half(reading, reading.take(kind === 'PM' ? /^[AP]M/ : /^[ap]m/));
    case 'fraction':
      return fraction(reading, reading.take(new RegExp(`^[.,]\\d{${piece.digits}}`)));
    case 'fraction_trimmed':
      fraction(reading, reading.take(/^[.,]\d+/));
      return true;
    case 'zone':
      return zoneName(reading);
    default:
      return offset(reading, kind);
  }
}

function named(reading: Reading, names: readonly string[], short: boolean): number | null {
  const text = reading.text.toLowerCase();
  for (const [index, name] of names.entries()) {
    const wanted = short ? name.slice(0, 3) : name;
    if (!text.startsWith(wanted.toLowerCase())) continue;
    reading.text = reading.text.slice(wanted.length);
    return index + 1;
  }
  return null;
}

function half(reading: Reading, found: string | null): boolean {
  if (found === null) return false;
  reading.half = found.toLowerCase() === 'pm' ? 'pm' : 'am';
  return true;
}

function fraction(reading: Reading, found: string | null): boolean {
  if (found === null) return false;
  reading.nanosecond = Number(found.slice(1, 10).padEnd(9, '0'));
  return true;
}

const OFFSETS: Readonly<Record<string, RegExp>> = {
  '070000': /^[+-](\d\d)(\d\d)(\d\d)/,
  '07:00:00': /^[+-](\d\d):(\d\d):(\d\d)/,
  '0700': /^[+-](\d\d)(\d\d)/,
  '07:00': /^[+-](\d\d):(\d\d)/,
  '07': /^[+-](\d\d)/,
};

function offset(reading: Reading, kind: OffsetKind): boolean {
  if (kind.startsWith('Z') && reading.take(/^Z/) !== null) {
    reading.zone = UTC;
    return true;
  }
  const found = OFFSETS[kind.slice(1)]?.exec(reading.text);
  if (found === null || found === undefined) return false;
  reading.text = reading.text.slice(found[0].length);
  const [hours = 0, minutes = 0, seconds = 0] = found.slice(1).map(Number);
  if (hours > 24 || minutes > 60 || seconds > 60) return false;
  const size = hours * 3600 + minutes * 60 + seconds;
  reading.zone = fixedZone(found[0].startsWith('-') ? -size : size);
  return true;
}

/** `MST`, `GMT+3`: a name is only a name, as in Go where the zone of the host is UTC. */
function zoneName(reading: Reading): boolean {
  const name = reading.take(
    /^(?:UTC|ChST|MeST|GMT(?:[+-]\d{1,2})?|[+-]\d\d(?:\d\d)?|WITA|[A-Z]{4}T(?![A-Z])|[A-Z]{3}T(?![A-Z])|[A-Z]{3}(?![A-Z]))/,
  );
  if (name === null) return false;
  reading.zone = UTC;
  return true;
}

function instant(reading: Reading): bigint | undefined {
  const { year, half: of } = reading;
  const hour = of === 'pm' && reading.hour < 12 ? reading.hour + 12 : of === 'am' && reading.hour === 12 ? 0 : reading.hour;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  let month = reading.month === -1 ? 1 : reading.month;
  let day = reading.day === -1 ? 1 : reading.day;
  if (reading.yearDay !== -1) {
    if (reading.yearDay < 1 || reading.yearDay > (isLeap ? 366 : 365)) return undefined;
    const date = new Date(Date.UTC(isLeap ? 2000 : 2001, 0, reading.yearDay));
    const isOther = (reading.month !== -1 && month !== date.getUTCMonth() + 1) || (reading.day !== -1 && day !== date.getUTCDate());
    if (isOther) return undefined;
    month = date.getUTCMonth() + 1;
    day = date.getUTCDate();
  }
  const days = month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  if (day < 1 || day > days) return undefined;
  const { minute, second, nanosecond, zone } = reading;
  return instantOf({ year, month, day, hour, minute, second, nanosecond }, zone ?? UTC);
}

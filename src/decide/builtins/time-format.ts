import { type LayoutPiece, MONTHS, type OffsetKind, piecesOf, WEEKDAYS } from './go-layout.ts';
import { type Civil, civilOf, secondsOf, type Zone } from './time-zone.ts';

/** An instant in a Go layout; undefined where the layout asks for the zone's abbreviation and none is known. */
export function formatTime(ns: bigint, zone: Zone, layout: string): string | undefined {
  const civil = civilOf(ns, zone);
  let made = '';
  for (const piece of piecesOf(layout)) {
    const text = piece.kind === 'zone' ? zone.nameAt(secondsOf(ns)) : pieceText(piece, civil);
    if (text === undefined) return undefined;
    made += piece.before + text;
  }
  return made;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function pieceText({ kind, digits, point }: LayoutPiece, at: Civil): string {
  switch (kind) {
    case null:
    case 'zone':
      return '';
    case 'year':
      return String(at.year).padStart(4, '0');
    case 'year_short':
      return two(at.year % 100);
    case 'month_long':
      return MONTHS[at.month - 1] ?? '';
    case 'month_short':
      return (MONTHS[at.month - 1] ?? '').slice(0, 3);
    case 'month':
      return String(at.month);
    case 'month_zero':
      return two(at.month);
    case 'weekday_long':
      return WEEKDAYS[at.weekday] ?? '';
    case 'weekday_short':
      return (WEEKDAYS[at.weekday] ?? '').slice(0, 3);
    case 'day':
      return String(at.day);
    case 'day_space':
      return String(at.day).padStart(2, ' ');
    case 'day_zero':
      return two(at.day);
    case 'year_day':
      return String(at.yearDay).padStart(3, '0');
    case 'year_day_space':
      return String(at.yearDay).padStart(3, ' ');
    case 'hour':
      return two(at.hour);
    case 'hour12':
      return String(at.hour % 12 || 12);
    case 'hour12_zero':
      return two(at.hour % 12 || 12);
    case 'minute':
      return String(at.minute);
    case 'minute_zero':
      return two(at.minute);
    case 'second':
      return String(at.second);
    case 'second_zero':
      return two(at.second);
    case 'PM':
      return at.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return at.hour >= 12 ? 'pm' : 'am';
    case 'fraction':
      return `${point}${String(at.nanosecond).padStart(9, '0').padEnd(digits, '0').slice(0, digits)}`;
    case 'fraction_trimmed': {
      const shown = String(at.nanosecond).padStart(9, '0').slice(0, digits).replace(/0+$/, '');
      return shown === '' ? '' : point + shown;
    }
    default:
      return offsetText(kind, at.offset);
  }
}

function offsetText(kind: OffsetKind, offset: number): string {
  if (kind.startsWith('Z') && offset === 0) return 'Z';
  const sign = offset < 0 ? '-' : '+';
  const size = Math.abs(offset);
  const parts = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60].map(two);
  const count = kind.replaceAll(/[^0]/g, '').length;
  return sign + parts.slice(0, count === 1 ? 1 : count === 3 ? 2 : 3).join(kind.includes(':') ? ':' : '');
}

/* Offsets of time zones, from the time zone data of Node.js. */

const NS = 1_000_000_000n;
const ZONES_MAX = 64;

/** A zone: its offset from UTC at an instant. */
export type Zone = {
  /** Seconds east of UTC. */
  offsetAt(unixSeconds: number): number;
  /** Its abbreviation then; undefined where Node.js has none. */
  nameAt(unixSeconds: number): string | undefined;
};

export const UTC: Zone = { offsetAt: () => 0, nameAt: () => 'UTC' };

const known = new Map<string, Zone | undefined>();

/**
 * A zone by its name in the time zone database; undefined where there is none. `Local` is none: a decision does not depend on the zone of
 * the host that makes it.
 */
export function zoneOf(name: string): Zone | undefined {
  if (name === '' || name === 'UTC') return UTC;
  if (known.has(name)) return known.get(name);
  const made = load(name);
  if (known.size >= ZONES_MAX) known.clear();
  known.set(name, made);
  return made;
}

function load(name: string): Zone | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/.test(name) || name === 'Local') return undefined;
  const parts = format(name, { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
  const short = format(name, { timeZoneName: 'short' });
  if (parts === undefined || short === undefined) return undefined;
  return {
    offsetAt(unixSeconds) {
      const is: Record<string, number> = {};
      for (const { type, value } of parts.formatToParts(unixSeconds * 1000)) is[type] = Number(value);
      const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = is;
      return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - unixSeconds;
    },
    nameAt(unixSeconds) {
      const found = short.formatToParts(unixSeconds * 1000).find(({ type }) => type === 'timeZoneName')?.value;
      // where no abbreviation is known to it, Node.js writes `GMT+1`
      return found === undefined || !/^[A-Z]{2,5}$/.test(found) ? undefined : found;
    },
  };
}

function format(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'gregory', hourCycle: 'h23', ...options });
  } catch {
    return undefined;
  }
}

/** A zone that is always the same distance from UTC. */
export function fixedZone(offset: number): Zone {
  return { offsetAt: () => offset, nameAt: () => undefined };
}

/** An instant as a zone's clocks and calendars show it. */
export type Civil = {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly yearDay: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  readonly offset: number;
};

/** Whole seconds since 1970, rounded down. */
export function secondsOf(ns: bigint): number {
  return Number(ns / NS) - (ns < 0n && ns % NS !== 0n ? 1 : 0);
}

/** What a zone's clocks and calendars show at an instant. */
export function civilOf(ns: bigint, zone: Zone): Civil {
  const seconds = secondsOf(ns);
  const offset = zone.offsetAt(seconds);
  const date = new Date((seconds + offset) * 1000);
  const yearStart = Date.UTC(date.getUTCFullYear(), 0, 1);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - yearStart) / 86_400_000) + 1,
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    nanosecond: Number(ns - BigInt(seconds) * NS),
    offset,
  };
}

type Fields = Pick<Civil, 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'nanosecond'>;

/**
 * The instant of a date and a clock in a zone, nanoseconds; fields above their range carry over, as in Go. Undefined where it does not fit
 * 64 bits.
 */
export function instantOf(fields: Fields, zone: Zone): bigint | undefined {
  const date = new Date(0);
  date.setUTCFullYear(fields.year, fields.month - 1, fields.day);
  const local = date.getTime() / 1000 + fields.hour * 3600 + fields.minute * 60 + fields.second;
  if (!Number.isSafeInteger(local) || Math.abs(local) > 8e12) return undefined;
  const first = zone.offsetAt(local);
  const second = zone.offsetAt(local - first);
  return fitting(BigInt(local - second) * NS + BigInt(fields.nanosecond));
}

/** Nanoseconds that fit 64 bits, or undefined. */
export function fitting(ns: bigint): bigint | undefined {
  return BigInt.asIntN(64, ns) === ns ? ns : undefined;
}

import type { Builtin, BuiltinTable } from './builtin.ts';
import { ofTexts } from './builtin.ts';
import { parseDuration } from './duration.ts';
import { NAMED_LAYOUTS, RFC3339, RFC3339_NANO, WEEKDAYS } from './go-layout.ts';
import { formatTime } from './time-format.ts';
import { parseTime } from './time-parse.ts';
import { type Civil, civilOf, fitting, instantOf, type Zone, zoneOf } from './time-zone.ts';
import { isArray, type RegoValue, wholeNumber, wholeOf } from './value.ts';

type Instant = { readonly ns: bigint; readonly zone: Zone; readonly layout: string };

/** `ns`, `[ns]`, `[ns, zone]` or `[ns, zone, layout]`. */
function instantArgument(value: RegoValue | undefined): Instant | undefined {
  const [time, zoneName = '', layout = ''] = isArray(value) ? value : [value];
  const whole = wholeOf(time);
  const ns = whole === undefined ? undefined : fitting(whole);
  const zone = typeof zoneName === 'string' ? zoneOf(zoneName) : undefined;
  if (ns === undefined || zone === undefined || typeof layout !== 'string') return undefined;
  return { ns, zone, layout };
}

const civil =
  (make: (at: Civil) => RegoValue): Builtin =>
  ([value]) => {
    const at = instantArgument(value);
    return at === undefined ? undefined : make(civilOf(at.ns, at.zone));
  };

const asNumber = (ns: bigint | undefined): RegoValue | undefined => (ns === undefined ? undefined : wholeNumber(ns));

function layoutOf(name: string): string {
  return Object.hasOwn(NAMED_LAYOUTS, name) ? (NAMED_LAYOUTS[name] ?? name) : name;
}

const format: Builtin = ([value]) => {
  const at = instantArgument(value);
  if (at === undefined) return undefined;
  return formatTime(at.ns, at.zone, at.layout === '' ? RFC3339_NANO : layoutOf(at.layout));
};

const addDate: Builtin = ([value, ...added]) => {
  const at = instantArgument(value);
  const [years, months, days] = added.map((one) => wholeOf(one));
  if (at === undefined || years === undefined || months === undefined || days === undefined) return undefined;
  const from = civilOf(at.ns, at.zone);
  const fields = { ...from, year: from.year + Number(years), month: from.month + Number(months), day: from.day + Number(days) };
  return asNumber(instantOf(fields, at.zone));
};

/** Years, months, days, hours, minutes and seconds between two instants, in the zone of the first. */
const diff: Builtin = ([one, other]) => {
  const first = instantArgument(one);
  const second = instantArgument(other);
  if (first === undefined || second === undefined) return undefined;
  const [early, late] = first.ns > second.ns ? [second.ns, first.ns] : [first.ns, second.ns];
  const from = civilOf(early, first.zone);
  const to = civilOf(late, first.zone);
  const parts = [to.year - from.year, to.month - from.month, to.day - from.day, to.hour - from.hour, to.minute - from.minute];
  let [years = 0, months = 0, days = 0, hours = 0, minutes = 0] = parts;
  let seconds = to.second - from.second;
  if (seconds < 0) [seconds, minutes] = [seconds + 60, minutes - 1];
  if (minutes < 0) [minutes, hours] = [minutes + 60, hours - 1];
  if (hours < 0) [hours, days] = [hours + 24, days - 1];
  if (days < 0) [days, months] = [days + new Date(Date.UTC(from.year, from.month, 0)).getUTCDate(), months - 1];
  if (months < 0) [months, years] = [months + 12, years - 1];
  return [years, months, days, hours, minutes, seconds];
};

export const TIME: BuiltinTable = {
  'time.now_ns': (_, moment) => asNumber(moment().nowNs),
  'time.parse_ns': ofTexts(2, (layout, text) => asNumber(parseTime(layoutOf(layout), text))),
  'time.parse_rfc3339_ns': ofTexts(1, (text) => asNumber(parseTime(RFC3339, text))),
  'time.parse_duration_ns': ofTexts(1, (text) => asNumber(parseDuration(text))),
  'time.format': format,
  'time.date': civil(({ year, month, day }) => [year, month, day]),
  'time.clock': civil(({ hour, minute, second }) => [hour, minute, second]),
  'time.weekday': civil(({ weekday }) => WEEKDAYS[weekday] ?? ''),
  'time.add_date': addDate,
  'time.diff': diff,
};

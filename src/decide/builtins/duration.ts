/* Go's `time.ParseDuration`, with OPA's units of days, weeks and years. */

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const HOURS: Readonly<Record<string, number>> = { d: 24, w: 7 * 24, y: 365 * 24 };
const INT64_MAX = 2n ** 63n - 1n;
const SEGMENT = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h|d|w|y)/y;

/** Nanoseconds, or undefined where the text is none or they do not fit 64 bits. */
export function parseDuration(text: string): bigint | undefined {
  const isNegative = text.startsWith('-');
  const rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === '0') return 0n;
  if (rest === '') return undefined;
  let total = 0n;
  SEGMENT.lastIndex = 0;
  while (SEGMENT.lastIndex < rest.length) {
    const found = SEGMENT.exec(rest);
    const size = found === null ? undefined : segmentNs(found[1] ?? '', found[2] ?? '', found[3] ?? '');
    if (size === undefined) return undefined;
    total += size;
    if (total > INT64_MAX + (isNegative ? 1n : 0n)) return undefined;
  }
  return isNegative ? -total : total;
}

function segmentNs(whole: string, fraction: string, unit: string): bigint | undefined {
  if (whole === '' && fraction === '') return undefined;
  const hours = HOURS[unit];
  if (hours !== undefined) {
    const [days = '', part = ''] = String(Number(`${whole || '0'}.${fraction || '0'}`) * hours).split('.');
    return /^\d+$/.test(days) ? segmentNs(days, part, 'h') : undefined;
  }
  const size = UNITS[unit] ?? 0;
  // as Go does it: the fraction is a double, cut to whole nanoseconds
  const kept = fraction.slice(0, 18);
  const part = kept === '' ? 0 : Math.trunc(Number(kept) * (size / 10 ** kept.length));
  return BigInt(whole || '0') * BigInt(size) + BigInt(part);
}

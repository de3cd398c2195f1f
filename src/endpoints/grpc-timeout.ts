/** Milliseconds of one unit of `grpc-timeout` (PROTOCOL-HTTP2.md, TimeoutUnit). */
const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1_000],
  ['m', 1],
  ['u', 1 / 1_000],
  ['n', 1 / 1_000_000],
]);

const DIGITS_MAX = 8;
const FORM = /^[0-9]{1,8}$/;

/**
 * Reads `grpc-timeout` (at most 8 digits and a unit, PROTOCOL-HTTP2.md) into milliseconds, fractions included.
 * Null where the header is absent or not of this form: the configured deadline then stands alone.
 */
export function parseGrpcTimeout(value: string | undefined): number | null {
  if (value === undefined || value.length < 2 || value.length > DIGITS_MAX + 1) return null;
  const unitMs = UNIT_MS.get(value.slice(-1));
  const digits = value.slice(0, -1);
  if (unitMs === undefined || !FORM.test(digits)) return null;
  return Number(digits) * unitMs;
}

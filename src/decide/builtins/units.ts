import type { BuiltinTable } from './builtin.ts';
import { atMost, ofTexts } from './builtin.ts';
import { RegoDecimal, type RegoValue, wholeNumber } from './value.ts';

/* Amounts with units. The arithmetic is that of Go: rationals for `units.parse`, floats of 64 bits of mantissa for `units.parse_bytes`. */

type Rational = readonly [numerator: bigint, denominator: bigint];

const KILO = 1000n;
const KIBI = 1024n;
const LETTERS = ['k', 'm', 'g', 't', 'p', 'e'];
/** Go's double nearest to 0.001, exactly. */
const MILLI: Rational = [1152921504606847n, 2n ** 60n];
const EXPONENT_DIGITS_MAX = 6;
const EXPONENT_MAX = 1000;
const LENGTH_MAX = 1000;

/** The number and the unit; undefined where the exponent is too long. */
function splitAmount(text: string): readonly [string, string] | undefined {
  const found = /^[\d.+-]*(?:[eE][+-]?\d+[\d.+-]*|[eE][+-])*/.exec(text)?.[0] ?? '';
  if (new RegExp(`[eE][+-]?\\d{${EXPONENT_DIGITS_MAX + 1}}`).test(found)) return undefined;
  return [found, text.slice(found.length)];
}

function rationalOf(text: string): Rational | undefined {
  const found = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (found === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = found;
  if (whole + fraction === '') return undefined;
  atMost(Math.abs(Number(exponent)), EXPONENT_MAX, 'as an exponent');
  const digits = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n);
  const shift = Number(exponent) - fraction.length;
  return shift >= 0 ? [digits * 10n ** BigInt(shift), 1n] : [digits, 10n ** BigInt(-shift)];
}

function powerOf(unit: string, letters: string): bigint | undefined {
  const index = LETTERS.indexOf(unit.charAt(0).toLowerCase());
  if (index < 0 || !letters.includes(unit.charAt(0))) return undefined;
  const rest = unit.slice(1);
  if (rest === '') return KILO ** BigInt(index + 1);
  return rest === 'i' ? KIBI ** BigInt(index + 1) : undefined;
}

/** `m` is milli and `M` mega; the other letters may be either case. */
function factorOf(unit: string): Rational | undefined {
  if (unit === '') return [1n, 1n];
  const plain = unit.charAt(0) + unit.slice(1).toLowerCase();
  if (plain === 'm') return MILLI;
  const power = powerOf(plain, 'kKmMgGtTpPeE');
  return power === undefined ? undefined : [power, 1n];
}

function byteFactorOf(unit: string): bigint | undefined {
  if (unit === '') return 1n;
  return powerOf(unit.endsWith('b') && unit.length > 1 ? unit.slice(0, -1) : unit, 'kmgtpe');
}

function parseUnits(raw: string): RegoValue | undefined {
  const split = amountOf(raw.replaceAll('"', ''));
  const factor = split === undefined ? undefined : factorOf(split[1]);
  const amount = split === undefined ? undefined : rationalOf(split[0]);
  if (factor === undefined || amount === undefined) return undefined;
  const numerator = amount[0] * factor[0];
  const denominator = amount[1] * factor[1];
  if (numerator % denominator === 0n) return wholeNumber(numerator / denominator);
  const size = numerator < 0n ? -numerator : numerator;
  const scaled = (2n * size * 10n ** 10n + denominator) / (2n * denominator);
  const digits = String(scaled).padStart(11, '0');
  return new RegoDecimal(`${numerator < 0n ? '-' : ''}${digits.slice(0, -10)}.${digits.slice(-10)}`);
}

function amountOf(text: string): readonly [string, string] | undefined {
  atMost(text.length, LENGTH_MAX, 'characters');
  const split = text.includes(' ') ? undefined : splitAmount(text);
  return split === undefined || split[0] === '' ? undefined : split;
}

function parseBytes(raw: string): RegoValue | undefined {
  const split = amountOf(raw.toLowerCase().replaceAll('"', ''));
  const factor = split === undefined ? undefined : byteFactorOf(split[1]);
  const amount = split === undefined ? undefined : rationalOf(split[0]);
  if (factor === undefined || amount === undefined) return undefined;
  const [numerator, denominator] = rounded(amount);
  const [total, scale] = rounded([numerator * factor, denominator]);
  return wholeNumber(total / scale);
}

/** The nearest number with a mantissa of 64 bits, to even. */
function rounded([numerator, denominator]: Rational): Rational {
  if (numerator === 0n) return [0n, 1n];
  const isNegative = numerator < 0n;
  const size = isNegative ? -numerator : numerator;
  let shift = 64 - (bits(size) - bits(denominator));
  const quotient = (by: number): bigint => (by >= 0 ? (size << BigInt(by)) / denominator : size / (denominator << BigInt(-by)));
  if (bits(quotient(shift)) > 64) shift--;
  const [top, bottom] = shift >= 0 ? [size << BigInt(shift), denominator] : [size, denominator << BigInt(-shift)];
  const whole = top / bottom;
  const left = 2n * (top % bottom);
  const mantissa = whole + (left > bottom || (left === bottom && whole % 2n === 1n) ? 1n : 0n);
  const signed = isNegative ? -mantissa : mantissa;
  return shift >= 0 ? [signed, 1n << BigInt(shift)] : [signed << BigInt(-shift), 1n];
}

function bits(value: bigint): number {
  return value.toString(2).length;
}

export const UNITS: BuiltinTable = {
  'units.parse': ofTexts(1, (text) => parseUnits(text)),
  'units.parse_bytes': ofTexts(1, (text) => parseBytes(text)),
};

/* Doubles as Go's `strconv.FormatFloat` writes them: rounded half to even from the exact value, which `toFixed` does not do. */

/** `0.digits` times ten to the power of `point`. */
type Decimal = { readonly digits: string; readonly point: number };

function trimmed(digits: string, point: number): Decimal {
  const left = digits.replace(/^0+/, '');
  const kept = left.replace(/0+$/, '');
  return kept === '' ? { digits: '', point: 0 } : { digits: kept, point: point - (digits.length - left.length) };
}

/** Every digit of a double. */
function exactDecimal(size: number): Decimal {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, size);
  const raw = view.getBigUint64(0);
  const biased = Number((raw >> 52n) & 0x7ffn);
  const mantissa = (raw & 0xf_ffff_ffff_ffffn) | (biased === 0 ? 0n : 1n << 52n);
  const power = Math.max(biased, 1) - 1075;
  if (power >= 0) {
    const whole = String(mantissa << BigInt(power));
    return trimmed(whole, whole.length);
  }
  const scaled = String(mantissa * 5n ** BigInt(-power));
  return trimmed(scaled, scaled.length + power);
}

/** The fewest digits that read back as the same double. */
function shortestDecimal(size: number): Decimal {
  const [mantissa = '', exponent = '0'] = size.toExponential().split('e');
  return trimmed(mantissa.replace('.', ''), Number(exponent) + 1);
}

/** The first `count` digits. */
function roundedDecimal({ digits, point }: Decimal, count: number): Decimal {
  if (count >= digits.length) return { digits, point };
  if (count < 0) return { digits: '', point: 0 };
  const rest = digits.slice(count);
  const isTie = /^50*$/.test(rest);
  const isOdd = Number(digits.charAt(count - 1) || '0') % 2 === 1;
  const isUp = isTie ? isOdd : rest >= '5';
  const kept = BigInt(`0${digits.slice(0, count)}`) + (isUp ? 1n : 0n);
  const text = String(kept).padStart(count, '0');
  return trimmed(text, point + text.length - Math.max(count, text === '0' ? 1 : count));
}

function fixed(decimal: Decimal, places: number): string {
  const whole = decimal.point > 0 ? decimal.digits.slice(0, decimal.point).padEnd(decimal.point, '0') : '0';
  if (places === 0) return whole;
  const zeros = '0'.repeat(Math.min(Math.max(-decimal.point, 0), places));
  const fraction = (zeros + decimal.digits.slice(Math.max(decimal.point, 0))).slice(0, places);
  return `${whole}.${fraction.padEnd(places, '0')}`;
}

function exponential(decimal: Decimal, places: number): string {
  const digits = decimal.digits === '' ? '0' : decimal.digits;
  const exponent = decimal.digits === '' ? 0 : decimal.point - 1;
  const fraction = places === 0 ? '' : `.${digits.slice(1, places + 1).padEnd(places, '0')}`;
  return `${digits.charAt(0)}${fraction}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** The size of a finite double in the form `e`, `f` or `g`; a precision of -1 is the shortest that reads back the same. */
export function floatText(size: number, form: 'e' | 'f' | 'g', precision: number): string {
  const shortest = precision < 0;
  const decimal = shortest ? shortestDecimal(size) : exactDecimal(size);
  if (form === 'e') {
    const places = shortest ? Math.max(decimal.digits.length - 1, 0) : precision;
    return exponential(roundedDecimal(decimal, places + 1), places);
  }
  if (form === 'f') {
    const places = shortest ? Math.max(decimal.digits.length - decimal.point, 0) : precision;
    return fixed(roundedDecimal(decimal, decimal.point + places), places);
  }
  const wanted = precision === 0 ? 1 : precision;
  const rounded = shortest ? decimal : roundedDecimal(decimal, wanted);
  const exponent = rounded.digits === '' ? 0 : rounded.point - 1;
  let limit = shortest ? 6 : wanted;
  if (!shortest && limit > rounded.digits.length && rounded.digits.length >= rounded.point) limit = rounded.digits.length;
  if (exponent < -4 || exponent >= limit) return exponential(rounded, Math.max(rounded.digits.length - 1, 0));
  return fixed(rounded, Math.max(rounded.digits.length - rounded.point, 0));
}

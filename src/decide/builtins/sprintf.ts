import { atMost, type Builtin, BuiltinLimitError, type BuiltinTable } from './builtin.ts';
import { bytesOfText } from './bytes.ts';
import { floatText } from './go-float.ts';
import { quoted, termText } from './term-text.ts';
import { doubleOf, isArray, isNumber, RegoDecimal, type RegoValue, wholeOf } from './value.ts';

/* Go's `fmt.Sprintf` over whole numbers, doubles and texts, which is what OPA hands to it. */

const WIDTH_MAX = 10_000;

type Argument =
  | { readonly kind: 'int' | 'big'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string };
type Flags = { readonly plus: boolean; readonly minus: boolean; readonly sharp: boolean; readonly space: boolean; readonly zero: boolean };
type Spec = { readonly flags: Flags; readonly width: number | null; readonly precision: number | null };

function argumentOf(value: RegoValue): Argument {
  if (value instanceof RegoDecimal) {
    const double = doubleOf(value);
    return Number.isFinite(double) ? { kind: 'float', value: double } : { kind: 'text', value: value.text };
  }
  if (isNumber(value)) {
    const whole = wholeOf(value) ?? 0n;
    return { kind: BigInt.asIntN(64, whole) === whole ? 'int' : 'big', value: whole };
  }
  return { kind: 'text', value: typeof value === 'string' ? value : termText(value) };
}

const TYPES = { int: 'int64', big: '*big.Int', float: 'float64', text: 'string' } as const;
const PLAIN: Spec = { flags: { plus: false, minus: false, sharp: false, space: false, zero: false }, width: null, precision: null };

function padded(text: string, { flags, width }: Spec, zeros = false): string {
  const missing = (width ?? 0) - [...text].length;
  if (missing <= 0) return text;
  if (flags.minus) return text + ' '.repeat(missing);
  return (zeros && flags.zero ? '0' : ' ').repeat(missing) + text;
}

/** A sign, and zeros between it and the digits. */
function signed(digits: string, isNegative: boolean, prefix: string, spec: Spec, zeros: boolean): string {
  const sign = isNegative ? '-' : spec.flags.plus ? '+' : spec.flags.space ? ' ' : '';
  const missing = zeros && spec.flags.zero && !spec.flags.minus ? (spec.width ?? 0) - sign.length - prefix.length - digits.length : 0;
  return padded(sign + prefix + '0'.repeat(Math.max(missing, 0)) + digits, spec);
}

const BASES: Readonly<Record<string, number>> = { d: 10, v: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

function wholeText(value: bigint, verb: string, spec: Spec, isBig: boolean): string | undefined {
  const base = isBig && verb === 's' ? 10 : BASES[verb];
  if (base === undefined) return isBig ? undefined : characterText(value, verb, spec);
  const size = value < 0n ? -value : value;
  const { precision, flags } = spec;
  if (precision === 0 && size === 0n) return padded('', { ...spec, flags: { ...flags, zero: false } });
  let digits = size.toString(base).padStart(precision ?? 0, '0');
  if (verb === 'X') digits = digits.toUpperCase();
  const prefix =
    verb === 'O'
      ? '0o'
      : !flags.sharp
        ? ''
        : base === 16
          ? `0${verb}`
          : base === 2
            ? '0b'
            : base === 8 && !digits.startsWith('0')
              ? '0'
              : '';
  return signed(digits, value < 0n, prefix, spec, precision === null);
}

function characterText(value: bigint, verb: string, spec: Spec): string | undefined {
  const isCharacter = value >= 0n && value <= 0x10ffffn && (value < 0xd800n || value > 0xdfffn);
  const character = String.fromCodePoint(isCharacter ? Number(value) : 0xfffd);
  if (verb === 'c') return padded(character, spec, true);
  if (verb === 'q') return padded(`'${character === "'" ? "\\'" : character === '"' ? '"' : quoted(character).slice(1, -1)}'`, spec, true);
  if (verb !== 'U') return undefined;
  const text = `U+${BigInt.asUintN(64, value)
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, spec.precision ?? 0), '0')}`;
  return padded(spec.flags.sharp && isCharacter ? `${text} '${character}'` : text, spec);
}

function doubleText(value: number, verb: string, spec: Spec): string | undefined {
  const form = verb === 'v' ? 'g' : verb.toLowerCase();
  if (form !== 'e' && form !== 'f' && form !== 'g') return undefined;
  // `#`, and `%x` and `%b` of doubles, are beyond what a policy prints
  if (spec.flags.sharp) return undefined;
  const text = floatText(Math.abs(value), form, spec.precision ?? (form === 'g' ? -1 : 6));
  return signed(verb === 'E' || verb === 'G' ? text.toUpperCase() : text, value < 0 || Object.is(value, -0), '', spec, true);
}

function stringText(value: string, verb: string, spec: Spec): string | undefined {
  const cut = (text: string): string => (spec.precision === null ? text : [...text].slice(0, spec.precision).join(''));
  if (verb === 'v' || verb === 's') return padded(cut(value), spec, true);
  if (verb === 'q') {
    const text = cut(value);
    const raw = spec.flags.sharp && /^[^`\p{Cc}\ufeff]*$/u.test(text.replaceAll('\t', ''));
    return padded(raw ? `\`${text}\`` : quoted(text), spec, true);
  }
  if (verb !== 'x' && verb !== 'X') return undefined;
  const bytes = bytesOfText(value).subarray(0, spec.precision ?? undefined);
  const prefix = spec.flags.sharp && bytes.length > 0 ? '0x' : '';
  const hex = spec.flags.space
    ? [...bytes].map((one) => prefix + one.toString(16).padStart(2, '0')).join(' ')
    : prefix + bytes.toString('hex');
  return padded(verb === 'X' ? hex.toUpperCase() : hex, spec, true);
}

function argumentText(argument: Argument, verb: string, spec: Spec): string {
  if (verb === 'T') return padded(TYPES[argument.kind], spec);
  const text =
    argument.kind === 'text'
      ? stringText(argument.value, verb, spec)
      : argument.kind === 'float'
        ? doubleText(argument.value, verb, spec)
        : wholeText(argument.value, verb, spec, argument.kind === 'big');
  return text ?? `%!${verb}(${TYPES[argument.kind]}=${argumentText(argument, 'v', spec)})`;
}

const DIRECTIVE = /%([+\-# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(.)?/suy;

/**
 * The text of a format and its arguments.
 * @throws BuiltinLimitError where the format uses argument indexes (`%[1]d`), which are not offered: undefined would take a rule back whose message it is
 */
export function sprintf(format: string, values: readonly RegoValue[]): string {
  const args = values.map(argumentOf);
  let next = 0;
  let made = '';
  const number = (text: string | undefined): { readonly value: number | null; readonly bad: boolean } => {
    if (text === undefined) return { value: null, bad: false };
    if (text !== '*') return { value: Number(text), bad: false };
    const argument = args[next++];
    if (argument?.kind !== 'int' || argument.value > 1_000_000n || argument.value < -1_000_000n) return { value: null, bad: true };
    return { value: Number(argument.value), bad: false };
  };
  for (let at = 0; at < format.length; ) {
    const start = format.indexOf('%', at);
    made += format.slice(at, start < 0 ? undefined : start);
    if (start < 0) break;
    DIRECTIVE.lastIndex = start;
    const [whole = '%', marks = '', widthText, precisionText, verb] = DIRECTIVE.exec(format) ?? [];
    if (/\[/.test(whole)) throw new BuiltinLimitError('argument indexes are not offered');
    at = start + whole.length;
    const width = number(widthText);
    if (width.bad) made += '%!(BADWIDTH)';
    const hasPrecision = /\.(?:\*|\d+)?.?$/su.test(whole) && whole.slice(1 + marks.length + (widthText?.length ?? 0)).startsWith('.');
    const precision = hasPrecision ? number(precisionText ?? '0') : { value: null, bad: false };
    if (precision.bad || (precision.value ?? 0) < 0) made += '%!(BADPREC)';
    atMost(Math.max(Math.abs(width.value ?? 0), precision.value ?? 0), WIDTH_MAX, 'characters wide');
    const isLeft = marks.includes('-') || (width.value ?? 0) < 0;
    const flags: Flags = {
      plus: marks.includes('+'),
      minus: isLeft,
      sharp: marks.includes('#'),
      space: marks.includes(' '),
      zero: marks.includes('0') && !isLeft,
    };
    const isPrecise = precision.value !== null && precision.value >= 0;
    const spec: Spec = { flags, width: width.value === null ? null : Math.abs(width.value), precision: isPrecise ? precision.value : null };
    if (verb === undefined) made += '%!(NOVERB)';
    else if (verb === '%') made += '%';
    else {
      const argument = args[next++];
      made += argument === undefined ? `%!${verb}(MISSING)` : argumentText(argument, verb, spec);
    }
  }
  if (next >= args.length) return made;
  return `${made}%!(EXTRA ${args
    .slice(next)
    .map((one) => `${TYPES[one.kind]}=${argumentText(one, 'v', PLAIN)}`)
    .join(', ')})`;
}

const builtin: Builtin = ([format, values]) => (typeof format === 'string' && isArray(values) ? sprintf(format, values) : undefined);

export const SPRINTF: BuiltinTable = { sprintf: builtin };

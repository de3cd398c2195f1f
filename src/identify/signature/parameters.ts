import type { SignatureCode } from '../../contract/signature.ts';

/** Year 9999, as for tokens. */
const TIME_MAX = 253_402_300_799;
const PARAMETERS_MAX = 16;
const TEXT_MAX = 512;

/** Parameters of a signature (RFC 9421 section 2.3). Those that are not known here are covered, and mean nothing. */
export type SignatureParameters = {
  /** Unix seconds. */
  readonly created: number | null;
  readonly expires: number | null;
  readonly nonce: string | null;
  readonly algorithm: string | null;
  readonly keyId: string | null;
  readonly tag: string | null;
};

/** How a signature's times are judged. */
export type TimeRules = {
  readonly clockSkewSeconds: number;
  /** Since `created`; null where only `expires` counts, which then is required. */
  readonly ageMaxSeconds: number | null;
  /** From `created` to `expires`. */
  readonly lifetimeMaxSeconds: number;
};

/** The parameters with their types; null where one has another type or is too long. */
export function readParameters(parameters: ReadonlyMap<string, unknown>): SignatureParameters | null {
  if (parameters.size > PARAMETERS_MAX) return null;
  const created = timeOf(parameters.get('created'));
  const expires = timeOf(parameters.get('expires'));
  const nonce = textOf(parameters.get('nonce'));
  const algorithm = textOf(parameters.get('alg'));
  const keyId = textOf(parameters.get('keyid'));
  const tag = textOf(parameters.get('tag'));
  const wrong = [created, expires, nonce, algorithm, keyId, tag].includes(undefined);
  if (wrong) return null;
  return {
    created: created ?? null,
    expires: expires ?? null,
    nonce: nonce ?? null,
    algorithm: algorithm ?? null,
    keyId: keyId ?? null,
    tag: tag ?? null,
  };
}

/** Null where there is none, undefined where it is none. */
function timeOf(value: unknown): number | null | undefined {
  if (value === undefined) return null;
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= TIME_MAX ? value : undefined;
}

function textOf(value: unknown): string | null | undefined {
  if (value === undefined) return null;
  return typeof value === 'string' && value !== '' && value.length <= TEXT_MAX ? value : undefined;
}

/** Holds the times against now (RFC 9421 section 3.2); at `expires` itself a signature has expired. */
export function judgeTimes({ created, expires }: SignatureParameters, nowSeconds: number, rules: TimeRules): SignatureCode | null {
  const { clockSkewSeconds: skew, ageMaxSeconds, lifetimeMaxSeconds } = rules;
  if (created === null || (ageMaxSeconds === null && expires === null)) return 'signature_parameter_missing';
  if (expires !== null && expires <= created) return 'signature_parameter_invalid';
  if (nowSeconds < created - skew) return 'signature_created_in_future';
  if (expires !== null && nowSeconds >= expires + skew) return 'signature_expired';
  if (ageMaxSeconds !== null && nowSeconds > created + ageMaxSeconds + skew) return 'signature_too_old';
  return expires !== null && expires - created > lifetimeMaxSeconds ? 'signature_lifetime_too_long' : null;
}

/** Unix milliseconds from which the times refuse the signature by themselves: for as long its nonce is remembered. */
export function endsAtMs({ created, expires }: SignatureParameters, { clockSkewSeconds, ageMaxSeconds }: TimeRules): number {
  const byAge = ageMaxSeconds === null ? Number.POSITIVE_INFINITY : (created ?? 0) + ageMaxSeconds;
  return (Math.min(byAge, expires ?? Number.POSITIVE_INFINITY) + clockSkewSeconds) * 1000 + 1;
}

import type { KeyObject } from 'node:crypto';

const BITS_MIN = 2048;
/** A check with a larger key holds up everything else for more than a millisecond. */
const BITS_MAX = 8192;
const EXPONENT_MAX = 2n ** 64n;

/** True for an RSA key that is fit for signatures: RFC 7518 section 3.3, an odd exponent above 1, not of the ROCA kind. */
export function isSoundRsaKey(key: KeyObject, modulus: bigint): boolean {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const exponent = key.asymmetricKeyDetails?.publicExponent ?? 0n;
  if (bits < BITS_MIN || bits > BITS_MAX) return false;
  if (exponent < 3n || exponent % 2n === 0n || exponent > EXPONENT_MAX) return false;
  return !isRocaModulus(modulus);
}

/** Primes modulo which the powers of 65537 leave out most residues. */
const ROCA_PRIMES = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

const ROCA_RESIDUES: readonly { readonly prime: bigint; readonly powers: ReadonlySet<number> }[] = ROCA_PRIMES.map((prime) => {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65537) % prime) powers.add(power);
  return { prime: BigInt(prime), powers };
});

/**
 * CVE-2017-15361: keys made by a faulty library are powers of 65537 modulo small primes, and can be factored from the public part.
 * A sound key looks like one by chance once in 2^27.
 */
function isRocaModulus(modulus: bigint): boolean {
  return ROCA_RESIDUES.every(({ prime, powers }) => powers.has(Number(modulus % prime)));
}

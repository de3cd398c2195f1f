import type { SignatureCode } from '../../contract/signature.ts';
import type { CheckSignature } from '../algorithms.ts';

/** RFC 9421 section 6.2 by JOSE's names of the same; without HMAC, whose keys everybody who verifies could sign with. */
export const HTTP_ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['ed25519', 'EdDSA'],
  ['ecdsa-p256-sha256', 'ES256'],
  ['ecdsa-p384-sha384', 'ES384'],
  ['rsa-pss-sha512', 'PS512'],
  ['rsa-v1_5-sha256', 'RS256'],
]);

/** JOSE's names for a list of ours; what is none of ours is left out. */
export function joseNames(algorithms: readonly string[]): ReadonlySet<string> {
  return new Set(algorithms.map((name) => HTTP_ALGORITHMS.get(name)).filter((name) => name !== undefined));
}

/** A check with the name of its algorithm. */
export type NamedCheck = { readonly algorithm: string; readonly check: CheckSignature };

/**
 * The one check of a key (RFC 9421 section 3.2, step 6): of the algorithm that the signature names, which must be the key's and allowed, else of
 * the only one that is both. A key that could be used by two is used by none, so that the signer does not choose.
 */
export function chooseCheck(
  checks: ReadonlyMap<string, CheckSignature>,
  named: string | null,
  allowed: readonly string[],
): NamedCheck | SignatureCode {
  const found: NamedCheck[] = [];
  for (const algorithm of named === null ? allowed : [named]) {
    const check = checks.get(HTTP_ALGORITHMS.get(algorithm) ?? '');
    if (check !== undefined) found.push({ algorithm, check });
  }
  const [first, second] = found;
  return first === undefined || second !== undefined ? 'signature_algorithm_mismatch' : first;
}

import { hash } from 'node:crypto';
import type { SignatureCode, SignatureValue } from '../../contract/signature.ts';
import { bytesOf, fieldText, hasRepeatedNames, isInnerList, parseFieldDictionary } from '../../formats/structured-fields.ts';

/** RFC 9530 section 5: the ones that are not deprecated. */
const ALGORITHMS: ReadonlyMap<string, 'sha256' | 'sha512'> = new Map([
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
]);

/**
 * Holds the body against `content-digest` (RFC 9530 section 2): each digest of an algorithm that is known must be right. `unchecked` where none is
 * known, or where the body was not handed on whole.
 */
export function judgeDigest(lines: readonly string[], body: Uint8Array | null): SignatureValue['digest'] | SignatureCode {
  const text = fieldText(lines);
  const digests = parseFieldDictionary(text);
  if (digests === null || digests.size === 0 || hasRepeatedNames(text, digests)) return 'signature_digest_invalid';
  let matched = false;
  for (const [name, member] of digests) {
    const bytes = isInnerList(member) ? null : bytesOf(member[0]);
    if (bytes === null) return 'signature_digest_invalid';
    const algorithm = ALGORITHMS.get(name);
    if (algorithm === undefined || body === null) continue;
    if (!hash(algorithm, body, 'buffer').equals(bytes)) return 'signature_digest_mismatch';
    matched = true;
  }
  return matched ? 'matched' : 'unchecked';
}

import type { SignatureCode } from '../../contract/signature.ts';
import { componentValue, type SignedMessage, type SignedOrigin } from './component-value.ts';
import type { OfferedSignature } from './signature-fields.ts';

/** The bytes that were signed (RFC 9421 section 2.5), or the first component that has no value. */
export function signatureBase(
  { components, signed }: Pick<OfferedSignature, 'components' | 'signed'>,
  message: SignedMessage,
  origin: SignedOrigin | null,
): Buffer | SignatureCode {
  let base = '';
  for (const component of components) {
    const read = componentValue(component, message, origin);
    if ('code' in read) return read.code;
    base += `${component.text}: ${read.value}\n`;
  }
  return Buffer.from(`${base}"@signature-params": ${signed}`, 'latin1');
}

const OF_ORIGIN: ReadonlySet<string> = new Set(['@authority', '@scheme', '@target-uri']);

/**
 * The bytes that may have been signed: one reading for each of the origins, where the signature covers any of it. None of the origins is known
 * where the list is empty.
 */
export function signatureBases(
  signature: OfferedSignature,
  message: SignedMessage,
  origins: readonly SignedOrigin[],
): readonly Buffer[] | SignatureCode {
  const wanted = signature.components.some(({ name }) => OF_ORIGIN.has(name)) && origins.length > 0 ? origins : [origins[0] ?? null];
  const bases: Buffer[] = [];
  for (const origin of wanted) {
    const base = signatureBase(signature, message, origin);
    if (typeof base === 'string') return base;
    bases.push(base);
  }
  return bases;
}

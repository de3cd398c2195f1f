import type { Signal } from '../../contract/signals.ts';
import type { SignatureCode, SignatureValue } from '../../contract/signature.ts';

export type SignatureSignal = Signal<SignatureValue, SignatureCode>;

const ABSENT: ReadonlySet<SignatureCode> = new Set<SignatureCode>([
  'signature_missing',
  'signature_unchecked',
  'signature_profile_unknown',
]);
const UNAVAILABLE: ReadonlySet<SignatureCode> = new Set<SignatureCode>([
  'public_origin_unknown',
  'keys_unavailable',
  'directory_pending',
  'directory_unavailable',
  'directory_budget_exhausted',
  'verification_budget_exhausted',
  'replay_memory_too_young',
  'store_unavailable',
  'store_full',
]);

const REFUSALS = new Map<SignatureCode, SignatureSignal>();

/** The signal of a code; each is made once. What is neither absent nor ours to mend was offered and refused. */
export function refusal(code: SignatureCode): SignatureSignal {
  const made: SignatureSignal = REFUSALS.get(code) ?? {
    status: ABSENT.has(code) ? 'absent' : UNAVAILABLE.has(code) ? 'unavailable' : 'invalid',
    code,
  };
  REFUSALS.set(code, made);
  return made;
}

import { NOTHING_COMPARED } from '../contract/agreement.ts';
import type { Identity } from '../contract/identity.ts';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import type { IdentitySignals, TokenValue } from '../contract/signals.ts';
import type { Case } from './schema.ts';

export const CASE_TRUST_DOMAIN = 'trust.cases.example';
type Given = Case['given'];

/** The signal of a case's transaction token, which nobody has to verify. */
export function txnSignalOf({ txn_token: claims, txn_token_defect: defect }: Given, nowSeconds: number): IdentitySignals['txnToken'] {
  if (claims === undefined) return { status: 'absent', code: 'txn_token_missing' };
  if (defect === 'txn_token_unchecked') return { status: 'absent', code: defect };
  if (defect === 'keys_unavailable') return { status: 'unavailable', code: defect };
  if (defect !== undefined) return { status: 'invalid', code: defect };
  const text = (name: string): string => String(claims[name] ?? '');
  const object = (name: string): JsonObject => (isJsonObject(claims[name]) ? claims[name] : {});
  return {
    status: 'present',
    value: {
      issuer: 'https://tts.cases.example',
      txn: text('txn'),
      subject: text('sub'),
      scopes: text('scope').split(' '),
      requestingWorkload: text('req_wl'),
      trustDomain: CASE_TRUST_DOMAIN,
      transactionContext: object('tctx'),
      requesterContext: object('rctx'),
      issuedAt: nowSeconds - 10,
      expiresAt: nowSeconds + 300,
    },
  };
}

/** What the two tokens say of each other; other pieces of evidence are compared at the other levels. */
export function agreementOf(token: TokenValue | null, txn: IdentitySignals['txnToken']): Omit<Identity['evidence']['agreement'], 'client'> {
  if (token === null || txn.status !== 'present' || token.subject === null) return NOTHING_COMPARED;
  const same = token.subject === txn.value.subject;
  if (same && token.verifiedBy === 'pep') return NOTHING_COMPARED;
  return {
    pairs: { ...NOTHING_COMPARED.pairs, token_txn_token: same ? 'agree' : 'conflict' },
    conflicts: same ? [] : ['token_txn_token'],
  };
}

import { SignJWT } from 'jose';
import { NOTHING_COMPARED } from '../../src/contract/agreement.ts';
import type { Identity } from '../../src/contract/identity.ts';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import type { IdentitySignals, TokenValue } from '../../src/contract/signals.ts';
import type { IssuerOptions } from '../../src/identify/options.ts';
import type { Case } from './schema.ts';

/* Transaction tokens of cases: as the signal that would come of them, and as they are sent. */

const TRUST_DOMAIN = 'trust.cases.example';
type Given = Case['given'];
type Signer = { readonly key: CryptoKeyOrObject; readonly otherKey: CryptoKeyOrObject };
type CryptoKeyOrObject = Parameters<SignJWT['sign']>[0];

/** The signal, for the level that verifies nothing. */
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
      trustDomain: TRUST_DOMAIN,
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

/** The `txn-token` headers that a case's client sends. */
export async function txnTokensOf({ given }: Case, signer: Signer): Promise<readonly string[]> {
  const { txn_token: claims, txn_token_defect: defect } = given;
  if (claims === undefined) return [];
  const now = Math.floor(Date.parse(given.time) / 1000);
  const expired = defect === 'token_expired';
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'cases-1', typ: defect === 'type_not_allowed' ? 'at+jwt' : 'txntoken+jwt' })
    .setAudience(TRUST_DOMAIN)
    .setIssuedAt(expired ? now - 7200 : now - 10)
    .setExpirationTime(expired ? now - 3600 : now + 300)
    .sign(defect === 'signature_invalid' ? signer.otherKey : signer.key);
  return defect === 'txn_token_multiple' ? [token, token] : [token];
}

/** The transaction token service, beside the issuer of access tokens whose settings it shares. */
export function txnIssuers(given: Given, like: IssuerOptions, jwksFile: string): readonly IssuerOptions[] {
  if (given.txn_token_defect === 'txn_token_unchecked') return [];
  const file = given.txn_token_defect === 'keys_unavailable' ? `${jwksFile}.missing` : jwksFile;
  return [{ ...like, kind: 'txn_token', issuer: 'https://tts.cases.example', audiences: [TRUST_DOMAIN], types: [], jwksFile: file }];
}

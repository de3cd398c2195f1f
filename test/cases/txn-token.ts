import { SignJWT } from 'jose';
import type { Case } from '../../src/cases/schema.ts';
import { CASE_TRUST_DOMAIN } from '../../src/cases/txn-token.ts';
import type { IssuerOptions } from '../../src/identify/options.ts';

/* Transaction tokens of cases: as they are sent. */

type Given = Case['given'];
type Signer = { readonly key: CryptoKeyOrObject; readonly otherKey: CryptoKeyOrObject };
type CryptoKeyOrObject = Parameters<SignJWT['sign']>[0];

/** The `txn-token` headers that a case's client sends. */
export async function txnTokensOf({ given }: Case, signer: Signer): Promise<readonly string[]> {
  const { txn_token: claims, txn_token_defect: defect } = given;
  if (claims === undefined) return [];
  const now = Math.floor(Date.parse(given.time) / 1000);
  const expired = defect === 'token_expired';
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'cases-1', typ: defect === 'type_not_allowed' ? 'at+jwt' : 'txntoken+jwt' })
    .setAudience(CASE_TRUST_DOMAIN)
    .setIssuedAt(expired ? now - 7200 : now - 10)
    .setExpirationTime(expired ? now - 3600 : now + 300)
    .sign(defect === 'signature_invalid' ? signer.otherKey : signer.key);
  return defect === 'txn_token_multiple' ? [token, token] : [token];
}

/** The transaction token service, beside the issuer of access tokens whose settings it shares. */
export function txnIssuers(given: Given, like: IssuerOptions, jwksFile: string): readonly IssuerOptions[] {
  if (given.txn_token_defect === 'txn_token_unchecked') return [];
  const file = given.txn_token_defect === 'keys_unavailable' ? `${jwksFile}.missing` : jwksFile;
  return [{ ...like, kind: 'txn_token', issuer: 'https://tts.cases.example', audiences: [CASE_TRUST_DOMAIN], types: [], jwksFile: file }];
}

import type { Identity } from '../../src/contract/identity.ts';
import type { HttpFacts } from '../../src/contract/request.ts';
import type { IdentifierParts } from '../../src/identify/identifier.ts';
import type { DpopOptions, IdentityOptions } from '../../src/identify/options.ts';
import { createProofKey, makeProof, type ProofKeyPair, type ProofParts } from '../support/dpop.ts';
import {
  type Bench,
  type Claims,
  createBench,
  createSigningKey,
  identityOptions,
  issuerOptions,
  keysAtHand,
  makeToken,
  NOW,
  type RequestFacts,
} from './fixtures.ts';

/* An issuer, a client with a key, and an identifier: for tests of tokens that are bound to something. */

/** GET https://api.example/orders/42 as the border gives it. */
export function httpFacts(more: Partial<HttpFacts> = {}): HttpFacts {
  return {
    method: 'GET',
    scheme: 'https',
    host: 'api.example',
    port: null,
    path: '/orders/42',
    pathRaw: '/orders/42',
    segments: ['orders', '42'],
    query: new Map(),
    headers: new Map(),
    body: { status: 'absent', reason: null, contentType: null, size: null, json: null },
    pathAmbiguous: false,
    ...more,
  };
}

const signer = await createSigningKey('k1');
export const client: ProofKeyPair = await createProofKey();
export const stranger: ProofKeyPair = await createProofKey();
/** Bound to the client's key. */
export const bound = await makeToken(signer, { cnf: { jkt: client.jkt } });
export const unboundToken = await makeToken(signer);
export const token = (claims: Claims): Promise<string> => makeToken(signer, claims);

export async function createDpopBench(
  dpop: Partial<DpopOptions> = {},
  more: Partial<IdentityOptions> = {},
  parts: Partial<IdentifierParts> = {},
): Promise<Bench> {
  const options = identityOptions([issuerOptions({ jwksUrl: 'https://as.example/jwks' })], more);
  const bench = createBench({ ...options, dpop: { ...options.dpop, ...dpop } }, { ...keysAtHand([signer.jwk]), ...parts });
  await bench.identifier.start();
  bench.identifier.stop();
  return bench;
}

/** A proof of the client for the bound token at the time of the tests. */
export function proof(parts: ProofParts = {}, key: ProofKeyPair = client): Promise<string> {
  return makeProof(key, { token: bound, iat: NOW, ...parts });
}

/** The bound token with a proof. */
export function withProof(proofText: string, more: RequestFacts = {}): RequestFacts {
  return { authorization: [`DPoP ${bound}`], dpop: [proofText], http: httpFacts(), ...more };
}

/** `matched`, or `status code` of the binding. */
export function bindingOf({ signals: { binding }, evidence }: Identity): string {
  return binding.status === 'present' ? evidence.binding : `${binding.status} ${binding.code}`;
}

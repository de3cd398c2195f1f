import { type KeyObject, verify } from 'node:crypto';
import type { HttpFacts } from '../../src/contract/request.ts';
import { bindSignatureCheck, SIGNATURE_ALGORITHMS } from '../../src/identify/algorithms.ts';
import { createIdentifier, type IdentifierParts, type RunningIdentifier } from '../../src/identify/identifier.ts';
import type { IdentityOptions, IssuerOptions } from '../../src/identify/options.ts';
import {
  type Claims,
  createParts,
  createTestClock,
  identityOptions,
  issuerOptions,
  keysAtHand,
  makeRequest,
  makeToken,
  type RequestFacts,
  type SigningKey,
} from '../../test/identify/fixtures.ts';

/** Stands still at the start of the bench: tokens and proofs stay valid, and certificates are made as of the machine's clock. */
const clock = createTestClock();
clock.wallSeconds = Math.floor(Date.now() / 1000);
export const nowSeconds = clock.wallSeconds;

export const ORIGIN = 'https://api.example';

const HTTP: HttpFacts = {
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
};

/** GET https://api.example/orders/42 of a client with an address, with this evidence. */
export function requestWith(facts: RequestFacts) {
  return makeRequest(clock, { http: HTTP, trusts: ['client_address', 'forwarded', 'client_certificate'], ...facts });
}

/** A started identifier with the service's defaults over one issuer with these keys. */
export async function identifierOver(
  keys: readonly SigningKey[],
  options: Partial<IdentityOptions> = {},
  parts: Partial<IdentifierParts> = {},
  issuer: Partial<IssuerOptions> = {},
  /** What has to be asked while it still may fetch. */
  warmUp: (identifier: RunningIdentifier) => Promise<void> = () => Promise.resolve(),
): Promise<RunningIdentifier> {
  const issuers = [issuerOptions({ jwksUrl: 'https://as.example/jwks', ...issuer })];
  const published = keysAtHand(keys.map(({ jwk }) => (issuer.kind === 'jwt_svid' ? { ...jwk, use: 'jwt-svid' } : jwk)));
  const identifier = createIdentifier(identityOptions(issuers, options), createParts(clock, { ...published, ...parts }));
  await identifier.start();
  await warmUp(identifier);
  identifier.stop();
  return identifier;
}

/** A token that is valid while the bench runs. */
export function tokenNow(key: SigningKey, claims: Claims = {}, header: Claims = {}): Promise<string> {
  return makeToken(key, { iat: nowSeconds - 10, exp: nowSeconds + 3600, ...claims }, header);
}

/** The bare check of a JWS: node:crypto's `verify` over bytes and a key that are ready. */
export function bareVerification(texts: readonly string[], algorithm: string, key: KeyObject): (index: number) => boolean {
  const found = SIGNATURE_ALGORITHMS.get(algorithm);
  if (found === undefined) throw new Error(`no algorithm ${algorithm}`);
  const check = found.pss || found.curve !== null ? bindSignatureCheck(found, key) : plainCheck(found.hash, key);
  const parts = texts.map((text) => {
    const end = text.lastIndexOf('.');
    return { data: Buffer.from(text.slice(0, end)), signature: Buffer.from(text.slice(end + 1), 'base64url') };
  });
  return (index) => {
    const part = parts[index];
    return part !== undefined && check(part.data, part.signature);
  };
}

function plainCheck(hash: string | null, key: KeyObject): (data: Buffer, signature: Buffer) => boolean {
  return (data, signature) => verify(hash, data, key, signature);
}

import { createPublicKey } from 'node:crypto';
import type { IdentityOptions, IssuerOptions } from '../../src/identify/options.ts';
import { createSigningKey } from '../../test/identify/fixtures.ts';
import { bareVerification, identifierOver, requestWith, tokenNow } from './identifier.ts';
import { type EvidenceKind, fresh, type PreparedKind, QUESTIONS } from './kind.ts';

/* Bearer tokens: verified for the first time, and seen before. */

/** Room for a few tokens only, so that each is gone before it comes again. */
const FORGETFUL: Partial<IdentityOptions> = { tokenCache: { bytesMax: 32_768, ttlSeconds: 300 } };

const SVID_ISSUER: Partial<IssuerOptions> = { kind: 'jwt_svid', issuer: 'spiffe://td.example' };
const SVID_CLAIMS = { iss: undefined, sub: 'spiffe://td.example/agent/a' };

async function prepareTokens(algorithm: string, seen: boolean, svid = false): Promise<PreparedKind> {
  const key = await createSigningKey('k1', algorithm);
  const [claims, header] = svid ? [SVID_CLAIMS, { typ: 'JWT' }] : [{}, {}];
  const tokens = await Promise.all(Array.from({ length: QUESTIONS }, (_, index) => tokenNow(key, { ...claims, jti: `t${index}` }, header)));
  const identifier = await identifierOver([key], seen ? {} : FORGETFUL, {}, svid ? SVID_ISSUER : {});
  return {
    identify: identifier.identify,
    question: (index) => requestWith({ authorization: [fresh(`Bearer ${tokens[index]}`)] }),
    isRight: ({ evidence }) => evidence.assurance === 2,
    ...(seen ? {} : { bare: bareVerification(tokens, algorithm, createPublicKey({ key: key.jwk, format: 'jwk' })) }),
  };
}

const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;

export const tokenKinds: readonly EvidenceKind[] = [
  ...ALGORITHMS.flatMap((algorithm): EvidenceKind[] => [
    { name: `token ${algorithm}, first time`, prepare: () => prepareTokens(algorithm, false) },
    { name: `token ${algorithm}, seen before`, goal: { usBelow: 3 }, prepare: () => prepareTokens(algorithm, true) },
  ]),
  { name: 'JWT-SVID ES256, first time', prepare: () => prepareTokens('ES256', false, true) },
  { name: 'JWT-SVID ES256, seen before', goal: { usBelow: 3 }, prepare: () => prepareTokens('ES256', true, true) },
];

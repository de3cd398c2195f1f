import { createHash, createPublicKey } from 'node:crypto';
import { createMemoryReplays } from '../../src/stores/memory-replays.ts';
import type { ReplayMemory } from '../../src/stores/replay-memory.ts';
import { createSigningKey } from '../../test/identify/fixtures.ts';
import { createAuthority } from '../../test/support/certificates.ts';
import { createProofKey, makeProof } from '../../test/support/dpop.ts';
import { bareVerification, identifierOver, nowSeconds, ORIGIN, requestWith, tokenNow } from './identifier.ts';
import { type EvidenceKind, fresh, type PreparedKind, QUESTIONS } from './kind.ts';

/* What binds a token to its sender: the cost beside that of the same token, seen before and bound to nothing. */

/** The real memory, emptied before each round: the same proofs are used again, since an RSA signature takes a client a millisecond. */
function forgettingReplays(): { readonly replays: ReplayMemory; forget(): void } {
  const empty = () => createMemoryReplays({ entriesMax: 100_000, startedAtMs: (nowSeconds - 60) * 1000 });
  let memory = empty();
  return {
    replays: {
      sinceMs: null,
      remember: (key, nowMs, untilMs, budgetMs) => memory.remember(key, nowMs, untilMs, budgetMs),
      status: () => memory.status(),
      close: () => memory.close(),
    },
    forget() {
      memory = empty();
    },
  };
}

async function prepareProofs(algorithm: string, keyKnown: boolean): Promise<PreparedKind> {
  const [signer, client] = [await createSigningKey('k1'), await createProofKey(algorithm)];
  const [bound, plain] = [await tokenNow(signer, { cnf: { jkt: client.jkt } }), await tokenNow(signer)];
  const proofs = await Promise.all(
    Array.from({ length: QUESTIONS }, () => makeProof(client, { token: bound, htu: `${ORIGIN}/orders/42`, iat: nowSeconds })),
  );
  const { replays, forget } = forgettingReplays();
  const options = { publicOrigins: [ORIGIN], dpop: { ...DPOP, keyCache: { entriesMax: keyKnown ? 10_000 : 0 } } };
  const identifier = await identifierOver([signer], options, { replays });
  return {
    identify: identifier.identify,
    question: (index) => requestWith({ authorization: [fresh(`DPoP ${bound}`)], dpop: [fresh(proofs[index] ?? '')] }),
    without: () => requestWith({ authorization: [fresh(`Bearer ${plain}`)] }),
    isRight: ({ evidence, signals }) =>
      signals.binding.status === 'present' ? evidence.assurance === 4 : signals.binding.code === 'token_not_bound',
    beforeRound: forget,
    bare: bareVerification(proofs, algorithm, createPublicKey({ key: client.jwk, format: 'jwk' })),
  };
}

const DPOP = {
  algorithms: ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'],
  ageMaxSeconds: 60,
  clockSkewSeconds: 5,
  proofBytesMax: 8192,
  nonce: null,
};

async function prepareCertificateBound(): Promise<PreparedKind> {
  const signer = await createSigningKey('k1');
  const { der, pem } = createAuthority().client({ commonName: 'a', uris: ['spiffe://td.example/agent/a'] });
  const thumbprint = createHash('sha256').update(der).digest('base64url');
  const [bound, plain] = [await tokenNow(signer, { cnf: { 'x5t#S256': thumbprint } }), await tokenNow(signer)];
  const identifier = await identifierOver([signer]);
  const facts = (token: string) =>
    requestWith({
      authorization: [fresh(`Bearer ${token}`)],
      certificates: [{ form: 'xfcc', header: fresh(`Cert="${encodeURIComponent(pem)}"`) }],
    });
  return {
    identify: identifier.identify,
    question: () => facts(bound),
    without: () => facts(plain),
    isRight: ({ evidence }) => evidence.assurance === (evidence.binding === 'matched' ? 4 : 3),
  };
}

export const bindingKinds: readonly EvidenceKind[] = [
  ...['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'].map(
    (algorithm): EvidenceKind => ({
      name: `DPoP proof ${algorithm}`,
      goal: { ratioMax: 1.3 },
      prepare: () => prepareProofs(algorithm, true),
    }),
  ),
  ...['RS256', 'ES256'].map(
    (algorithm): EvidenceKind => ({ name: `DPoP proof ${algorithm}, key not seen before`, prepare: () => prepareProofs(algorithm, false) }),
  ),
  { name: 'binding to a known certificate', prepare: prepareCertificateBound },
];

import { createPublicKey, verify } from 'node:crypto';
import type { IssuerOptions } from '../../src/identify/options.ts';
import { createSigningKey } from '../../test/identify/fixtures.ts';
import { ACTIVE, introspectionOptions } from '../../test/identify/introspection/fixtures.ts';
import { createTestRegistry } from '../../test/identify/registries.ts';
import { LINES, profileOptions, signedRequest, signer } from '../../test/identify/signature/signed.ts';
import { startIntrospectionServer } from '../../test/support/introspection-server.ts';
import { createKey, HASH_KEYS } from '../../test/support/registry.ts';
import { identifierOver, nowSeconds, requestWith, tokenNow } from './identifier.ts';
import { type EvidenceKind, fresh, type PreparedKind, QUESTIONS } from './kind.ts';

/* API keys, opaque tokens, transaction tokens and message signatures. */

async function prepareApiKeys(): Promise<PreparedKind> {
  const registry = createTestRegistry();
  const keys = Array.from({ length: QUESTIONS }, (_, index) => createKey(`client-${index}`));
  registry.declare({
    clients: keys.map((_, index) => ({ clientId: `client-${index}`, type: 'service' })),
    keys: keys.map(({ entry }) => entry),
  });
  const identifier = await identifierOver([], {}, { registry: { registry, hashKeys: HASH_KEYS, addressOf: ({ source }) => source.ip } });
  return {
    identify: identifier.identify,
    question: (index) => requestWith({ apiKeys: [fresh(keys[index]?.text ?? '')] }),
    isRight: ({ evidence }) => evidence.assurance === 1,
  };
}

/** Answers that were asked for before. */
async function prepareOpaqueTokens(): Promise<PreparedKind> {
  const server = await startIntrospectionServer();
  server.answer = () => ({ ...ACTIVE, iat: nowSeconds - 10, exp: nowSeconds + 3600 });
  const tokens = Array.from({ length: QUESTIONS }, (_, index) => `opaque-token-${index}-${'x'.repeat(24)}`);
  const introspection = introspectionOptions({ endpoint: server.url, cacheSeconds: 3600 });
  const question = (index: number) => requestWith({ authorization: [fresh(`Bearer ${tokens[index]}`)] });
  const identifier = await identifierOver([], {}, {}, { introspection }, async ({ identify }) => {
    for (const index of tokens.keys()) await identify(question(index));
  });
  await server.stop();
  return { identify: identifier.identify, question, isRight: ({ evidence }) => evidence.assurance === 2 };
}

const SERVICE: Partial<IssuerOptions> = { kind: 'txn_token', issuer: 'https://tts.example', audiences: ['td.example'] };

async function prepareTxnTokens(): Promise<PreparedKind> {
  const key = await createSigningKey('k1');
  const claims = { iss: 'https://tts.example', aud: 'td.example', scope: 's', sub: 'u', req_wl: 'w' };
  const tokens = await Promise.all(
    Array.from({ length: QUESTIONS }, (_, index) => tokenNow(key, { ...claims, txn: `t${index}` }, { typ: 'txntoken+jwt' })),
  );
  const identifier = await identifierOver([key], {}, {}, SERVICE);
  return {
    identify: identifier.identify,
    question: (index) => requestWith({ txnToken: [fresh(tokens[index] ?? '')] }),
    isRight: ({ signals }) => signals.txnToken.status === 'present',
  };
}

async function prepareSignatures(): Promise<PreparedKind> {
  const signatures = { profiles: [profileOptions({ ageMaxSeconds: 3600 })], webBotAuth: null, clockSkewSeconds: 5, fieldBytesMax: 8192 };
  const identifier = await identifierOver([{ ...(await createSigningKey('k1')), jwk: { ...signer.jwk, kid: 'k1' } }], { signatures });
  const parameters = (index: number) => `;created=${nowSeconds - (index % 60)};keyid="k1"`;
  const facts = Array.from({ length: QUESTIONS }, (_, index) => signedRequest({ parameters: parameters(index) }));
  const key = createPublicKey({ key: signer.jwk, format: 'jwk' });
  const checks = facts.map(({ signature }, index) => {
    const lines = LINES.map(([name, value]) => `${name}: ${value}\n`).join('');
    const base = `${lines}"@signature-params": (${LINES.map(([name]) => name).join(' ')})${parameters(index)}`;
    const bytes = /:([^:]+):/.exec(signature?.signature[0] ?? '')?.[1] ?? '';
    return { base: Buffer.from(base), signature: Buffer.from(bytes, 'base64') };
  });
  return {
    identify: identifier.identify,
    question: (index) => requestWith(facts[index] ?? {}),
    isRight: ({ signals }) => signals.signature.status === 'present',
    bare: (index) => verify(null, checks[index]?.base ?? Buffer.alloc(0), key, checks[index]?.signature ?? Buffer.alloc(0)),
  };
}

export const callerKinds: readonly EvidenceKind[] = [
  { name: 'API key', prepare: prepareApiKeys },
  { name: 'opaque token, asked about before', goal: { usBelow: 3 }, prepare: prepareOpaqueTokens },
  { name: 'transaction token ES256, seen before', goal: { usBelow: 3 }, prepare: prepareTxnTokens },
  { name: 'message signature Ed25519', prepare: prepareSignatures },
];

import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClientAuthenticationOptions, IntrospectionOptions } from '../../../src/identify/introspection/options.ts';
import type { IssuerOptions } from '../../../src/identify/options.ts';
import { createAuthority } from '../../support/certificates.ts';
import { createProofKey, makeProof } from '../../support/dpop.ts';
import { type OidcServer, SECRET, startOidc } from '../../support/oidc.ts';
import { httpFacts } from '../bound.ts';
import { type Bench, codeOf, createBench, identityOptions, issuerOptions, type RequestFacts, tokenOf } from '../fixtures.ts';
import { introspectionOptions } from './fixtures.ts';

/* A real authorization server, npm oidc-provider, with opaque tokens of every kind. */

const AUDIENCE = 'https://api.example';
const directory = mkdtempSync(join(tmpdir(), 'countersign-introspection-'));
const [secretFile, keyFile] = [join(directory, 'secret'), join(directory, 'key.pem')];
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let oidc: OidcServer;

beforeAll(async () => {
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  oidc = await startOidc({
    audience: AUDIENCE,
    format: 'opaque',
    clients: [
      { id: 'svc-a', scopes: ['orders:read'] },
      { id: 'svc-m', scopes: ['orders:read'], certificateBound: true },
      { id: 'rs', scopes: ['orders:read'] },
      { id: 'rs-key', scopes: ['orders:read'], assertionKey: { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' } },
      { id: 'rs-signed', scopes: ['orders:read'], signedAnswers: 'RS256' },
    ],
  });
});
afterAll(async () => {
  await oidc.stop();
  rmSync(directory, { recursive: true });
});

const NO_SECRET: ClientAuthenticationOptions = {
  method: 'client_secret_basic',
  secret: SECRET,
  secretFile: null,
  keyFile: null,
  algorithm: null,
  kid: null,
};

/** Over the endpoint of the server's own metadata, at the time that it is. */
function bench(more: Partial<IntrospectionOptions> = {}, issuer: Partial<IssuerOptions> = {}): Bench {
  const introspection = introspectionOptions({ authentication: NO_SECRET, ...more });
  const made = createBench(identityOptions([issuerOptions({ issuer: oidc.issuer, audiences: [AUDIENCE], introspection, ...issuer })]));
  made.clock.wallSeconds = Math.floor(Date.now() / 1000);
  return made;
}

const dpop = (token: string, proof: string): RequestFacts => ({ authorization: [`DPoP ${token}`], dpop: [proof], http: httpFacts() });

describe('opaque tokens of oidc-provider', () => {
  test('plain: present at level 2, and refused once revoked and the cache is over', async () => {
    const { identify, judge, clock } = bench();
    const token = await oidc.token('svc-a', ['orders:read']);
    expect(token).not.toContain('.');
    const identity = await identify({ authorization: [`Bearer ${token}`] });
    expect(tokenOf(identity)).toMatchObject({ clientId: 'svc-a', scopes: ['orders:read'], audience: [AUDIENCE], binding: 'none' });
    expect(identity.evidence.assurance).toBe(2);
    await oidc.revoke('svc-a', token);
    expect(await judge(token)).toBe('present');
    clock.wallSeconds += 60;
    expect(await judge(token)).toBe('invalid token_inactive');
  });

  test('that were never given out are refused', async () => {
    expect(await bench().judge('b'.repeat(43))).toBe('invalid token_inactive');
  });

  test('for another audience are refused', async () => {
    const token = await oidc.token('svc-a', ['orders:read']);
    expect(await bench({}, { audiences: ['https://other.example'] }).judge(token)).toBe('invalid audience_mismatch');
  });

  test('bound to a key (DPoP): level 4 with a proof, out of the cache too; as Bearer, or with the proof of another key, refused', async () => {
    const key = await createProofKey();
    const made = bench();
    const token = await oidc.boundToken('svc-a', ['orders:read'], (htu) => makeProof(key, { htm: 'POST', htu }));
    const proofBy = async (signer = key) => dpop(token, await makeProof(signer, { token, iat: made.clock.wallSeconds }));
    for (const _time of [1, 2]) {
      const identity = await made.identify(await proofBy());
      expect(identity.evidence).toMatchObject({ assurance: 4, binding: 'matched', methods: ['token', 'dpop'] });
    }
    const replayed = await proofBy();
    expect(codeOf(await made.identify(replayed))).toBe('present');
    expect((await made.identify(replayed)).signals.binding).toEqual({ status: 'invalid', code: 'dpop_replayed' });
    expect(await made.judge(token)).toBe('invalid token_binding_mismatch');
    expect(codeOf(await made.identify(await proofBy(await createProofKey())))).toBe('invalid token_binding_mismatch');
  });

  test('bound to a certificate (mTLS): level 4 with that certificate, refused with another one and with none', async () => {
    const authority = createAuthority();
    const [mine, other] = ['a', 'b'].map((commonName) => authority.client({ commonName, uris: [] }));
    if (mine === undefined || other === undefined) throw new Error('no certificate');
    const { identify, judge } = bench();
    const token = await oidc.certificateToken('svc-m', ['orders:read'], mine.pem);
    const withCertificate = ({ pem }: { readonly pem: string }): RequestFacts => ({
      authorization: [`Bearer ${token}`],
      certificates: [{ form: 'pem', from: 'decide', pem }],
    });
    const identity = await identify(withCertificate(mine));
    expect(identity.evidence).toMatchObject({ assurance: 4, binding: 'matched', methods: ['token', 'certificate', 'mtls_bound'] });
    expect(identity.signals.binding).toMatchObject({
      value: { method: 'mtls', thumbprint: createHash('sha256').update(mine.der).digest('base64url') },
    });
    expect(codeOf(await identify(withCertificate(other)))).toBe('invalid token_binding_mismatch');
    expect(await judge(token)).toBe('invalid token_binding_mismatch');
  });
});

describe('who we are at the server', () => {
  test.each<[string, Partial<IntrospectionOptions>]>([
    ['client_secret_basic', { clientId: 'rs' }],
    [
      'private_key_jwt (RFC 7523)',
      {
        clientId: 'rs-key',
        authentication: { ...NO_SECRET, method: 'private_key_jwt', secret: null, keyFile, algorithm: 'ES256', kid: 'k1' },
      },
    ],
    [
      'private_key_jwt without a kid',
      { clientId: 'rs-key', authentication: { ...NO_SECRET, method: 'private_key_jwt', secret: null, keyFile, algorithm: 'ES256' } },
    ],
    ['answers as JWT (RFC 9701)', { clientId: 'rs-signed', signedAnswers: 'RS256' }],
  ])('%s', async (_what, options) => {
    const token = await oidc.token('svc-a', ['orders:read']);
    const { identify } = bench(options);
    expect(tokenOf(await identify({ authorization: [`Bearer ${token}`] })).clientId).toBe('svc-a');
  });

  test.each<[string, Partial<IntrospectionOptions>, string]>([
    ['a wrong secret', { authentication: { ...NO_SECRET, secret: 'wrong' } }, 'introspection_refused'],
    ['an unknown client', { clientId: 'nobody' }, 'introspection_refused'],
    ['a file that is not there', { authentication: { ...NO_SECRET, secret: null, secretFile: '/nowhere' } }, 'fetch_failed'],
    [
      'a key that does not fit its algorithm',
      { authentication: { ...NO_SECRET, method: 'private_key_jwt', secret: null, keyFile, algorithm: 'RS256' } },
      'introspection_refused',
    ],
    [
      'a file without a key',
      { authentication: { ...NO_SECRET, method: 'private_key_jwt', secret: null, keyFile: import.meta.filename, algorithm: 'ES256' } },
      'introspection_refused',
    ],
    ['answers as JWT of another algorithm', { clientId: 'rs-signed', signedAnswers: 'ES256' }, 'introspection_invalid'],
  ])('%s: unavailable, and the status says so', async (_what, options, code) => {
    const token = await oidc.token('svc-a', ['orders:read']);
    const { judge, identifier } = bench({ clientId: 'rs', ...options });
    expect(await judge(token)).toBe('unavailable introspection_unavailable');
    expect(identifier.status().introspection?.servers[0]).toMatchObject({ lastError: code });
  });

  test('a secret that was replaced in its file is read again once the old one is refused', async () => {
    writeFileSync(secretFile, 'old\n');
    const { judge } = bench({ authentication: { ...NO_SECRET, secret: null, secretFile } });
    const token = await oidc.token('svc-a', ['orders:read']);
    expect(await judge(token)).toBe('unavailable introspection_unavailable');
    writeFileSync(secretFile, `${SECRET}\n`);
    expect(await judge(token)).toBe('present');
  });
});

import { describe, expect, test } from 'vitest';
import { NOTHING_COMPARED } from '../../src/contract/agreement.ts';
import { createAuthority } from '../support/certificates.ts';
import { createBench, createSigningKey, identityOptions, issuerOptions, keysAtHand, makeToken, type RequestFacts } from './fixtures.ts';

const AGENT = 'spiffe://td.example/agent/a';
const key = await createSigningKey('k1');
const authority = createAuthority();
const agent = { form: 'pem', from: 'decide', pem: authority.client({ commonName: 'a', uris: [AGENT] }).pem } as const;
const stranger = {
  form: 'pem',
  from: 'decide',
  pem: authority.client({ commonName: 'b', uris: ['spiffe://td.example/agent/b'] }).pem,
} as const;

const bench = createBench(
  identityOptions([issuerOptions({ jwksUrl: 'https://as.example/jwks' })], { clients: [{ id: 'agent-a', spiffeIds: [AGENT] }] }),
  keysAtHand([key.jwk]),
);
await bench.identifier.start();
bench.identifier.stop();
// the certificates are made now, so the test's clock is the machine's here
bench.clock.wallSeconds = Math.floor(Date.now() / 1000);
const now = bench.clock.wallSeconds;

const bearer = async (claims: object): Promise<RequestFacts> => ({
  authorization: [`Bearer ${await makeToken(key, { iat: now, exp: now + 300, ...claims })}`],
});

describe('subject and client', () => {
  test.each([
    ['a sub that is the client', { sub: 'agent-a', client_id: 'agent-a' }, { type: 'client', id: 'agent-a', client: 'agent-a' }],
    ['a sub that differs', { sub: 'alice', client_id: 'agent-a' }, { type: 'user', id: 'alice', client: 'agent-a' }],
    ['azp for client_id', { sub: 'alice', client_id: undefined, azp: 'agent-a' }, { type: 'user', id: 'alice', client: 'agent-a' }],
    ['no client', { sub: 'alice', client_id: undefined }, { type: 'user', id: 'alice', client: null }],
    ['no sub', { sub: undefined, client_id: 'agent-a' }, { type: 'client', id: 'agent-a', client: 'agent-a' }],
    ['neither', { sub: undefined, client_id: undefined }, { type: 'unknown', id: null, client: null }],
  ])('of a token with %s', async (_, claims, subject) => {
    const identity = await bench.identify(await bearer(claims));
    expect(identity.subject).toEqual({ ...subject, asserted: false, record: null, properties: {} });
  });

  test('nothing offered, nobody known', async () => {
    expect(await bench.identify({})).toEqual({
      signals: {
        token: { status: 'absent', code: 'token_missing' },
        certificate: { status: 'absent', code: 'certificate_missing' },
        binding: { status: 'absent', code: 'token_not_verified' },
        apiKey: { status: 'absent', code: 'api_key_missing' },
        txnToken: { status: 'absent', code: 'txn_token_missing' },
        signature: { status: 'absent', code: 'signature_unchecked' },
      },
      subject: { type: 'unknown', id: null, asserted: false, client: null, record: null, properties: {} },
      evidence: { methods: [], assurance: 0, binding: 'none', agreement: { client: 'none', ...NOTHING_COMPARED } },
      tokenKey: null,
      challenge: { scheme: 'Bearer', dpopNonce: null },
    });
  });

  test('token and certificate of one client agree: assurance 3', async () => {
    const identity = await bench.identify({ ...(await bearer({ client_id: 'agent-a' })), certificates: [agent] });
    expect(identity.evidence).toEqual({
      methods: ['token', 'certificate'],
      assurance: 3,
      binding: 'none',
      agreement: { client: 'agreed', pairs: { ...NOTHING_COMPARED.pairs, token_certificate: 'agree' }, conflicts: [] },
    });
    expect(identity.subject.client).toBe('agent-a');
  });

  test('token and certificate of two clients are a conflict: no client, no lift', async () => {
    const identity = await bench.identify({ ...(await bearer({ sub: 'svc-b', client_id: 'svc-b' })), certificates: [agent] });
    expect(identity.evidence).toEqual({
      methods: ['token', 'certificate'],
      assurance: 2,
      binding: 'none',
      agreement: {
        client: 'conflict',
        pairs: { ...NOTHING_COMPARED.pairs, token_certificate: 'conflict' },
        conflicts: ['token_certificate'],
      },
    });
    expect(identity.subject).toMatchObject({ id: 'svc-b', client: null });
  });

  test('a certificate without a client of its own lifts the assurance and names nobody', async () => {
    const identity = await bench.identify({ ...(await bearer({ client_id: 'svc-b' })), certificates: [stranger] });
    expect(identity.evidence).toMatchObject({ assurance: 3, agreement: { client: 'single' } });
    expect(identity.subject.client).toBe('svc-b');
  });

  test('a certificate alone names its client, at assurance 0: it is the word of the gateway', async () => {
    const identity = await bench.identify({ certificates: [agent] });
    expect(identity.subject).toEqual({ type: 'client', id: 'agent-a', asserted: false, client: 'agent-a', record: null, properties: {} });
    expect(identity.evidence).toEqual({
      methods: ['certificate'],
      assurance: 0,
      binding: 'none',
      agreement: { client: 'single', ...NOTHING_COMPARED },
    });
  });

  test.each([
    ['expired', [-30, -1]],
    ['not valid yet', [1, 30]],
  ] as const)('a certificate that is %s lifts no assurance and names no client, though its value is there', async (_, validDays) => {
    const certificates = [
      { form: 'pem', from: 'decide', pem: authority.client({ commonName: 'a', uris: [AGENT], validDays }).pem },
    ] as const;
    const identity = await bench.identify({ ...(await bearer({ client_id: 'agent-a' })), certificates });
    expect(identity.signals.certificate.status).toBe('present');
    expect(identity.evidence).toMatchObject({ assurance: 2, agreement: { client: 'single' } });

    const alone = await bench.identify({ certificates });
    expect(alone.subject).toEqual({ type: 'unknown', id: null, asserted: false, client: null, record: null, properties: {} });
    expect(alone.evidence).toEqual({ methods: [], assurance: 0, binding: 'none', agreement: { client: 'none', ...NOTHING_COMPARED } });

    const other = await bench.identify({ ...(await bearer({ sub: 'svc-b', client_id: 'svc-b' })), certificates });
    expect(other.subject.client).toBeNull();
    expect(other.evidence.agreement.client).toBe('conflict');
  });
});

describe('what the gateway asserts', () => {
  const claims = { iss: 'https://as.example', sub: 'alice', client_id: 'svc-b', scope: 'orders:read', exp: now + 60 };
  const subject = { type: 'user', id: 'bob', properties: { department: 'ops' } };

  test('claims give a token signal that is marked so, and no assurance, client or counter key', async () => {
    const identity = await bench.identify({ claims });
    expect(identity.signals.token).toMatchObject({
      status: 'present',
      value: { subject: 'alice', scopes: ['orders:read'], verifiedBy: 'pep' },
    });
    expect(identity.subject).toEqual({ type: 'user', id: 'alice', asserted: true, client: null, record: null, properties: {} });
    expect(identity.evidence).toEqual({
      methods: ['asserted_claims'],
      assurance: 0,
      binding: 'none',
      agreement: { client: 'none', ...NOTHING_COMPARED },
    });
    expect(identity.tokenKey).toBeNull();
  });

  test('claims without an issuer are taken, wrong types and a past exp are not', async () => {
    expect((await bench.identify({ claims: { sub: 'alice' } })).signals.token).toMatchObject({ value: { issuer: '', expiresAt: null } });
    expect((await bench.identify({ claims: { sub: 7 } })).signals.token).toEqual({ status: 'invalid', code: 'claim_invalid' });
    expect((await bench.identify({ claims: { ...claims, exp: now - 60 } })).signals.token).toEqual({
      status: 'invalid',
      code: 'token_expired',
    });
  });

  test('claims that contradict the certificate are a conflict', async () => {
    const identity = await bench.identify({ claims, certificates: [agent] });
    expect(identity.evidence.agreement.client).toBe('conflict');
    expect(identity.subject).toMatchObject({ client: null, asserted: true });
  });

  test('a subject counts only where no evidence names one', async () => {
    expect((await bench.identify({ subject })).subject).toEqual({ ...subject, asserted: true, client: null, record: null });
    expect((await bench.identify({ subject, claims })).subject.id).toBe('alice');
    expect((await bench.identify({ subject, certificates: [agent] })).subject).toMatchObject({
      id: 'agent-a',
      asserted: false,
      properties: {},
    });
    const verified = await bench.identify({ subject, ...(await bearer({ sub: 'svc-a' })) });
    expect(verified.subject).toMatchObject({ id: 'svc-a', asserted: false, properties: {} });
  });

  test('a gateway that is not trusted for it asserts nothing', async () => {
    const identity = await bench.identify({ trusts: ['client_address'], subject, claims, certificates: [agent] });
    expect(identity).toEqual(await bench.identify({}));
  });

  test('the memory of one request does not leak into another', async () => {
    const facts = await bearer({ sub: 'svc-a', client_id: 'svc-a' });
    const before = await bench.identify(facts);
    await bench.identify({ ...facts, certificates: [agent], subject });
    expect(await bench.identify(facts)).toEqual(before);
  });
});

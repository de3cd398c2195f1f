import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Identity } from '../../src/contract/identity.ts';
import type { HttpFacts } from '../../src/contract/request.ts';
import { createMemoryReplays } from '../../src/stores/memory-replays.ts';
import { createAuthority } from '../support/certificates.ts';
import { createProofKey, makeProof } from '../support/dpop.ts';
import { createKey, HASH_KEYS } from '../support/registry.ts';
import {
  createBench,
  createSigningKey,
  ISSUER,
  identityOptions,
  issuerOptions,
  keysAtHand,
  makeRequest,
  makeToken,
  type RequestFacts,
} from './fixtures.ts';
import { createTestRegistry } from './registries.ts';

/* [asks 40] What is revoked is refused with the next decision, wherever its evidence came from. */

const AGENT = 'spiffe://td.example/agent/a';
const signer = await createSigningKey('k1');
const authority = createAuthority();
const certificate = authority.client({ commonName: 'a', uris: [AGENT] });
const certificates = [{ form: 'pem', from: 'decide', pem: certificate.pem }] as const;
const key = createKey('agent-a');

const registry = createTestRegistry();
registry.declare({ clients: [{ clientId: 'agent-a', type: 'agent', spiffeIds: [AGENT] }], keys: [key.entry] });
const options = identityOptions([issuerOptions({ jwksUrl: 'https://as.example/jwks' })]);
const parts = { registry: { registry, hashKeys: HASH_KEYS, addressOf: () => null } };
const bench = createBench(options, { ...keysAtHand([signer.jwk]), ...parts });
await bench.identifier.start();
bench.identifier.stop();
bench.clock.wallSeconds = Math.floor(Date.now() / 1000);
const now = bench.clock.wallSeconds;
const isoOf = (seconds: number) => new Date(seconds * 1000).toISOString();

beforeEach(() => {
  registry.available = true;
  registry.revoke();
});

const bearer = async (claims: object = {}): Promise<RequestFacts> => ({
  authorization: [
    `Bearer ${await makeToken(signer, { sub: 'alice', client_id: 'agent-a', iat: now, exp: now + 300, jti: 'j-1', sid: 's-1', ...claims })}`,
  ],
});

/** States of token, key and certificate, in short. */
const statesOf = ({ signals: { token, apiKey, certificate: held } }: Identity) =>
  [token, apiKey, held].map((signal) => (signal.status === 'present' ? 'present' : signal.code));

describe('a token that comes out of the cache', () => {
  test.each([
    ['its jti', { jti: 'j-1' }, 'token_revoked'],
    ['the hash of its jti', { jtiHash: createHash('sha256').update('j-1').digest('base64url') }, 'token_revoked'],
    ['its jti of this issuer', { jti: 'j-1', issuer: ISSUER }, 'token_revoked'],
    ['its session', { sid: 's-1' }, 'session_revoked'],
    ['its client', { client: 'agent-a' }, 'client_revoked'],
    ['the time', { issuedBefore: isoOf(now + 1) }, 'token_issued_before'],
    ['the time of its client', { issuedBefore: isoOf(now + 1), client: 'agent-a' }, 'token_issued_before'],
    ['the time of its issuer', { issuedBefore: isoOf(now + 1), issuer: ISSUER }, 'token_issued_before'],
    ['a jti of another issuer', { jti: 'j-1', issuer: 'https://other.example' }, null],
    ['another client', { client: 'agent-b' }, null],
    ['a time that it was issued at', { issuedBefore: isoOf(now) }, null],
    ['the time of another client', { issuedBefore: isoOf(now + 1), client: 'agent-b' }, null],
  ])('revoked by %s', async (_, revocation, code) => {
    const facts = await bearer();
    expect((await bench.identify(facts)).signals.token.status).toBe('present');
    const { hits } = bench.identifier.status().tokenCache;
    registry.revoke(revocation);
    const identity = await bench.identify(facts);
    expect(bench.identifier.status().tokenCache.hits).toBe(hits + 1);
    if (code === null) {
      expect(identity.signals.token.status).toBe('present');
      return;
    }
    expect(identity.signals.token).toEqual({ status: 'invalid', code });
    expect(identity).toMatchObject({ subject: { type: 'unknown', client: null }, evidence: { assurance: 0, methods: [] } });
    registry.revoke();
    expect((await bench.identify(facts)).signals.token.status).toBe('present');
  });

  test('that does not say when it was issued could be of before', async () => {
    const facts = await bearer({ iat: undefined });
    registry.revoke({ issuedBefore: isoOf(1000) });
    expect((await bench.identify(facts)).signals.token).toEqual({ status: 'invalid', code: 'token_issued_before' });
  });

  test('has the record of its client as it is now', async () => {
    const facts = await bearer();
    const ownerOf = async () => (await bench.identify(facts)).subject.record?.owner;
    const declare = (owner: string) =>
      registry.declare({ clients: [{ clientId: 'agent-a', type: 'agent', owner, spiffeIds: [AGENT] }], keys: [key.entry] });
    declare('one');
    expect(await ownerOf()).toBe('one');
    declare('two');
    expect(await ownerOf()).toBe('two');
  });
});

test('a fetch of keys that is under way brings no token back that is revoked meanwhile', async () => {
  let answer: () => void = () => undefined;
  const fetched = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const httpFetch = async () => {
    await fetched;
    return { bytes: Buffer.from(JSON.stringify({ keys: [signer.jwk] })), contentType: 'application/json' };
  };
  const slow = createBench(options, { httpFetch, ...parts });
  slow.clock.wallSeconds = now;
  const facts = await bearer();
  const asked = slow.identify(facts);
  registry.revoke({ jti: 'j-1' });
  answer();
  expect((await asked).signals.token).toEqual({ status: 'invalid', code: 'token_revoked' });
  expect((await slow.identify(facts)).signals.token).toEqual({ status: 'invalid', code: 'token_revoked' });
  slow.identifier.stop();
});

/** A request whose proof is being looked up: what was asked, and what answers. */
async function lookingUp(facts: RequestFacts) {
  let answer: () => void = () => undefined;
  const looked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const memory = createMemoryReplays({ entriesMax: 10, startedAtMs: 0 });
  const replays = { ...memory, remember: () => looked.then(() => 'fresh' as const) };
  const bound = createBench({ ...options, publicOrigins: ['https://api.example'] }, { ...keysAtHand([signer.jwk]), ...parts, replays });
  await bound.identifier.start();
  bound.identifier.stop();
  bound.clock.wallSeconds = now;
  const holder = await createProofKey();
  const token = await makeToken(signer, { client_id: 'agent-a', iat: now, exp: now + 300, jti: 'j-1', cnf: { jkt: holder.jkt } });
  const proof = await makeProof(holder, { htm: 'GET', htu: 'https://api.example/', token, iat: now });
  const request = makeRequest(bound.clock, { authorization: [`DPoP ${token}`], dpop: [proof], http: httpOf(), ...facts });
  const asked = bound.identifier.identify(request);
  expect(asked).toBeInstanceOf(Promise);
  return { asked, answer };
}

test('a proof that is being looked up brings no token back that is revoked meanwhile', async () => {
  const { asked, answer } = await lookingUp({});
  registry.revoke({ client: 'agent-a' });
  answer();
  expect((await asked).signals).toMatchObject({
    token: { status: 'invalid', code: 'client_revoked' },
    binding: { status: 'absent', code: 'token_not_verified' },
  });
});

test('nor an API key or a certificate that came beside it', async () => {
  const sha256 = createHash('sha256').update(certificate.der).digest('hex');
  const { asked, answer } = await lookingUp({ apiKeys: [key.text], certificates });
  registry.revoke({ apiKey: key.id }, { certificateSha256: sha256 });
  answer();
  expect(statesOf(await asked)).toEqual(['present', 'api_key_revoked', 'certificate_denied']);
});

describe('an API key', () => {
  test.each([
    ['by its id', { apiKey: key.id }, 'api_key_revoked'],
    ['by its client', { client: 'agent-a' }, 'client_revoked'],
  ])('revoked %s, in the very next decision', async (_, revocation, code) => {
    expect(statesOf(await bench.identify({ apiKeys: [key.text] }))[1]).toBe('present');
    registry.revoke(revocation);
    expect(statesOf(await bench.identify({ apiKeys: [key.text] }))[1]).toBe(code);
  });

  test('that is no longer declared is nobody’s', async () => {
    expect(statesOf(await bench.identify({ apiKeys: [key.text] }))[1]).toBe('present');
    registry.declare({ clients: [{ clientId: 'agent-a', type: 'agent', spiffeIds: [AGENT] }] });
    expect(statesOf(await bench.identify({ apiKeys: [key.text] }))[1]).toBe('api_key_unknown');
    registry.declare({ clients: [{ clientId: 'agent-a', type: 'agent', spiffeIds: [AGENT] }], keys: [key.entry] });
  });
});

describe('a certificate', () => {
  const sha256 = createHash('sha256').update(pemBytes(certificate.pem)).digest('hex');

  test('revoked by its hash or by its client names nobody and lifts nothing', async () => {
    const facts = { ...(await bearer()), certificates };
    expect((await bench.identify(facts)).evidence).toMatchObject({ assurance: 3, agreement: { client: 'agreed' } });
    registry.revoke({ certificateSha256: sha256 });
    const denied = await bench.identify(facts);
    expect([statesOf(denied)[2], denied.evidence.assurance]).toEqual(['certificate_denied', 2]);
    registry.revoke({ client: 'agent-a' });
    expect(statesOf(await bench.identify(facts))).toEqual(['client_revoked', 'api_key_missing', 'client_revoked']);
  });

  test('revoked by its serial', async () => {
    const identity = await bench.identify({ certificates });
    const serial = identity.signals.certificate.status === 'present' ? identity.signals.certificate.value.serial : null;
    registry.revoke({ certificateSerial: serial ?? '' });
    expect(statesOf(await bench.identify({ certificates }))[2]).toBe('certificate_denied');
  });
});

test('claims that a gateway asserts are revoked as well', async () => {
  const claims = { iss: ISSUER, sub: 'alice', client_id: 'agent-a', jti: 'j-1' };
  registry.revoke({ jti: 'j-1' });
  expect(statesOf(await bench.identify({ claims }))[0]).toBe('token_revoked');
});

test('while the registry was never loaded nothing is good, and everything afterwards', async () => {
  const facts = { ...(await bearer()), apiKeys: [key.text], certificates };
  registry.available = false;
  expect(statesOf(await bench.identify(facts))).toEqual(['registry_unavailable', 'registry_unavailable', 'registry_unavailable']);
  expect((await bench.identify(await bearer())).signals.token).toEqual({ status: 'unavailable', code: 'registry_unavailable' });
  expect(statesOf(await bench.identify({}))).toEqual(['token_missing', 'api_key_missing', 'certificate_missing']);
  registry.available = true;
  registry.revoke();
  expect(statesOf(await bench.identify(facts))).toEqual(['present', 'present', 'present']);
});

function pemBytes(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
}

function httpOf(): HttpFacts {
  const body = { status: 'absent', reason: null, contentType: null, size: null, json: null } as const;
  return {
    method: 'GET',
    scheme: 'https',
    host: 'api.example',
    port: null,
    path: '/',
    pathRaw: '/',
    segments: [],
    query: new Map(),
    headers: new Map(),
    body,
    pathAmbiguous: false,
  };
}

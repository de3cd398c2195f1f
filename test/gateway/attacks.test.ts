import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { OPA_BIN, POLICIES } from '../decide/fixtures.ts';
import { createAuthority, type MadeCertificate } from '../support/certificates.ts';
import { type Countersign, startCountersign } from '../support/countersign.ts';
import { createProofKey, makeProof, type ProofKeyPair } from '../support/dpop.ts';
import { type OidcServer, startOidc } from '../support/oidc.ts';

/* The real process, asked by a gateway that is trusted and by one that is not, with what an attacker would hand on through them. */

const AUDIENCE = 'api://orders';
const HTU = 'https://api.example/orders/42';
const AGENT = 'spiffe://td.example/agent/a';
const EDGE = 'the token of the trusted gateway';
const OUTER = 'the token of the other gateway';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const directory = mkdtempSync(join(tmpdir(), 'countersign-attacks-'));
const root = createAuthority('Root');
const mine = root.client({ commonName: 'a', uris: [AGENT] });

let oidc: OidcServer;
let service: Countersign;
let client: ProofKeyPair;
let bound: string;
let plain: string;

const config = () => ({
  peps: [
    { name: 'edge', tokenSha256: sha256(EDGE), trusts: ['client_address', 'forwarded', 'client_certificate', 'explain'] },
    { name: 'outer', tokenSha256: sha256(OUTER), trusts: ['explain'] },
  ],
  identity: {
    issuers: [{ issuer: oidc.issuer, audiences: [AUDIENCE], jwksUrl: oidc.jwksUrl, algorithms: ['RS256'], types: ['at+jwt'] }],
    publicOrigins: ['https://api.example'],
    clients: [{ id: 'agent-a', spiffeIds: [AGENT] }],
    certificates: { trustBundles: [{ name: 'mesh', file: join(directory, 'ca.pem'), trustDomain: 'td.example' }] },
  },
  policy: { bundle: POLICIES, opaBin: OPA_BIN },
  decisions: { deadlineMs: 2000 },
});

beforeAll(async () => {
  writeFileSync(join(directory, 'ca.pem'), root.pem);
  const scopes = ['orders:read'];
  oidc = await startOidc({ audience: AUDIENCE, clients: [{ id: 'agent-a', scopes }] });
  service = await startCountersign({ config: config() });
  client = await createProofKey();
  bound = await oidc.boundToken('agent-a', scopes, (htu) => makeProof(client, { htm: 'POST', htu }));
  plain = await oidc.token('agent-a', scopes);
});
afterAll(async () => {
  await service.stop();
  await oidc.stop();
  rmSync(directory, { recursive: true });
});

type Headers = Readonly<Record<string, string | readonly string[]>>;
type Answer = { readonly effect: unknown; readonly level: unknown; readonly certificate: string; readonly binding: string };

async function post(body: unknown, pep: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${service.httpPort}/decide?explain=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-countersign-pep-token': pep },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function ask(headers: Headers, more: object = {}, pep = EDGE): Promise<Answer> {
  const request = { method: 'GET', scheme: 'https', host: 'api.example', path: '/orders/42', headers };
  const answer = await post({ request, ...more }, pep);
  expect(answer.status).toBe(200);
  const body = await answer.json();
  const [decision, signals] = [objectOf(body), objectOf(objectOf(body)['signals'])];
  const signalOf = (name: string): string => {
    const { status, code } = objectOf(signals[name]);
    return code === undefined ? String(status) : `${status} ${code}`;
  };
  return {
    effect: decision['decision'],
    level: objectOf(decision['assurance'])['level'],
    certificate: signalOf('certificate'),
    binding: signalOf('binding'),
  };
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

const withToken = (headers: Headers = {}): Headers => ({ authorization: `Bearer ${plain}`, ...headers });
const xfccOf = ({ pem }: MadeCertificate): string => `Cert="${encodeURIComponent(pem)}";URI=${AGENT}`;

describe('a certificate', () => {
  it('lifts the assurance from the trusted gateway, in its own form', async () => {
    expect(await ask(withToken(), { certificate: { pem: mine.pem } })).toMatchObject({ effect: 'allow', level: 3, certificate: 'present' });
    expect(await ask(withToken({ 'x-forwarded-client-cert': xfccOf(mine) }))).toMatchObject({ level: 3, certificate: 'present' });
  });

  it.each<[string, Headers]>([
    ['XFCC', { 'x-forwarded-client-cert': xfccOf(mine) }],
    ['Client-Cert', { 'client-cert': `:${mine.der.toString('base64')}:` }],
    ['nginx', { 'ssl-client-cert': encodeURIComponent(mine.pem) }],
    ['HAProxy', { 'x-ssl-client-cert': mine.der.toString('base64') }],
    ['a look-alike', { x_forwarded_client_cert: xfccOf(mine) }],
    [
      'all of them',
      {
        'x-forwarded-client-cert': xfccOf(mine),
        'client-cert': `:${mine.der.toString('base64')}:`,
        'ssl-client-cert': encodeURIComponent(mine.pem),
      },
    ],
  ])('by %s through a gateway that is not trusted for it is nothing', async (_, headers) => {
    expect(await ask(withToken(headers), {}, OUTER)).toMatchObject({ level: 2, certificate: 'absent certificate_missing' });
    expect(await ask(withToken(headers), { certificate: { pem: mine.pem } }, OUTER)).toMatchObject({
      level: 2,
      certificate: 'absent certificate_missing',
    });
  });

  it('of our names by a CA of the attacker, and two that contradict each other, lift nothing', async () => {
    const forged = createAuthority('Root').client({ commonName: 'a', uris: [AGENT] });
    expect(await ask(withToken(), { certificate: { pem: forged.pem } })).toMatchObject({
      effect: 'deny',
      certificate: 'invalid certificate_untrusted',
    });
    expect(await ask(withToken({ 'x-forwarded-client-cert': xfccOf(mine) }), { certificate: { pem: forged.pem } })).toMatchObject({
      effect: 'deny',
      certificate: 'invalid certificate_conflict',
    });
    expect(await ask(withToken(), { certificate: { sha256: sha256('x'), uris: [AGENT] } })).toMatchObject({
      effect: 'deny',
      certificate: 'invalid certificate_unverifiable',
    });
  });

  it('of a chain made to be long, slow or deep is refused like any other, and others are served meanwhile', async () => {
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-521' });
    const ring = Array.from({ length: 9 }, (_, n) => createAuthority('Root', { keys, uris: n === 0 ? [] : ['spiffe://td.example'] }));
    const chain = [ring[0]?.client({ commonName: 'a', uris: [AGENT] }), ...ring.slice(1)].map((one) => one?.pem).join('');
    const hostile = Array.from({ length: 30 }, () => ask(withToken(), { certificate: { pem: chain } }));
    const good = ask(withToken(), { certificate: { pem: mine.pem } });
    for (const answer of await Promise.all(hostile)) expect(answer.certificate).toBe('invalid certificate_untrusted');
    expect(await good).toMatchObject({ effect: 'allow', level: 3 });
  });
});

describe('a proof', () => {
  const withProof = async (parts: object = {}): Promise<Headers> => ({
    authorization: `DPoP ${bound}`,
    dpop: await makeProof(client, { token: bound, htm: 'GET', htu: HTU, iat: Math.floor(Date.now() / 1000), ...parts }),
  });

  // the memory began with the process, and a proof may be as old as the clocks may differ
  beforeAll(() => new Promise((resolve) => setTimeout(resolve, 6000)), 10_000);

  it('serves once, and by no other way', async () => {
    const headers = await withProof();
    expect(await ask({ ...headers, authorization: `Bearer ${bound}` })).toMatchObject({
      effect: 'deny',
      binding: 'invalid dpop_scheme_required',
    });
    expect(await ask({ ...headers, dpop: [String(headers['dpop']), String(headers['dpop'])] })).toMatchObject({
      binding: 'invalid dpop_proof_multiple',
    });
    expect(await ask({ ...headers, dpop: `${headers['dpop']},${headers['dpop']}` })).toMatchObject({
      binding: 'invalid dpop_proof_multiple',
    });
    const [head, body, signature] = String(headers['dpop']).split('.');
    const forged = `${head}.${body}.${Buffer.from(signature ?? '', 'base64url')
      .reverse()
      .toString('base64url')}`;
    expect(await ask({ ...headers, dpop: forged })).toMatchObject({ binding: 'invalid dpop_signature_invalid' });
    expect(await ask(headers)).toMatchObject({ effect: 'allow', level: 4, binding: 'present' });
    expect(await ask(headers)).toMatchObject({ effect: 'deny', binding: 'invalid dpop_replayed' });
    const many = await withProof();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(many)));
    expect(answers.filter(({ effect }) => effect === 'allow')).toHaveLength(1);
  });

  it('for another method, host or path is none, and the word of an untrusted gateway about the host does not count', async () => {
    expect(await ask(await withProof({ htm: 'POST' }))).toMatchObject({ binding: 'invalid dpop_method_mismatch' });
    expect(await ask(await withProof({ htu: 'https://evil.example/orders/42' }))).toMatchObject({ binding: 'invalid dpop_uri_mismatch' });
    const evil = {
      request: {
        method: 'GET',
        scheme: 'https',
        host: 'evil.example',
        path: '/orders/42',
        headers: await withProof({ htu: 'https://evil.example/orders/42' }),
      },
    };
    expect(await ask({}, evil, OUTER)).toMatchObject({ effect: 'deny', binding: 'invalid dpop_uri_mismatch' });
  });

  it('that was used before the process started anew is not used again', async () => {
    const headers = await withProof();
    expect(await ask(headers)).toMatchObject({ effect: 'allow', level: 4 });
    await service.stop();
    service = await startCountersign({ config: config() });
    expect(await ask(headers)).toMatchObject({ effect: 'deny', binding: 'unavailable replay_memory_too_young' });
  }, 60_000);
});

describe('whatever else comes', () => {
  it('is answered or refused with a 4xx, never with an error of ours, and the process goes on', async () => {
    const request = { method: 'GET', scheme: 'https', host: 'api.example', path: '/orders/42', headers: {} };
    const junk = randomBytes(3000).toString('base64');
    const bodies: unknown[] = [
      '',
      '[',
      '{"request":',
      'null',
      '[]',
      '"x"',
      '{"request":{"method":1}}',
      `{"context":{"x":[${'"a",'.repeat(200_000)}1]}}`,
      `{"context":${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}}`,
      `{"context":{${Array.from({ length: 20_000 }, (_, n) => `"k${n}":1`).join(',')}}}`,
      { request: { ...request, headers: { authorization: `Bearer ${'a.'.repeat(30_000)}` } } },
      { request: { ...request, headers: { authorization: `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.` } } },
      { request: { ...request, headers: { authorization: Array.from({ length: 500 }, () => `Bearer ${plain}`) } } },
      { request: { ...request, headers: { authorization: `DPoP ${bound}`, dpop: junk } } },
      { request: { ...request, headers: { authorization: `DPoP ${bound}`, dpop: 'a.b.c' } } },
      { request: { ...request, headers: { 'x-forwarded-client-cert': 'URI=a;'.repeat(10_000) } } },
      { request: { ...request, headers: { 'x-forwarded-client-cert': `Cert="${'%'.repeat(1000)}"` } } },
      { request, certificate: { pem: `-----BEGIN CERTIFICATE-----\n${junk}\n-----END CERTIFICATE-----` } },
      { request, certificate: { pem: '-----BEGIN CERTIFICATE-----'.repeat(2000) } },
      { request, certificate: { sha256: 'x', uris: Array.from({ length: 64 }, (_, n) => `spiffe://td.example/${n}`) } },
    ];
    const statuses: string[] = [];
    for (const [index, body] of bodies.entries()) {
      const answer = await post(body, EDGE);
      const said: unknown = await answer.json();
      const { decision, error } = objectOf(said);
      statuses.push(`${index} ${answer.status} ${String(decision)} ${error === undefined ? '' : JSON.stringify(error)}`.trim());
      if (answer.status === 200) expect(decision, String(index)).toBe('deny');
      expect(error, String(index)).toBeUndefined();
      expect(answer.status, String(index)).toBeLessThan(500);
    }
    expect(statuses).toHaveLength(bodies.length);
    expect(service.output()).not.toMatch(/uncaught|unhandled|internal_error/i);
    expect(await ask(withToken(), { certificate: { pem: mine.pem } })).toMatchObject({ effect: 'allow', level: 3 });
  });
});

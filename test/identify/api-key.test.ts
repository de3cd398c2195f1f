import { describe, expect, test } from 'vitest';
import type { Identity } from '../../src/contract/identity.ts';
import { createAuthority } from '../support/certificates.ts';
import { createKey, HASH_KEYS } from '../support/registry.ts';
import { createBench, createSigningKey, identityOptions, issuerOptions, keysAtHand, makeToken, type RequestFacts } from './fixtures.ts';
import { createTestRegistry } from './registries.ts';

const AGENT = 'spiffe://td.example/agent/a';
const OTHER = 'spiffe://td.example/agent/b';
const signer = await createSigningKey('k1');
const authority = createAuthority();
const certificateOf = (uri: string) =>
  [{ form: 'pem', from: 'decide', pem: authority.client({ commonName: 'a', uris: [uri] }).pem }] as const;

const registry = createTestRegistry();
const good = createKey('agent-a', { scopes: ['orders:read', 'admin'] });
const second = createKey('agent-b');
const ended = createKey('agent-a', { expiresAt: '2020-01-01' });
const here = createKey('agent-a', { networks: ['192.0.2.0/24', '2001:db8::/32'] });
registry.declare({
  clients: [
    { clientId: 'agent-a', type: 'agent', owner: 'ops', scopes: ['orders:read'], spiffeIds: [AGENT] },
    { clientId: 'agent-b', type: 'service', spiffeIds: [OTHER] },
  ],
  keys: [good.entry, second.entry, ended.entry, here.entry],
});

const options = identityOptions([issuerOptions({ jwksUrl: 'https://as.example/jwks' })], {
  verificationBudget: { failuresPerMinute: 3, addressesMax: 10 },
});
const addressOf: Parameters<typeof open>[0] = ({ source }) => source.ip;
function open(of: (request: { readonly source: { readonly ip: string | null } }) => string | null, hashKeys = HASH_KEYS) {
  return createBench(options, { ...keysAtHand([signer.jwk]), registry: { registry, hashKeys, addressOf: of } });
}
const bench = open(addressOf);
await bench.identifier.start();
bench.identifier.stop();
bench.clock.wallSeconds = Math.floor(Date.now() / 1000);
const now = bench.clock.wallSeconds;

const bearer = async (claims: object = {}) => `Bearer ${await makeToken(signer, { iat: now, exp: now + 300, ...claims })}`;
let sender = 0;
/** Each from an address of its own, so that failures of one test do not shut out another. */
const ask = (facts: RequestFacts) => {
  sender = (sender + 1) % 250;
  return bench.identify({ ip: `198.51.100.${sender}`, ...facts });
};
const codeOf = ({ signals: { apiKey } }: Identity) => (apiKey.status === 'present' ? 'present' : `${apiKey.status} ${apiKey.code}`);

describe('an API key', () => {
  test.each([
    ['x-api-key', { apiKeys: [good.text] }],
    ['authorization', { authorization: [`ApiKey ${good.text}`] }],
    ['authorization in other letters, after spaces', { authorization: [`apikey   ${good.text}`] }],
  ])('by %s names its client, with its record and its bounded scopes, at assurance 1', async (_, facts) => {
    const identity = await ask(facts);
    expect(identity.signals).toMatchObject({
      token: { status: 'absent', code: 'token_missing' },
      apiKey: { status: 'present', value: { id: good.id, clientId: 'agent-a', scopes: ['orders:read'], expiresAt: null } },
    });
    expect(identity.subject).toMatchObject({ type: 'client', id: 'agent-a', client: 'agent-a', asserted: false, record: { owner: 'ops' } });
    expect(identity.evidence).toMatchObject({ methods: ['api_key'], assurance: 1, agreement: { client: 'single' } });
  });

  test('with a certificate of its client is assurance 3, with one of another client a conflict', async () => {
    const both = await ask({ apiKeys: [good.text], certificates: certificateOf(AGENT) });
    expect(both.evidence).toMatchObject({ methods: ['api_key', 'certificate'], assurance: 3, agreement: { client: 'agreed' } });
    const conflict = await ask({ apiKeys: [good.text], certificates: certificateOf(OTHER) });
    expect(conflict.evidence).toMatchObject({ assurance: 1, agreement: { client: 'conflict' } });
    expect(conflict.subject).toMatchObject({ client: null, record: null });
  });

  test('beside a token is a second voice: it agrees, or is a conflict, and the token goes before it', async () => {
    const agreed = await ask({ apiKeys: [good.text], authorization: [await bearer({ sub: 'alice', client_id: 'agent-a' })] });
    expect(agreed.evidence).toMatchObject({ methods: ['token', 'api_key'], assurance: 2, agreement: { client: 'agreed' } });
    expect(agreed.subject).toMatchObject({ type: 'user', id: 'alice', client: 'agent-a', record: { owner: 'ops' } });
    const conflict = await ask({ apiKeys: [second.text], authorization: [await bearer({ client_id: 'agent-a' })] });
    expect(conflict.evidence).toMatchObject({ assurance: 2, agreement: { client: 'conflict' } });
    expect(conflict.subject).toMatchObject({ client: null, record: null });
  });

  test('makes no subject of claims that the gateway asserts, and contradicts them', async () => {
    const claims = { sub: 'alice', client_id: 'agent-b' };
    expect((await ask({ claims, apiKeys: [good.text] })).evidence.agreement.client).toBe('conflict');
    const agreed = await ask({ claims: { sub: 'alice', client_id: 'agent-a' }, apiKeys: [good.text] });
    expect(agreed).toMatchObject({ subject: { id: 'agent-a', asserted: false }, evidence: { assurance: 1 } });
  });

  test.each([
    ['two headers', { apiKeys: [good.text, good.text] }, 'invalid credentials_multiple'],
    ['two in one header', { apiKeys: [`${good.text},${good.text}`] }, 'invalid credentials_multiple'],
    ['one by either way', { apiKeys: [good.text], authorization: [`ApiKey ${good.text}`] }, 'invalid credentials_multiple'],
    ['beside a second authorization header', { authorization: [`ApiKey ${good.text}`, 'Bearer x'] }, 'invalid credentials_multiple'],
    ['joined with a bearer', { authorization: [`ApiKey ${good.text}, Bearer x`] }, 'invalid credentials_multiple'],
    ['nothing in the header', { apiKeys: [''] }, 'invalid api_key_malformed'],
    ['a key of somebody else’s', { apiKeys: ['sk_live_0123456789'] }, 'invalid api_key_malformed'],
    ['a very long text', { apiKeys: ['x'.repeat(100_000)] }, 'invalid api_key_malformed'],
    ['a typo', { apiKeys: [`${good.text.slice(0, -1)}${good.text.endsWith('0') ? '1' : '0'}`] }, 'invalid api_key_checksum_wrong'],
    ['an id that is not there', { apiKeys: [createKey('agent-a').text] }, 'invalid api_key_unknown'],
    ['the id of one and the secret of another', { apiKeys: [mixed(good.text, second.text)] }, 'invalid api_key_unknown'],
    ['one that has ended', { apiKeys: [ended.text] }, 'invalid api_key_expired'],
    ['one of other networks', { apiKeys: [here.text] }, 'invalid api_key_network'],
    ['no address to hold its networks against', { apiKeys: [here.text], ip: null }, 'invalid api_key_network'],
    ['one of these networks', { apiKeys: [here.text], ip: '192.0.2.9' }, 'present'],
    ['none at all', {}, 'absent api_key_missing'],
    ['a bearer only', { authorization: ['Bearer x'] }, 'absent api_key_missing'],
  ] as const)('%s', async (_, facts, wanted) => {
    const identity = await ask(facts);
    expect(codeOf(identity)).toBe(wanted);
    if (wanted !== 'present') expect(identity).toMatchObject({ subject: { client: null }, evidence: { assurance: 0 } });
  });

  test('ends to the second', async () => {
    const key = createKey('agent-b', { expiresAt: new Date((now + 10) * 1000).toISOString() });
    registry.declare({ clients: [{ clientId: 'agent-b', type: 'service' }], keys: [key.entry] });
    expect(codeOf(await ask({ apiKeys: [key.text] }))).toBe('present');
    bench.clock.wallSeconds = now + 10;
    expect(codeOf(await ask({ apiKeys: [key.text] }))).toBe('invalid api_key_expired');
    bench.clock.wallSeconds = now;
  });

  test('failures use up the budget of their address, typos do not, and keys that are good are not shut out by strangers beside them', async () => {
    const key = createKey('agent-b');
    registry.declare({ clients: [{ clientId: 'agent-b', type: 'service' }], keys: [key.entry] });
    const typo = `${key.text.slice(0, -1)}${key.text.endsWith('0') ? '1' : '0'}`;
    for (let count = 0; count < 10; count++)
      expect(codeOf(await ask({ apiKeys: [typo], ip: '203.0.113.1' }))).toBe('invalid api_key_checksum_wrong');
    for (let count = 0; count < 3; count++) {
      expect(codeOf(await ask({ apiKeys: [createKey('x').text], ip: '203.0.113.1' }))).toBe('invalid api_key_unknown');
    }
    expect(codeOf(await ask({ apiKeys: [createKey('x').text], ip: '203.0.113.1' }))).toBe('unavailable verification_budget_exhausted');
    expect(codeOf(await ask({ apiKeys: [key.text], ip: '203.0.113.1' }))).toBe('present');
    expect(codeOf(await ask({ apiKeys: [createKey('x').text], ip: '203.0.113.2' }))).toBe('invalid api_key_unknown');
  });

  test('counts no more than a typo where no hash key is configured: the header is somebody else’s', async () => {
    const without = open(addressOf, new Map());
    const identity = await without.identify({ apiKeys: [good.text], authorization: [`ApiKey ${good.text}`] });
    expect(codeOf(identity)).toBe('absent api_key_missing');
    expect(identity.signals.token).toEqual({ status: 'invalid', code: 'scheme_unsupported' });
  });
});

/** The id of one key with the secret of another, and a checksum that fits. */
function mixed(one: string, other: string): string {
  const body = `${one.slice(0, 20)}${other.slice(20, 63)}`;
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let rest = crcOf(body);
  let sum = '';
  for (let at = 0; at < 6; at++, rest = Math.floor(rest / 62)) sum = (digits[rest % 62] ?? '') + sum;
  return body + sum;
}

function crcOf(text: string): number {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

import { describe, expect, test } from 'vitest';
import type { AgreementPair } from '../../src/contract/agreement.ts';
import type { ClientRecord } from '../../src/contract/registry.ts';
import { compareEvidence } from '../../src/identify/agreement.ts';
import { compileAgreement } from '../../src/identify/agreement-mapping.ts';
import { type Compared, createViews } from '../../src/identify/agreement-views.ts';
import { parseCertificate } from '../../src/identify/certificate.ts';
import { readClaims } from '../../src/identify/token-claims.ts';
import { createAuthority } from '../support/certificates.ts';

/* What is declared of a client, held against what came. */

const authority = createAuthority();
const id = 'spiffe://td.example/agent/a';
const certificate = parseCertificate(authority.client({ commonName: 'a', uris: [id] }).pem);
const token = readClaims({ iss: 'https://as.example', sub: 'a', client_id: 'a' }, 8, 'countersign');
if (certificate === null || typeof token === 'string') throw new Error('no evidence');
const now = (certificate.notBefore ?? 0) + 60;
const JA4 = 't13d1516h2_8daaf6152771_b186095e22b6';

const record: ClientRecord = {
  id: 'a',
  name: null,
  type: 'agent',
  owner: null,
  tier: null,
  status: 'active',
  issuers: ['https://as.example'],
  spiffeIds: [id],
  fingerprints: { certificates: [certificate.sha256 ?? ''], ja3: [], ja4: [JA4] },
  networks: [],
  countries: [],
  scopes: null,
  tags: [],
};
const apiKey = { id: 'k1', clientId: 'a', scopes: [], expiresAt: null };

function pairOf(pair: AgreementPair, more: Partial<Compared>, declared: ClientRecord = record): string {
  const clients = new Map([[id, 'a']]);
  const views = createViews(clients, (client) => (client === declared.id ? declared : null));
  const nothing = { token: null, apiKey: null, certificate: null, binding: null, txnToken: null, signature: null, asserted: null };
  const tls = { sni: null, version: null, ja3: null, ja4: null };
  const mappings = compileAgreement({ rules: [], withoutBuiltIn: [] }, views, clients);
  return compareEvidence(mappings, { ...nothing, record: null, tls, ...more }, now).pairs[pair];
}
const by = (ja4: string | null) => ({ sni: null, version: null, ja3: null, ja4 });

describe('the record of the client against', () => {
  test('the issuer of its token', () => {
    expect(pairOf('client_issuer', { record, token })).toBe('agree');
    expect(pairOf('client_issuer', { record: { ...record, issuers: ['https://other.example'] }, token })).toBe('conflict');
    expect(pairOf('client_issuer', { record: { ...record, issuers: [] }, token })).toBe('unknown');
  });

  test('its certificate, by SPIFFE id and by hash', () => {
    expect(pairOf('client_certificate', { record, certificate })).toBe('agree');
    const { fingerprints } = record;
    const others = { ...record, fingerprints: { ...fingerprints, certificates: ['00'.repeat(32)] } };
    expect(pairOf('client_certificate', { record: others, certificate })).toBe('conflict');
    expect(pairOf('client_certificate', { record: { ...record, spiffeIds: ['spiffe://td.example/b'] }, certificate })).toBe('conflict');
  });

  test('the fingerprint of the connection', () => {
    expect(pairOf('client_fingerprint', { record, tls: by(JA4) })).toBe('agree');
    expect(pairOf('client_fingerprint', { record, tls: by('t13d1516h2_8daaf6152771_000000000000') })).toBe('conflict');
    expect(pairOf('client_fingerprint', { record, tls: by(null) })).toBe('unknown');
    expect(pairOf('client_fingerprint', { tls: by(JA4) })).toBe('unknown');
  });

  test('its API key', () => {
    expect(pairOf('client_api_key', { record, apiKey })).toBe('agree');
  });
});

test('a certificate against the fingerprint of the connection, by the client that it belongs to', () => {
  expect(pairOf('certificate_fingerprint', { certificate, tls: by(JA4) })).toBe('agree');
  expect(pairOf('certificate_fingerprint', { certificate, tls: by('t13d1516h2_8daaf6152771_000000000000') })).toBe('conflict');
  expect(pairOf('certificate_fingerprint', { certificate, tls: by(JA4) }, { ...record, id: 'b' })).toBe('unknown');
});

test('an API key against token and certificate', () => {
  expect(pairOf('token_api_key', { token, apiKey })).toBe('agree');
  expect(pairOf('token_api_key', { token, apiKey: { ...apiKey, clientId: 'b' } })).toBe('conflict');
  expect(pairOf('certificate_api_key', { certificate, apiKey })).toBe('agree');
  expect(pairOf('certificate_api_key', { certificate, apiKey: { ...apiKey, clientId: 'b' } })).toBe('conflict');
});

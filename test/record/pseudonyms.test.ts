import { describe, expect, it } from 'vitest';
import type { Identity } from '../../src/contract/identity.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import type { CertificateValue } from '../../src/contract/signals.ts';
import { createPseudonyms } from '../../src/record/pseudonyms.ts';
import { identity, token } from './records.ts';

const key = Buffer.alloc(16, 1);

function shown(line: JsonObject, about: Identity | null = identity): string {
  const made = createPseudonyms({ addresses: 'hash', clients: 'hash', key })?.(line, { identity: about });
  return JSON.stringify(made);
}

const header = (text: string): JsonObject => ({ input: { request: { headers: { 'x-forwarded-for': text } } } });

describe('an address', () => {
  it.each([
    ['with a port', '203.0.113.7:51234'],
    ['in brackets with a port', '[2001:db8::7]:51234'],
    ['of RFC 7239', 'for="[2001:db8::7]:4711";proto=https, for=203.0.113.7'],
    ['of RFC 7239 with a port', 'for="203.0.113.7:80"'],
    ['before a full stop', 'refused 203.0.113.7.'],
    ['of version 6 before a full stop', 'refused 2001:db8::7.'],
    ['behind a colon', 'client:203.0.113.7, client:2001:db8::7'],
    ['behind a letter', 'ip203.0.113.7'],
    ['with a port, of a network', '203.0.113.7/32:80'],
  ])('%s is none any more', (_how, text) => {
    expect(shown(header(text))).not.toMatch(/203\.0\.113\.7|2001:db8/);
    const truncated = createPseudonyms({ addresses: 'truncate', clients: 'keep', key: null })?.(header(text), { identity });
    expect(JSON.stringify(truncated)).not.toMatch(/203\.0\.113\.7|2001:db8::7/);
  });

  it.each(['1.2.3.4.5', 'v10.4.3', '12:30', '2026-01-31T12:00:00.123Z', 'a:b', 'urn:x:y'])('is not what %s is', (text) => {
    expect(shown(header(text))).toContain(JSON.stringify(text));
  });
});

const certificate: CertificateValue = {
  ...{ sha256: 'ab'.repeat(32), subject: 'CN=agent-seven', issuer: 'CN=CA', serial: '1f' },
  ...{ uris: ['spiffe://td/agent-seven'], dns: ['agent-seven.example'], spiffeId: 'spiffe://td/agent-seven', svid: 'valid' },
  ...{ notBefore: null, notAfter: null, keyUsage: [], chain: 'verified', trustBundle: 'td', revocation: 'good' },
};

describe('who asked', () => {
  it('is not told by the id of the API key, which belongs to one client', () => {
    const about: Identity = {
      ...identity,
      signals: {
        ...identity.signals,
        apiKey: { status: 'present', value: { id: 'key-of-seven', clientId: 'c', scopes: [], expiresAt: null } },
      },
    };
    const text = shown({ api_key: 'key-of-seven', input: { signals: { api_key: { value: { id: 'key-of-seven' } } } } }, about);
    expect(text).not.toContain('key-of-seven');
    expect(JSON.parse(text).masked).toEqual(['/result/api_key', '/input']);
  });

  it('is not told by the names of the certificate', () => {
    const about: Identity = { ...identity, signals: { ...identity.signals, certificate: { status: 'present', value: certificate } } };
    const { sha256, subject, uris, dns, spiffeId, issuer } = certificate;
    const text = shown(
      { input: { signals: { certificate: { value: { sha256, subject, uris: [...uris], dns: [...dns], spiffe_id: spiffeId, issuer } } } } },
      about,
    );
    expect(text).not.toMatch(/agent-seven|abab/);
    expect(text).toContain('CN=CA');
  });

  it('is not told by an actor whose name is longer than the line shows', () => {
    const long = `actor-${'x'.repeat(400)}`;
    const claims = { act: { sub: 'first', act: { sub: long } } };
    const about: Identity = {
      ...identity,
      signals: { ...identity.signals, token: { status: 'present', value: { ...token, actor: null, claims } } },
    };
    const text = shown({ actors: ['first', `${long.slice(0, 256)}…`], input: { signals: { token: { value: { claims } } } } }, about);
    expect(text).not.toMatch(/"first"|actor-x/);
  });

  it('is not told by a transaction token', () => {
    const value = {
      ...{ issuer: 'i', txn: 't', subject: 'person-9', scopes: [], requestingWorkload: 'workload-9', trustDomain: 'td' },
      ...{ transactionContext: {}, requesterContext: {}, issuedAt: 0, expiresAt: 0 },
    };
    const about: Identity = { ...identity, signals: { ...identity.signals, txnToken: { status: 'present', value } } };
    const text = shown({ input: { signals: { txn_token: { value: { subject: 'person-9', req_wl: 'workload-9' } } } } }, about);
    expect(text).not.toMatch(/-9"/);
  });
});

import { describe, expect, test } from 'vitest';
import type { Identity } from '../../src/contract/identity.ts';
import type { IdentityOptions, IssuerOptions } from '../../src/identify/options.ts';
import {
  AUDIENCE,
  type Claims,
  createBench,
  createSigningKey,
  identityOptions,
  issuerOptions,
  makeToken,
  NOW,
  type RequestFacts,
} from './fixtures.ts';

const TTS = 'https://tts.example';
const DOMAIN = 'trust.example';
const key = await createSigningKey('k1');
const txnKey = await createSigningKey('k1');
const TXN: Claims = {
  iss: undefined,
  aud: DOMAIN,
  client_id: undefined,
  jti: undefined,
  txn: 't-1',
  sub: 'user-1',
  scope: 'trade.stocks',
  req_wl: 'gateway.trust.example',
  tctx: { action: 'BUY', customer: { level: 'VIP' } },
  rctx: { req_ip: '203.0.113.7' },
};
const HEADER = { typ: 'txntoken+jwt' };
const service = issuerOptions({ kind: 'txn_token', issuer: TTS, audiences: [DOMAIN], jwksUrl: `${TTS}/jwks` });
const access = issuerOptions({ jwksUrl: 'https://as.example/jwks' });

/** The two issuers have other keys of the same kid, so that a mix-up of the two would be seen. */
async function benchOver(issuers: readonly IssuerOptions[] = [service, access], more: Partial<IdentityOptions> = {}) {
  const asked: string[] = [];
  const bench = createBench(identityOptions(issuers, { keyWaitMs: 50, ...more }), {
    httpFetch: async (url) => {
      asked.push(url);
      const keys = [(url.startsWith(TTS) ? txnKey : key).jwk];
      return { bytes: Buffer.from(JSON.stringify({ keys })), contentType: null };
    },
  });
  await bench.identifier.start();
  bench.identifier.stop();
  return bench;
}

const txnToken = (claims: Claims = {}, header: Claims = HEADER, signer = txnKey) => makeToken(signer, { ...TXN, ...claims }, header);
const stateOf = ({ signals: { txnToken: one } }: Identity): string => (one.status === 'present' ? one.status : `${one.status} ${one.code}`);
const bench = await benchOver();
const judge = async (...txn: string[]): Promise<string> => stateOf(await bench.identify({ txnToken: txn }));

describe('a transaction token', () => {
  test('is verified by the service of its trust domain, without iss', async () => {
    const identity = await bench.identify({ txnToken: [await txnToken()] });
    expect(identity.signals.txnToken).toEqual({
      status: 'present',
      value: {
        issuer: TTS,
        txn: 't-1',
        subject: 'user-1',
        scopes: ['trade.stocks'],
        requestingWorkload: 'gateway.trust.example',
        trustDomain: DOMAIN,
        transactionContext: { action: 'BUY', customer: { level: 'VIP' } },
        requesterContext: { req_ip: '203.0.113.7' },
        issuedAt: NOW - 10,
        expiresAt: NOW + 300,
      },
    });
  });

  test('is evidence, and neither identity nor assurance', async () => {
    const identity = await bench.identify({ txnToken: [await txnToken()] });
    expect(identity.evidence).toMatchObject({ methods: ['txn_token'], assurance: 0, agreement: { client: 'none', conflicts: [] } });
    expect(identity.subject).toMatchObject({ type: 'unknown', id: null, client: null });
    expect(identity.tokenKey).toBeNull();
    expect(JSON.stringify(identity)).not.toContain((await txnToken()).split('.')[1]);
  });

  test('may name its service, be for a list of one, and leave its contexts out', async () => {
    expect(await judge(await txnToken({ iss: TTS, aud: [DOMAIN], tctx: undefined, rctx: undefined }))).toBe('present');
    expect(await judge(await txnToken({}, { typ: 'application/txntoken+jwt' }))).toBe('present');
  });

  test.each<[string, string, Claims, Claims?]>([
    ['for another trust domain', 'audience_mismatch', { aud: 'other.example' }],
    ['for two trust domains', 'claim_invalid', { aud: [DOMAIN, 'other.example'] }],
    ['for nobody', 'claim_missing', { aud: undefined }],
    ['under another name', 'issuer_unknown', { iss: 'https://other.example' }],
    ['under the name of the authorization server', 'issuer_unknown', { iss: 'https://as.example' }],
    ['with an iss that is no text', 'claim_invalid', { iss: 7 }],
    ['that is an access token', 'type_not_allowed', {}, { typ: 'at+jwt' }],
    ['that is any token', 'type_not_allowed', {}, { typ: undefined }],
    ['without txn', 'claim_missing', { txn: undefined }],
    ['with an empty txn', 'claim_missing', { txn: '' }],
    ['without sub', 'claim_missing', { sub: undefined }],
    ['without scope', 'claim_missing', { scope: undefined }],
    ['without req_wl', 'claim_missing', { req_wl: undefined }],
    ['with a req_wl that is no text', 'claim_invalid', { req_wl: ['a'] }],
    ['without iat', 'claim_missing', { iat: undefined }],
    ['without exp', 'claim_missing', { exp: undefined }],
    ['with a tctx that is no object', 'claim_invalid', { tctx: 'BUY' }],
    ['with an rctx that is no object', 'claim_invalid', { rctx: [] }],
    ['that has expired', 'token_expired', { exp: NOW - 5 }],
    ['of the future', 'token_issued_in_future', { iat: NOW + 6 }],
  ])('%s is refused', async (_, code, claims, header) => {
    expect(await judge(await txnToken(claims, header ?? HEADER))).toBe(`invalid ${code}`);
  });

  test('by the key of the authorization server is refused', async () => {
    expect(await judge(await txnToken({}, HEADER, key))).toBe('invalid signature_invalid');
  });

  test('comes once: two lines, or one with a comma, are refused, and so is an empty one', async () => {
    const one = await txnToken();
    expect(await judge(one, one)).toBe('invalid txn_token_multiple');
    expect(await judge(`${one}, ${one}`)).toBe('invalid txn_token_multiple');
    expect(await judge('')).toBe('invalid token_malformed');
    expect(await judge(`Bearer ${one}`)).toBe('invalid token_malformed');
  });

  test('that is missing is absent, and one that nobody could verify here is not looked at', async () => {
    expect(await judge()).toBe('absent txn_token_missing');
    const without = await benchOver([access]);
    expect(stateOf(await without.identify({ txnToken: ['a', 'b'] }))).toBe('absent txn_token_unchecked');
  });

  test('that is known is not verified again, and its times are judged each time', async () => {
    const made = await benchOver();
    const facts: RequestFacts = { txnToken: [await txnToken()] };
    const first = await made.identify(facts);
    expect((await made.identify(facts)).signals.txnToken).toBe(first.signals.txnToken);
    expect(made.identifier.status().txnTokenCache).toMatchObject({ hits: 1, entries: 1 });
    expect(made.identifier.status().tokenCache.entries).toBe(0);
    made.clock.wallSeconds = NOW + 305;
    expect(stateOf(await made.identify(facts))).toBe('invalid token_expired');
  });

  test('waits for keys with the access token, and is unavailable without them', async () => {
    const made = createBench(identityOptions([service, access], { keyWaitMs: 20 }), {
      httpFetch: async (url) => {
        if (url.startsWith(TTS)) throw new Error('away');
        return { bytes: Buffer.from(JSON.stringify({ keys: [key.jwk] })), contentType: null };
      },
    });
    const identity = await made.identify({ authorization: [`Bearer ${await makeToken(key)}`], txnToken: [await txnToken()] });
    expect(identity.signals.token.status).toBe('present');
    expect(stateOf(identity)).toBe('unavailable keys_unavailable');
    made.identifier.stop();
  });
});

describe('the two kinds of tokens', () => {
  test.each<[string, Claims, string, string]>([
    ['without iss', {}, 'claim_missing', 'claim_missing'],
    ['with iss', { iss: TTS }, 'issuer_unknown', 'issuer_unknown'],
    ['with iss, for the audience of access tokens', { iss: TTS, aud: AUDIENCE }, 'issuer_unknown', 'issuer_unknown'],
    ['under the name of the authorization server', { iss: 'https://as.example', aud: AUDIENCE }, 'type_not_allowed', 'signature_invalid'],
  ])('a transaction token %s is no access token', async (_, claims, asItself, asAccessToken) => {
    const judgeAs = async (header: Claims) => bench.judge(await txnToken(claims, header));
    expect(await judgeAs(HEADER)).toBe(`invalid ${asItself}`);
    expect(await judgeAs({ typ: 'at+jwt' })).toBe(`invalid ${asAccessToken}`);
  });

  test('an access token is no transaction token, whatever it says', async () => {
    const claims = { txn: 't', req_wl: 'w' };
    for (const aud of [AUDIENCE, DOMAIN]) {
      for (const header of [HEADER, { typ: 'at+jwt' }])
        expect(await judge(await makeToken(key, { ...claims, aud }, header))).toMatch(/^invalid/);
    }
  });

  test('what the one has verified does not count for the other', async () => {
    const made = await benchOver();
    const one = await makeToken(key);
    const other = await txnToken();
    await made.identify({ authorization: [`Bearer ${one}`], txnToken: [other] });
    const swapped = await made.identify({ authorization: [`Bearer ${other}`], txnToken: [one] });
    expect(swapped.signals.token).toEqual({ status: 'invalid', code: 'claim_missing' });
    expect(stateOf(swapped)).toBe('invalid audience_mismatch');
  });

  test('may come from one server under one name, each with its own keys', async () => {
    const both = await benchOver([{ ...service, issuer: 'https://as.example' }, access]);
    const facts = {
      txnToken: [await txnToken({ iss: 'https://as.example' })],
      authorization: [`Bearer ${await makeToken(key, { iss: 'https://as.example' })}`],
    };
    const identity = await both.identify(facts);
    expect([identity.signals.token.status, stateOf(identity)]).toEqual(['present', 'present']);
    expect(both.identifier.status().keySets.map(({ issuer }) => issuer)).toEqual(['https://as.example (txn_token)', 'https://as.example']);
  });

  test('with a transaction token an identity is its own, and the one without is as before', async () => {
    const made = await benchOver();
    const alone: RequestFacts = { authorization: [`Bearer ${await makeToken(key)}`] };
    const before = await made.identify(alone);
    const both = await made.identify({ ...alone, txnToken: [await txnToken({ sub: 'svc-a' })] });
    expect(both.evidence).toMatchObject({
      methods: ['token', 'txn_token'],
      assurance: 2,
      agreement: { pairs: { token_txn_token: 'agree' } },
    });
    expect(await made.identify(alone)).toBe(before);
    expect(before.evidence.methods).toEqual(['token']);
  });
});

test.each<[string, readonly IssuerOptions[]]>([
  ['a service twice', [service, { ...service, audiences: ['other.example'] }]],
  ['any audience', [{ ...service, audiences: [], allowAnyAudience: true }]],
  ['two services of one trust domain', [service, { ...service, issuer: 'https://other.example' }]],
  ['transaction tokens as access tokens', [{ ...access, types: ['at+jwt', 'TxnToken+JWT'] }]],
])('%s is no configuration', (_, issuers) => {
  expect(() => createBench(identityOptions(issuers))).toThrow(/configuration/);
});

import { describe, expect, test } from 'vitest';
import { AGREEMENT_PAIRS, NOTHING_COMPARED } from '../../src/contract/agreement.ts';
import type { AgreementOptions } from '../../src/identify/agreement-mapping.ts';
import { commonNameOf } from '../../src/identify/agreement-views.ts';
import type { IdentityOptions } from '../../src/identify/options.ts';
import { createAuthority } from '../support/certificates.ts';
import {
  type Claims,
  createBench,
  createSigningKey,
  identityOptions,
  issuerOptions,
  keysAtHand,
  makeToken,
  type RequestFacts,
} from './fixtures.ts';

const key = await createSigningKey('k1');
const authority = createAuthority();
const now = Math.floor(Date.now() / 1000);
const certificateOf = (path: string, validDays: readonly [number, number] = [-1, 30]): RequestFacts => ({
  certificates: [
    { form: 'pem', from: 'decide', pem: authority.client({ commonName: 'billing', uris: [`spiffe://td.example${path}`], validDays }).pem },
  ],
});
const billing = certificateOf('/ns/prod/agent/billing');

type Rule = AgreementOptions['rules'][number];
const rule = (left: string, right: string, more: Partial<Rule> = {}): Rule => ({
  pair: 'token_certificate',
  left,
  right,
  ignoreCase: false,
  ...more,
});

async function benchWith(
  rules: readonly Rule[],
  more: Partial<IdentityOptions> = {},
  withoutBuiltIn: AgreementOptions['withoutBuiltIn'] = [],
) {
  const issuers = [
    issuerOptions({ jwksUrl: 'https://as.example/jwks' }),
    issuerOptions({ kind: 'txn_token', issuer: 'https://tts.example', audiences: ['td.example'], jwksUrl: 'https://tts.example/jwks' }),
  ];
  const bench = createBench(identityOptions(issuers, { agreement: { rules, withoutBuiltIn }, ...more }), keysAtHand([key.jwk]));
  bench.clock.wallSeconds = now;
  await bench.identifier.start();
  bench.identifier.stop();
  return bench;
}

const bearer = async (claims: Claims): Promise<RequestFacts> => ({
  authorization: [`Bearer ${await makeToken(key, { iat: now, exp: now + 300, ...claims })}`],
});
const txn = async (claims: Claims): Promise<RequestFacts> => {
  const all = { iss: undefined, aud: 'td.example', iat: now, exp: now + 300, txn: 't', scope: 's', sub: 'u', req_wl: 'w', ...claims };
  return { txnToken: [await makeToken(key, all, { typ: 'txntoken+jwt' })] };
};

describe('a token and a certificate by configured names', () => {
  test.each<[Rule, Claims, 'agree' | 'conflict' | 'unknown']>([
    [rule('client_id', 'spiffe_path_last'), { client_id: 'billing' }, 'agree'],
    [rule('client_id', 'spiffe_path_last'), { client_id: 'shipping' }, 'conflict'],
    [rule('client_id', 'spiffe_path_last'), { client_id: 'Billing' }, 'conflict'],
    [rule('client_id', 'spiffe_path_last', { ignoreCase: true }), { client_id: 'BILLING' }, 'agree'],
    [rule('client_id', 'spiffe_path_last'), { client_id: undefined }, 'unknown'],
    [rule('subject', 'spiffe_id'), { sub: 'spiffe://td.example/ns/prod/agent/billing' }, 'agree'],
    [rule('subject', 'uri'), { sub: 'spiffe://td.example/ns/prod/agent/billing' }, 'agree'],
    [rule('subject', 'dns'), { sub: 'billing' }, 'unknown'],
    [rule('subject', 'subject_cn'), { sub: 'billing' }, 'agree'],
    [rule('subject', 'subject_cn'), { sub: 'alice' }, 'conflict'],
    [rule('claim:env', 'spiffe_path_segment:2'), { env: 'prod' }, 'agree'],
    [rule('claim:env', 'spiffe_path_segment:2'), { env: 'test' }, 'conflict'],
    [rule('claim:envs', 'spiffe_path_segment:2'), { envs: ['test', 'prod', 7] }, 'agree'],
    [rule('claim:env', 'spiffe_path_segment:9'), { env: 'prod' }, 'unknown'],
    [rule('claim:env', 'spiffe_path_last'), { env: { a: 1 } }, 'unknown'],
    [rule('claim:constructor', 'spiffe_path_last'), {}, 'unknown'],
    [rule('issuer', 'trust_domain'), {}, 'conflict'],
  ])('%j with %j', async (one, claims, agreement) => {
    const bench = await benchWith([one]);
    const { evidence } = await bench.identify({ ...(await bearer(claims)), ...billing });
    expect(evidence.agreement.pairs).toEqual({ ...NOTHING_COMPARED.pairs, token_certificate: agreement });
    expect(evidence.agreement.conflicts).toEqual(agreement === 'conflict' ? ['token_certificate'] : []);
  });

  test('a conflict names no client and lifts no assurance', async () => {
    const bench = await benchWith([rule('client_id', 'spiffe_path_last')]);
    const apart = await bench.identify({ ...(await bearer({ client_id: 'shipping' })), ...billing });
    expect(apart.evidence).toMatchObject({ assurance: 2, agreement: { client: 'single' } });
    expect(apart.subject.client).toBeNull();
    const together = await bench.identify({ ...(await bearer({ client_id: 'billing' })), ...billing });
    expect(together.evidence.assurance).toBe(3);
    expect(together.subject.client).toBe('billing');
  });

  test('each rule of a pair must hold', async () => {
    const bench = await benchWith([rule('client_id', 'spiffe_path_last'), rule('claim:env', 'spiffe_path_segment:2')]);
    const judge = async (claims: Claims) =>
      (await bench.identify({ ...(await bearer(claims)), ...billing })).evidence.agreement.pairs.token_certificate;
    expect(await judge({ client_id: 'billing', env: 'prod' })).toBe('agree');
    expect(await judge({ client_id: 'billing' })).toBe('agree');
    expect(await judge({ client_id: 'billing', env: 'test' })).toBe('conflict');
    expect(await judge({ client_id: 'shipping', env: 'prod' })).toBe('conflict');
  });

  test.each([{ validDays: [-30, -1] }, { validDays: [1, 30] }] as const)(
    'a certificate that is not valid now confirms nothing, and can contradict: $validDays',
    async ({ validDays }) => {
      const bench = await benchWith([rule('client_id', 'spiffe_path_last')]);
      const old = certificateOf('/agent/billing', validDays);
      const pair = async (clientId: string) =>
        (await bench.identify({ ...(await bearer({ client_id: clientId })), ...old })).evidence.agreement.pairs.token_certificate;
      expect(await pair('billing')).toBe('unknown');
      expect(await pair('shipping')).toBe('conflict');
    },
  );

  test('so do claims that only a gateway vouches for', async () => {
    const bench = await benchWith([rule('client_id', 'spiffe_path_last')]);
    const pair = async (clientId: string) =>
      (await bench.identify({ claims: { client_id: clientId }, ...billing })).evidence.agreement.pairs.token_certificate;
    expect(await pair('billing')).toBe('unknown');
    expect(await pair('shipping')).toBe('conflict');
  });
});

describe('a token and a transaction token', () => {
  test('agree by their subjects', async () => {
    const bench = await benchWith([]);
    const judge = async (sub: string) =>
      (await bench.identify({ ...(await bearer({ sub: 'user-1' })), ...(await txn({ sub })) })).evidence.agreement;
    expect((await judge('user-1')).pairs.token_txn_token).toBe('agree');
    expect((await judge('user-2')).conflicts).toEqual(['token_txn_token']);
  });

  test('a conflict of theirs leaves the client and the assurance, which are the token alone', async () => {
    const bench = await benchWith([]);
    const identity = await bench.identify({ ...(await bearer({ sub: 'user-1', client_id: 'a' })), ...(await txn({ sub: 'user-2' })) });
    expect(identity.evidence.assurance).toBe(2);
    expect(identity.subject).toMatchObject({ id: 'user-1', client: 'a' });
  });

  test('are left alone, or compared by other names, where that is configured', async () => {
    const alone = await benchWith([], {}, ['token_txn_token']);
    const facts = { ...(await bearer({ sub: 'user-1', txn_sub: 'u-9' })), ...(await txn({ sub: 'u-9' })) };
    expect((await alone.identify(facts)).evidence.agreement).toEqual({ client: 'single', ...NOTHING_COMPARED });
    const other = await benchWith([rule('claim:txn_sub', 'subject', { pair: 'token_txn_token' })], {}, ['token_txn_token']);
    expect((await other.identify(facts)).evidence.agreement.pairs.token_txn_token).toBe('agree');
  });

  test('three pieces are compared by twos', async () => {
    const bench = await benchWith([
      rule('client_id', 'spiffe_path_last'),
      rule('spiffe_path_last', 'requesting_workload', { pair: 'certificate_txn_token' }),
    ]);
    const facts = { ...(await bearer({ client_id: 'billing', sub: 'u' })), ...billing, ...(await txn({ req_wl: 'other' })) };
    const { pairs, conflicts } = (await bench.identify(facts)).evidence.agreement;
    expect(pairs).toEqual({
      ...NOTHING_COMPARED.pairs,
      token_certificate: 'agree',
      token_txn_token: 'agree',
      certificate_txn_token: 'conflict',
    });
    expect(conflicts).toEqual(['certificate_txn_token']);
  });
});

test('one piece of evidence is compared with nothing: all share one answer, which knows every pair', async () => {
  const bench = await benchWith([rule('client_id', 'spiffe_path_last')]);
  const answers = [
    await bench.identify({}),
    await bench.identify(await bearer({})),
    await bench.identify(billing),
    await bench.identify(await txn({})),
  ];
  for (const { evidence } of answers) expect(evidence.agreement.pairs).toBe(NOTHING_COMPARED.pairs);
  expect(Object.keys(NOTHING_COMPARED.pairs)).toEqual([...AGREEMENT_PAIRS]);
});

describe('rules that are no configuration', () => {
  const clients = [{ id: 'billing', spiffeIds: ['spiffe://td.example/agent/billing', 'spiffe://td.example/agent/invoices'] }];

  test.each<[string, readonly Rule[], RegExp, Partial<IdentityOptions>?]>([
    ['a name that a token does not give', [rule('spiffe_id', 'spiffe_id')], /rules\[0\]\.left/],
    ['a name that a certificate does not give', [rule('subject', 'spiffe_id'), rule('subject', 'client')], /rules\[1\]\.right/],
    ['a segment before the first', [rule('subject', 'spiffe_path_segment:0')], /rules\[0\]\.right/],
    ['a name that an API key does not give', [rule('client_id', 'subject', { pair: 'token_api_key' })], /rules\[0\]\.right/],
    ['a rule twice', [rule('subject', 'uri'), rule('subject', 'uri')], /rules\[1\]/],
    ['a rule with case and without', [rule('subject', 'uri'), rule('subject', 'uri', { ignoreCase: true })], /rules\[1\]/],
    ['a rule against the map of clients', [rule('client_id', 'spiffe_path_last')], /rules\[0\]\.right/, { clients }],
  ])('%s', async (_, rules, field, more) => {
    await expect(benchWith(rules, more)).rejects.toThrow(field);
  });

  test('a rule that the map of clients bears out is one', async () => {
    const mapped = [{ id: 'billing', spiffeIds: ['spiffe://td.example/agent/billing'] }];
    await expect(benchWith([rule('client_id', 'spiffe_path_last')], { clients: mapped })).resolves.toBeDefined();
    await expect(benchWith([rule('client_id', 'spiffe_path_segment:9')], { clients })).resolves.toBeDefined();
  });
});

test.each([
  ['CN=billing,O=Example', 'billing'],
  ['O=Example,CN=billing', 'billing'],
  ['O=Example + cn=billing', 'billing'],
  ['CN=a,CN=b', null],
  ['O=Example', null],
  ['O=x\\,CN=admin,CN=billing', null],
  ['O="x,CN=admin",CN=billing', null],
  ['', null],
])('the common name of %j is %j', (subject, name) => {
  expect(commonNameOf(subject)).toBe(name);
});

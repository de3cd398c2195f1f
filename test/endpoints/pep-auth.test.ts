import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CountersignError } from '../../src/contract/errors.ts';
import { createChangingPepAuth } from '../../src/endpoints/changing-pep-auth.ts';
import { parseAltNames } from '../../src/endpoints/peer-certificate.ts';
import { createPepAuth, type PepOptions } from '../../src/endpoints/pep-auth.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const forwardedFor = { header: 'X-Forwarded-For', appendsPeer: false, hops: null };
const pep = (name: string, more: Partial<PepOptions> = {}): PepOptions => ({
  name,
  anonymous: false,
  tokenSha256: null,
  certificate: null,
  trusts: [],
  policies: [],
  forwardedFor,
  certificateHeader: null,
  ...more,
});
const local = pep('local', { anonymous: true, trusts: ['client_address'] });
const edge = pep('edge', { tokenSha256: sha256('edge-token').toUpperCase(), certificate: { uri: 'spiffe://td.test/edge' } });
const mesh = pep('mesh', { certificate: { dns: 'Mesh.test', sha256: 'AB:CD' } });
const auth = createPepAuth([local, edge, mesh], ['default']);
const certificate = (more: { uris?: string[]; dns?: string[]; sha256?: string }) => ({ uris: [], dns: [], sha256: 'ff', ...more });
const nameOf = (token: string | null, offered: ReturnType<typeof certificate> | null = null) =>
  auth.authenticate({ token, certificate: offered })?.name ?? null;

describe('authenticate', () => {
  test('nothing offered is the anonymous gateway, or nobody', () => {
    expect(nameOf(null)).toBe('local');
    expect(createPepAuth([edge], ['default']).authenticate({ token: null, certificate: null })).toBeNull();
  });

  test.each([
    ['a good token', 'edge-token', null, 'edge'],
    ['a wrong token is never the anonymous gateway', 'edge-tokem', null, null],
    ['an empty token was offered too', '', null, null],
    ['a certificate by URI', null, certificate({ uris: ['spiffe://td.test/other', 'spiffe://td.test/edge'] }), 'edge'],
    ['URIs are compared whole', null, certificate({ uris: ['spiffe://td.test/edge/x'] }), null],
    ['a certificate that nobody is configured by is wrong', null, certificate({}), null],
    ['every member of a rule has to match', null, certificate({ dns: ['mesh.test'] }), null],
    ['and does', null, certificate({ dns: ['mesh.test'], sha256: 'abcd' }), 'mesh'],
    ['token and certificate of one gateway', 'edge-token', certificate({ uris: ['spiffe://td.test/edge'] }), 'edge'],
    ['token and certificate of two gateways', 'edge-token', certificate({ dns: ['mesh.test'], sha256: 'abcd' }), null],
    ['a good certificate does not heal a wrong token', 'x', certificate({ uris: ['spiffe://td.test/edge'] }), null],
    ['a certificate that says nothing beside a good token', 'edge-token', certificate({}), 'edge'],
    [
      'one that two gateways are known by',
      null,
      certificate({ uris: ['spiffe://td.test/edge'], dns: ['mesh.test'], sha256: 'abcd' }),
      null,
    ],
  ])('%s', (_, token, offered, name) => {
    expect(nameOf(token, offered)).toBe(name);
  });
});

describe('what changes while the service runs', () => {
  test('both tokens are good, and others in one step, or none', () => {
    const changing = createChangingPepAuth([edge, pep('next', { tokenSha256: sha256('a'), secondTokenSha256: sha256('b') })], ['default']);
    const names = (...tokens: string[]) => tokens.map((token) => changing.authenticate({ token, certificate: null })?.name ?? null);
    expect([names('a', 'b', 'edge-token'), changing.generation]).toEqual([['next', 'next', 'edge'], 0]);
    expect(() => changing.prepare([pep('next', { tokenSha256: sha256('c') }), pep('next')])).toThrow(CountersignError);
    expect([names('a', 'c'), changing.generation]).toEqual([['next', null], 0]);
    const prepared = changing.prepare([pep('next', { tokenSha256: sha256('c') })]);
    expect([names('a', 'c'), changing.generation]).toEqual([['next', null], 0]);
    prepared.commit();
    expect([names('a', 'c', 'edge-token'), changing.generation]).toEqual([[null, 'next', null], 1]);
    expect([changing.named('edge'), changing.named('next')?.name]).toEqual([null, 'next']);
  });
});

describe('policies of a gateway', () => {
  const policiesOf = (options: PepOptions, names: string[]) =>
    createPepAuth([options], names).authenticate({ token: null, certificate: null })?.policies;

  test('its list, else the only policy, else default', () => {
    expect(policiesOf(pep('a', { anonymous: true, policies: ['x'] }), ['x', 'default'])).toEqual(['x']);
    expect(policiesOf(pep('a', { anonymous: true }), ['x'])).toEqual(['x']);
    expect(policiesOf(pep('a', { anonymous: true }), ['x', 'default'])).toEqual(['default']);
  });

  test.each([
    ['no default among several', [pep('a')], ['x', 'y']],
    ['a policy that is not there', [pep('a', { policies: ['z'] })], ['default']],
    ['a name twice', [pep('a'), pep('a')], ['default']],
    ['a token twice', [pep('a', { tokenSha256: 'AA' }), pep('b', { tokenSha256: 'aa' })], ['default']],
    ['a second token that is another first', [pep('a', { tokenSha256: 'AA' }), pep('b', { secondTokenSha256: 'aa' })], ['default']],
    ['two anonymous gateways', [local, pep('b', { anonymous: true })], ['default']],
    ['a certificate rule that matches anything', [pep('a', { certificate: {} })], ['default']],
  ])('refuses the start: %s', (_, peps, names) => {
    expect(() => createPepAuth(peps, names)).toThrow(CountersignError);
  });

  test('header names of the chain are compared in lower case', () => {
    expect(createPepAuth([local], ['default']).authenticate({ token: null, certificate: null })?.forwardedFor.header).toBe(
      'x-forwarded-for',
    );
  });
});

describe('parseAltNames', () => {
  test('reads every name, quoted ones as JSON strings', () => {
    expect(parseAltNames('DNS:a.test, URI:spiffe://td.test/a, IP Address:127.0.0.1, URI:"x, DNS:evil.test"')).toEqual([
      { kind: 'DNS', value: 'a.test' },
      { kind: 'URI', value: 'spiffe://td.test/a' },
      { kind: 'IP Address', value: '127.0.0.1' },
      { kind: 'URI', value: 'x, DNS:evil.test' },
    ]);
  });

  test.each(['', 'nonsense', 'DNS:a", DNS:b', 'URI:"\\x"'])('nothing from %j', (text) => {
    expect(parseAltNames(text)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { changeOf } from '../../src/config/changes.ts';
import { configSchema } from '../../src/config/schema.ts';

const HASH = 'a'.repeat(64);
const EDGE = { name: 'edge', tokenSha256: HASH };
const ISSUER = { issuer: 'https://as.example', audiences: ['a'], jwksUrl: 'https://as.example/jwks' };
const LIST = { name: 'feed', file: '/lists/feed.txt' };
const configOf = (more: object = {}) => configSchema.parse({ peps: [EDGE], ...more });
const running = configOf();

describe('a configuration that was read anew', () => {
  it.each<[string, object, { changed: string[]; restart: string[] }]>([
    ['is the same', {}, { changed: [], restart: [] }],
    ['has a second token', { peps: [{ ...EDGE, secondTokenSha256: 'b'.repeat(64) }] }, { changed: ['peps'], restart: [] }],
    ['has one gateway more', { peps: [EDGE, { name: 'b', tokenSha256: 'b'.repeat(64) }] }, { changed: ['peps'], restart: [] }],
    ['differs elsewhere', { http: { port: 1 }, log: { level: 'debug' } }, { changed: [], restart: ['http', 'log'] }],
    ['differs in both', { http: { port: 1 }, peps: [{ ...EDGE, trusts: ['rate'] }] }, { changed: ['peps'], restart: ['http'] }],
    ['has another issuer', { identity: { issuers: [ISSUER] } }, { changed: ['issuers'], restart: [] }],
    ['has another list', { network: { lists: [LIST] } }, { changed: ['lists'], restart: [] }],
    [
      'differs beside issuers and lists',
      { identity: { issuers: [ISSUER], keyWaitMs: 1 }, network: { lists: [LIST], hostingAsns: false } },
      { changed: ['issuers', 'lists'], restart: ['identity.keyWaitMs', 'network.hostingAsns'] },
    ],
    [
      'opens a gateway beside another issuer: none of it is taken',
      { peps: [{ ...EDGE, enforce: false }], identity: { issuers: [ISSUER] } },
      { changed: [], restart: ['peps[].enforce'] },
    ],
    ['opens a gateway', { peps: [{ ...EDGE, enforce: false }] }, { changed: [], restart: ['peps[].enforce'] }],
    ['lets the first one report', { peps: [{ ...EDGE, trusts: ['feedback'] }] }, { changed: [], restart: ['peps[].trusts'] }],
  ])('%s', (_, more, expected) => {
    expect(changeOf(running, configOf(more))).toMatchObject(expected);
  });

  it('takes the gateways and nothing else', () => {
    const change = changeOf(running, configOf({ http: { port: 1 }, peps: [{ ...EDGE, tokenSha256: 'c'.repeat(64) }] }));
    const { peps, ...others } = Object({ config: running, ...change }).config;
    const { peps: _, ...before } = running;
    expect([peps[0].tokenSha256, others]).toEqual(['c'.repeat(64), before]);
  });

  it('takes issuers and lists and nothing else of their sections', () => {
    const change = changeOf(
      running,
      configOf({ identity: { issuers: [ISSUER], keyWaitMs: 1 }, network: { lists: [LIST], registry: false } }),
    );
    const { identity, network } = Object({ config: running, ...change }).config;
    expect([identity.issuers[0].issuer, identity.keyWaitMs]).toEqual([ISSUER.issuer, running.identity.keyWaitMs]);
    expect([network.lists[0].name, network.registry]).toEqual(['feed', true]);
  });

  it('takes away a gateway together with the issuer that names it', () => {
    const opaque = {
      ...ISSUER,
      introspection: { mode: 'opaque', endpoint: 'https://as.example/i', clientId: 'c', authentication: { secret: 's' } },
    };
    const asked = { ...opaque, introspection: { ...opaque.introspection, opaqueTokens: { peps: ['b'] } } };
    const both = [EDGE, { name: 'b', tokenSha256: 'b'.repeat(64) }];
    const before = configOf({ peps: both, identity: { issuers: [asked] } });
    expect(configSchema.safeParse({ peps: [EDGE], identity: { issuers: [asked] } }).success).toBe(false);
    expect(changeOf(before, configOf({ identity: { issuers: [opaque] } }))).toMatchObject({ changed: ['peps', 'issuers'], restart: [] });
  });

  it('is refused where its gateways are right in it and wrong beside what runs: the open listener stays closed to strangers', () => {
    const open = configOf({ http: { host: '0.0.0.0' } });
    const change = changeOf(open, configOf({ peps: [{ name: 'local', anonymous: true }] }));
    expect(change).toEqual({ refused: [{ path: 'http.host', message: expect.stringContaining('beside what runs') }] });
  });
});

describe('a second token', () => {
  const problems = (peps: object[], more: object = {}) => {
    const parsed = configSchema.safeParse({ peps, ...more });
    return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join('.'));
  };
  it.each<[string, object[], object, string[]]>([
    ['stands beside a first', [{ ...EDGE, secondTokenSha256: 'b'.repeat(64) }], {}, []],
    ['alone', [{ name: 'a', anonymous: true, secondTokenSha256: HASH }], {}, ['peps.0.secondTokenSha256']],
    ['is the first', [{ ...EDGE, secondTokenSha256: HASH }], {}, ['peps.0.secondTokenSha256']],
    ["is another gateway's", [EDGE, { name: 'b', tokenSha256: 'b'.repeat(64), secondTokenSha256: HASH }], {}, ['peps.1.secondTokenSha256']],
    [
      "is an operator's",
      [{ ...EDGE, secondTokenSha256: 'b'.repeat(64) }],
      { operations: { tokens: [{ name: 'o', role: 'viewer', tokenSha256: 'b'.repeat(64) }] } },
      ['operations.tokens.0.tokenSha256'],
    ],
  ])('%s', (_, peps, more, expected) => {
    expect(problems(peps, more)).toEqual(expected);
  });
});

import { describe, expect, it } from 'vitest';
import { maskConfig } from '../../src/config/mask.ts';
import { configSchema } from '../../src/config/schema.ts';

/** Paths of what is wrong with a configuration that has these sources. */
function problemsOf(sources: unknown, more: object = {}): string[] {
  const parsed = configSchema.safeParse({ sources, ...more });
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.slice(1).join('.'));
}
const ok = {
  name: 'risk',
  url: 'https://pip.internal/clients/{subject.client}?ip={network.address}',
  attributes: { tier: { pointer: '/data/tier' } },
};

describe('sources', () => {
  it('fills in what is not said', () => {
    expect(configSchema.parse({ sources: [ok] }).sources).toEqual([
      {
        ...ok,
        ...{ method: 'GET', headers: [], body: null, when: 'collect', notFound: 'unavailable', cacheSeconds: 60, negativeCacheSeconds: 5 },
        ...{ cacheBytesMax: 8_388_608, timeoutMs: 1000, concurrencyMax: 64, breaker: { failuresMax: 5, openMs: 2000 }, bytesMax: 65_536 },
        ...{ allowPrivate: [], allowInsecureHttp: false, caFile: null },
        attributes: { tier: { pointer: '/data/tier', type: 'string', optional: false } },
      },
    ]);
    expect(configSchema.parse({}).sources).toEqual([]);
  });

  it.each([
    ['plain http to loopback', { url: 'http://127.0.0.1:8181/{subject.id}' }],
    ['plain http that is written out', { url: 'http://pip.internal/{subject.id}', allowInsecureHttp: true }],
    ['a secret in a file', { headers: [{ name: 'Authorization', prefix: 'Bearer ', valueFile: '/secret' }] }],
    ['a body', { method: 'POST', body: { a: ['{subject.id}', 1, null, { b: 'x-{claims.tenant}' }] } }],
    ['hosts, addresses and blocks', { allowPrivate: ['pip.internal', '10.1.2.3', '10.0.0.0/8', 'fd00::/16', 'fade.cafe'] }],
    ['a pointer to the whole', { attributes: { all: { pointer: '', type: 'strings', optional: true } } }],
  ])('takes %s', (_what, change) => {
    expect(problemsOf([{ ...ok, ...change }])).toEqual([]);
  });

  it.each([
    ['a name that no metric could have', { name: 'Risk' }, '0.name'],
    ['plain http', { url: 'http://pip.internal/' }, '0.url'],
    ['plain http with a placeholder where the host is', { url: 'http://{network.address}/' }, '0.url'],
    ['a host that is filled in', { url: 'https://{subject.client}.internal/' }, '0.url'],
    ['a placeholder that is not known', { url: 'https://pip.internal/{request.path}' }, '0.url'],
    ['a body by GET', { body: {} }, '0.body'],
    ['a body with a placeholder that is not known', { method: 'POST', body: { a: [{ b: '{x}' }] } }, '0.body'],
    ['a body that is no JSON', { method: 'POST', body: { a: Number.NaN } }, '0.body'],
    ['a body that is too deep', { method: 'POST', body: JSON.parse(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`) }, '0.body'],
    ['a body that is too long', { method: 'POST', body: { a: 'x'.repeat(20_000) } }, '0.body'],
    ['no attribute', { attributes: {} }, '0.attributes'],
    [
      '33 attributes',
      { attributes: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`a${at}`, { pointer: '/a' }])) },
      '0.attributes',
    ],
    ['an attribute that is awkward in Rego', { attributes: { 'a-b': { pointer: '/a' } } }, '0.attributes.a-b'],
    ['no pointer', { attributes: { a: { pointer: 'data.tier' } } }, '0.attributes.a.pointer'],
    ['a type that is not known', { attributes: { a: { pointer: '/a', type: 'object' } } }, '0.attributes.a.type'],
    ['a header of ours', { headers: [{ name: 'Content-Length', value: '1' }] }, '0.headers.0.name'],
    ['the header with the host', { headers: [{ name: 'host', value: 'x' }] }, '0.headers.0.name'],
    [
      'a header that is there twice',
      {
        headers: [
          { name: 'x', value: '1' },
          { name: 'X', value: '2' },
        ],
      },
      '0.headers.1.name',
    ],
    ['a header without a value', { headers: [{ name: 'x' }] }, '0.headers.0'],
    ['a header with two', { headers: [{ name: 'x', value: '1', valueFile: '/x' }] }, '0.headers.0'],
    ['a header of two lines', { headers: [{ name: 'x', value: 'a\r\nb: c' }] }, '0.headers.0.value'],
    ['everything private', { allowPrivate: ['0.0.0.0/0'] }, '0.allowPrivate.0'],
    ['everything private of IPv6', { allowPrivate: ['::/0'] }, '0.allowPrivate.0'],
    ['a key that is not known', { retries: 3 }, '0'],
  ])('refuses %s', (_what, change, path) => {
    const [first = '', ...others] = problemsOf([{ ...ok, ...change }]);
    expect([first === path || first.startsWith(`${path}.`) ? path : first, others]).toEqual([path, []]);
  });

  it('refuses a name that is there twice', () => {
    expect(problemsOf([ok, ok])).toEqual(['1.name']);
  });

  it('sends no claim that policies may not see', () => {
    const url = 'https://pip.internal/{claims.tenant}';
    const body = { method: 'POST', body: { a: ['{claims.other}'] } };
    const sources = [{ ...ok, url, ...body }];
    expect(problemsOf(sources)).toEqual([]);
    expect(problemsOf(sources, { input: { claims: ['tenant'] } })).toEqual(['0.body']);
    expect(problemsOf(sources, { input: { claims: ['other'] } })).toEqual(['0.url']);
    expect(problemsOf(sources, { input: { claims: ['other', 'tenant'] } })).toEqual([]);
  });

  it('is shown without its secrets', () => {
    const url = 'https://pip.internal/a?key=canary-1';
    const shown = JSON.stringify(
      maskConfig(configSchema.parse({ sources: [{ ...ok, url, headers: [{ name: 'x', value: 'canary-2' }] }] })),
    );
    expect(shown).toContain('https://pip.internal/a?***');
    expect(shown).not.toContain('canary');
  });
});

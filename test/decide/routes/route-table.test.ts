import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRouteTable } from '../../../src/decide/routes/route-table.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { canonicalTarget } from '../../../src/endpoints/canonical-url.ts';

const entry = (path: string, more: object = {}) => ({ methods: ['GET'], path, tier: 'low', ...more });

function match(routes: object, method: string, target: string, host = 'api.example') {
  return createRouteTable(routes, 'default').match(question(method, target, host));
}

function question(method: string, target: string, host = 'api.example') {
  const { path, pathRaw, segments, ambiguous } = canonicalTarget(target);
  const body = { status: 'absent', reason: null, contentType: null, size: null, json: null } as const;
  const http = {
    method,
    scheme: 'https',
    host,
    port: null,
    path,
    pathRaw,
    segments,
    query: new Map(),
    headers: new Map(),
    body,
    pathAmbiguous: ambiguous,
  };
  return { ...SMOKE_FACTS.request, http };
}

describe('parameters of segments, which servlet containers cut off before they route', () => {
  const routes = { user: entry('/users/{id}'), dump: entry('/users/export', { tier: 'critical' }), file: entry('/files/{path*}') };

  it.each([
    ['/users/export;v=1', 'ambiguous'],
    ['/users/export%3bv=1', 'ambiguous'],
    ['/users;v=1/export', 'ambiguous'],
    ['/users;v=1/7', 'ambiguous'],
    ['/users/7;v=1', 'matched'],
    ['/files/a;v=1/b', 'matched'],
    ['/nothing;v=1', 'unknown'],
  ])('%s is %s', (target, status) => {
    expect(match(routes, 'GET', target).status).toBe(status);
  });
});

describe('matching', () => {
  const routes = {
    root: entry('/'),
    orders: entry('/orders'),
    order: entry('/orders/{id}'),
    latest: entry('/orders/latest'),
    item: entry('/orders/{order}/items/{item}'),
    files: entry('/files/{path*}'),
    index: entry('/files/index'),
    anything: entry('/any/{x}', { methods: ['*'] }),
    put: entry('/any/{x}', { methods: ['PUT'] }),
  };

  it.each([
    ['GET', '/', 'root', {}],
    ['GET', '/orders', 'orders', {}],
    ['GET', '/orders/', 'orders', {}],
    ['GET', '/orders/7', 'order', { id: '7' }],
    ['GET', '/orders/latest', 'latest', {}],
    ['GET', '/orders/7/items/8', 'item', { order: '7', item: '8' }],
    ['GET', '/orders/latest/items/8', 'item', { order: 'latest', item: '8' }],
    ['GET', '/files/a/b/c', 'files', { path: 'a/b/c' }],
    ['GET', '/files/a', 'files', { path: 'a' }],
    ['GET', '/files/index', 'index', {}],
    ['DELETE', '/any/1', 'anything', { x: '1' }],
    ['PUT', '/any/1', 'put', { x: '1' }],
    ['GET', '/orders/%7B1%7D?x=/admin', 'order', { id: '{1}' }],
    ['GET', '/orders/J%C3%B6rg', 'order', { id: 'Jörg' }],
  ])('%s %s is %s', (method, target, id, parameters) => {
    expect(match(routes, method, target)).toMatchObject({ status: 'matched', id, parameters });
  });

  it.each([
    ['POST', '/orders'],
    ['get', '/orders'],
    ['GET', '/Orders'],
    ['GET', '/orders/7/items'],
    ['GET', '/order'],
    ['GET', '/__proto__'],
    ['GET', '/constructor'],
  ])('%s %s is unknown', (method, target) => {
    expect(match(routes, method, target)).toEqual({
      status: 'unknown',
      catalogue: 'default',
      id: 'unknown',
      tier: 'critical',
      scopes: [],
      public: false,
      resourceMetadataUrl: null,
      parameters: {},
    });
  });

  it('an ambiguous path is matched by nothing', () => {
    expect(match(routes, 'GET', '/orders/..%2f..%2ffiles')).toMatchObject({ status: 'ambiguous', id: 'unknown' });
  });

  it('a question without a request has no route', () => {
    expect(createRouteTable(routes, 'default').match(SMOKE_FACTS.request)).toMatchObject({ status: 'none' });
  });

  it('the rest of a path is at least one segment', () => {
    expect(match(routes, 'GET', '/files').status).toBe('unknown');
    expect(match(routes, 'GET', '/files/').status).toBe('unknown');
  });
});

describe('hosts', () => {
  const routes = {
    any: entry('/a'),
    exact: entry('/a', { hosts: ['api.example'] }),
    wild: entry('/a', { hosts: ['*.example'] }),
    deeper: entry('/a', { hosts: ['*.eu.example'] }),
    only: entry('/b', { hosts: ['api.example', 'www.example'] }),
  };

  it.each([
    ['api.example', '/a', 'exact'],
    ['www.example', '/a', 'wild'],
    ['x.y.example', '/a', 'wild'],
    ['x.eu.example', '/a', 'deeper'],
    ['example', '/a', 'any'],
    ['other.test', '/a', 'any'],
    ['www.example', '/b', 'only'],
    ['other.test', '/b', 'unknown'],
  ])('%s%s is %s', (host, target, id) => {
    expect(match(routes, 'GET', target, host).id).toBe(id);
  });
});

describe('a catalogue', () => {
  it('may be empty', () => {
    expect(match({}, 'GET', '/').status).toBe('unknown');
    expect(createRouteTable(undefined, 'default').size).toBe(0);
  });

  it('keeps tier, scopes and publicity', () => {
    const routes = { a: entry('/a', { tier: 'high', scopes: ['x'] }), b: entry('/b', { public: true }) };
    expect(match(routes, 'GET', '/a')).toMatchObject({ tier: 'high', scopes: ['x'], public: false });
    expect(match(routes, 'GET', '/b')).toMatchObject({ tier: 'low', scopes: [], public: true });
  });

  it('[RFC 9728] keeps where its resource is described, and takes no other address than https', () => {
    const url = 'https://api.example/.well-known/oauth-protected-resource/mcp?v=1';
    expect(match({ a: entry('/a', { resource_metadata: url }) }, 'GET', '/a').resourceMetadataUrl).toBe(url);
    expect(match({ a: entry('/a') }, 'GET', '/a').resourceMetadataUrl).toBeNull();
    const wrong = [
      'http://api.example/x',
      'https://u:p@api.example/x',
      'https://u@api.example/x',
      'https://api.example/#f',
      'https://api.example/"',
      'https://api.example/a b',
      'https://api.example/\\',
      'https://',
      `https://api.example/${'x'.repeat(2048)}`,
      7,
    ];
    for (const one of wrong) {
      expect(() => createRouteTable({ a: entry('/a', { resource_metadata: one }) }, 'default')).toThrow(/a\.resource_metadata/);
    }
  });

  it('of 10,000 routes finds each, by as many steps as the path has segments', () => {
    const routes = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, index) => [`r${index}`, entry(`/tenant-${index % 100}/service-${index}/{id}`)]),
    );
    const table = createRouteTable(routes, 'default');
    expect(table.size).toBe(10_000);
    for (const index of [0, 4999, 9999]) {
      expect(table.match(question('GET', `/tenant-${index % 100}/service-${index}/7`))).toMatchObject({
        id: `r${index}`,
        parameters: { id: '7' },
      });
    }
  });

  it('agrees with a naive matcher', () => {
    const segment = fc.constantFrom('a', 'b', '{x}', '{y}');
    const pattern = fc
      .array(segment, { minLength: 1, maxLength: 3 })
      .filter(
        (parts) => new Set(parts.filter((part) => part.startsWith('{'))).size === parts.filter((part) => part.startsWith('{')).length,
      );
    const target = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 });
    const shape = (parts: readonly string[]) => parts.map((part) => (part.startsWith('{') ? '*' : part)).join('/');
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { selector: shape, maxLength: 12 }), target, (patterns, parts) => {
        const routes = Object.fromEntries(patterns.map((one, index) => [`r${index}`, entry(`/${one.join('/')}`)]));
        // the first segment at which two of them differ decides: a literal wins
        const best = patterns
          .map((one, index) => ({ one, id: `r${index}`, key: one.map((part) => (part.startsWith('{') ? '1' : '0')).join('') }))
          .filter(({ one }) => one.length === parts.length && one.every((part, at) => part.startsWith('{') || part === parts[at]))
          .sort((a, b) => (a.key < b.key ? -1 : 1))[0];
        expect(match(routes, 'GET', `/${parts.join('/')}`).id).toBe(best?.id ?? 'unknown');
      }),
    );
  });
});

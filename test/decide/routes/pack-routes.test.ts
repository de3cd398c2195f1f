import { describe, expect, it } from 'vitest';
import { ANY_SERVER, NO_SERVERS } from '../../../src/decide/mcp/plans.ts';
import { packRoutes } from '../../../src/decide/routes/pack-routes.ts';
import { parseRoutes } from '../../../src/decide/routes/route-data.ts';
import { openRoutes } from '../../../src/decide/routes/route-table.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';

const entry = (path: string, more: object = {}) => ({ methods: ['GET'], path, tier: 'low', ...more });
const pack = (routes: object) => packRoutes(parseRoutes(routes), ANY_SERVER);

describe('a packed catalogue', () => {
  const routes = {
    a: entry('/a/{x}/b', { tier: 'high', scopes: ['s', 't'], hosts: ['api.example'], resource_metadata: 'https://api.example/m' }),
    b: entry('/files/{path*}', { methods: ['GET', 'PUT'], public: true, enforce: false }),
    c: entry('/mcp', { mcp: { server: 'tickets', gateways: ['edge'] } }),
  };
  const context = { catalogue: 'default', planOf: () => undefined, mcp: ANY_SERVER };
  const http = {
    ...{ method: 'GET', scheme: 'https', host: 'api.example', port: null, query: new Map(), headers: new Map(), pathAmbiguous: false },
    body: { status: 'absent', reason: null, contentType: null, size: null, json: null },
  } as const;
  const at = (packed: ReturnType<typeof pack>, path: string) => {
    const question = { ...http, path, pathRaw: path, segments: path.slice(1).split('/') };
    return openRoutes(packed, context).match({ ...SMOKE_FACTS.request, http: question });
  };

  it('is the same in another thread, and shares its memory with it', () => {
    const packed = pack(routes);
    const there = structuredClone(packed);
    for (const path of ['/a/1/b', '/files/x/y', '/mcp', '/a/1', '/']) expect(at(there, path)).toEqual(at(packed, path));
    expect(at(there, '/a/1/b')).toMatchObject({ id: 'a', tier: 'high', scopes: ['s', 't'], parameters: { x: '1' } });
    packed.rows.fill(0);
    packed.leaves.fill(0);
    expect(at(there, '/a/1/b').id).toBe('unknown');
  });

  it('gives a route the same object while it is asked for, and reads others beside thousands of them', () => {
    const packed = pack(Object.fromEntries(Array.from({ length: 9000 }, (_, index) => [`r${index}`, entry(`/r/${index}`)])));
    const table = openRoutes(packed, context);
    const ask = (index: number) =>
      table.match({ ...SMOKE_FACTS.request, http: { ...http, path: `/r/${index}`, pathRaw: `/r/${index}`, segments: ['r', `${index}`] } });
    expect(ask(7)).toBe(ask(7));
    for (let index = 0; index < 9000; index++) expect(ask(index).id).toBe(`r${index}`);
    expect(ask(7).id).toBe('r7');
  });

  it('is not opened where a server is gone', () => {
    expect(() => openRoutes(pack(routes), { ...context, mcp: NO_SERVERS })).toThrow(
      expect.objectContaining({ code: 'bundle_routes_invalid' }),
    );
  });

  it.each([
    [{ a: entry('/a/{b}/c}') }, 'a', /segment 3 of the path/],
    [{ a: entry('/{b}/{b}') }, 'a', /same name twice/],
    [{ a: entry('/{b*}/c') }, 'a', /not at the end/],
    [{ a: entry('/a'), b: entry('/a/') }, 'b', /those of another route/],
    [{ a: entry('/{x}'), b: entry('/{y}') }, 'b', /those of another route/],
    [{ a: entry('/x/{a*}'), b: entry('/x/{b*}') }, 'b', /those of another route/],
    [{ unknown: entry('/a') }, 'unknown', /reserved/],
  ])('%j is refused, by the name of the route', (data, field, detail) => {
    expect(() => pack(data)).toThrow(expect.objectContaining({ code: 'bundle_routes_invalid', field }));
    expect(() => pack(data)).toThrow(detail);
  });
});

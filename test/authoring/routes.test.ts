import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { RouteDefaults } from '../../src/authoring/routes/catalogue.ts';
import { catalogueData, catalogueText } from '../../src/authoring/routes/catalogue.ts';
import { importRoutes } from '../../src/authoring/routes/import-routes.ts';
import { RoutesData } from '../../src/decide/routes/route-data.ts';
import { createRouteTable } from '../../src/decide/routes/route-table.ts';

const DEFAULTS: RouteDefaults = { tier: 'medium', publicTier: 'low', scopes: [] };

/** The catalogue of a document, held against what the service takes, and its notes as `line code`. */
function imported(text: string, defaults: Partial<RouteDefaults> = {}) {
  const made = importRoutes('api.yaml', text, { ...DEFAULTS, ...defaults });
  if ('problems' in made) return { problems: made.problems.map(({ line, column, code }) => `${line}:${column} ${code}`) };
  const data = catalogueData(made.routes);
  createRouteTable(data, 'test');
  expect(parse(catalogueText(made.routes, 'api.yaml')) ?? {}).toEqual(data);
  return { routes: RoutesData.parse(data), notes: made.notes.map(({ line, code }) => `${line} ${code}`) };
}

const openApi = (rest: string): string => `openapi: 3.1.0
info: { title: t, version: "1" }
components:
  securitySchemes:
    oauth: { type: oauth2, flows: {} }
    oidc: { type: openIdConnect, openIdConnectUrl: https://as.example }
    key: { type: apiKey, in: header, name: x-api-key }
    mtls: { type: mutualTLS }
security: [{ oauth: [read] }]
${rest}`;
const FIRST = 10;

const route = (more: object) => ({
  hosts: [],
  methods: ['GET'],
  tier: 'medium',
  scopes: ['read'],
  public: false,
  // nothing that is imported is let pass undecided
  enforce: true,
  ...more,
});

describe('a catalogue from OpenAPI', () => {
  it('has a route for each operation, with the scopes of its security', () => {
    const { routes, notes } = imported(
      openApi(`paths:
  /orders:
    get: { operationId: list-orders }
    post: { operationId: createOrder, security: [{ oauth: [write, read], key: [] }], x-countersign-tier: critical }
    trace: { security: [{ oidc: [openid, trace], mtls: [] }] }
  /orders/{order-id}/items/{order_id}:
    x-countersign-tier: high
    delete: {}
    head: { x-countersign-tier: low }
`),
    );
    expect(notes).toEqual([]);
    expect(routes).toEqual({
      list_orders: route({ path: '/orders' }),
      createOrder: route({ path: '/orders', methods: ['POST'], tier: 'critical', scopes: ['read', 'write'] }),
      trace_orders: route({ path: '/orders', methods: ['TRACE'], scopes: ['openid', 'trace'] }),
      delete_orders_order_id_items_order_id: route({ path: '/orders/{order_id}/items/{order_id_2}', methods: ['DELETE'], tier: 'high' }),
      head_orders_order_id_items_order_id: route({ path: '/orders/{order_id}/items/{order_id_2}', methods: ['HEAD'], tier: 'low' }),
    });
  });

  it('is public where the document says so, and asks for all scopes of alternatives', () => {
    const { routes, notes } = imported(
      openApi(`paths:
  /open: { get: { security: [] } }
  /maybe: { get: { security: [{ oauth: [read] }, {}] } }
  /either: { get: { security: [{ oauth: [a] }, { oauth: [b] }] } }
  /same: { get: { security: [{ oauth: [a] }, { oidc: [a] }] } }
  /key: { get: { security: [{ key: [] }] } }
  /lost: { get: { security: [{ gone: [x] }] } }
`),
    );
    expect(routes).toEqual({
      get_open: route({ path: '/open', tier: 'low', scopes: [], public: true }),
      get_maybe: route({ path: '/maybe', tier: 'low', scopes: [], public: true }),
      get_either: route({ path: '/either', scopes: ['a', 'b'] }),
      get_same: route({ path: '/same', scopes: ['a'] }),
      get_key: route({ path: '/key', scopes: [] }),
      get_lost: route({ path: '/lost', scopes: [] }),
    });
    expect(notes).toEqual([
      `${FIRST + 2} route_anonymous`,
      `${FIRST + 3} route_scopes_joined`,
      `${FIRST + 5} route_scopes_missing`,
      `${FIRST + 6} route_security_unknown`,
      `${FIRST + 6} route_scopes_missing`,
    ]);
  });

  it('takes a document without any security for protected, never for open', () => {
    const { routes, notes } = imported('openapi: 3.0.3\npaths: { /a: { get: {} } }\n');
    expect(routes).toEqual({ get_a: route({ path: '/a', scopes: [] }) });
    expect(notes).toEqual(['2 route_scopes_missing']);
    expect(imported('openapi: 3.0.3\npaths: { /a: { get: {} } }\n', { scopes: ['api'], tier: 'high' })).toEqual({
      routes: { get_a: route({ path: '/a', scopes: ['api'], tier: 'high' }) },
      notes: [],
    });
  });

  it('puts the base paths and hosts of servers before and beside the paths', () => {
    const { routes, notes } = imported(
      openApi(`servers:
  - { url: "https://{env}.API.example:8443/v1/", variables: { env: { default: prod } } }
  - { url: "https://api.example/v1?x=1" }
  - { url: /internal }
paths:
  /a: { get: {} }
  /no//where: { get: {} }
  /b: { servers: [{ url: "https://b.example" }], get: {}, put: { servers: [{ url: "//odd" }, { url: "https://{unset}/x" }] } }
`),
    );
    expect(routes).toEqual({
      get_a: route({ path: '/v1/a', hosts: ['prod.api.example', 'api.example'] }),
      get_a_2: route({ path: '/internal/a' }),
      get_b: route({ path: '/b', hosts: ['b.example'] }),
      put_b: route({ path: '/b', methods: ['PUT'], hosts: ['odd'] }),
      // which host that is nobody knows, so it is any
      put_b_2: route({ path: '/x/b', methods: ['PUT'] }),
    });
    expect(notes?.map((note) => note.split(' ')[1])).toEqual(['route_dropped', 'route_dropped']);
  });

  it('makes nothing open wider than it is, and lets an exact path go before a widened one', () => {
    const { routes, notes } = imported(
      openApi(`paths:
  /files/{name}.txt: { get: {}, head: { security: [] } }
  /other/{name}.txt: { get: { security: [{ oauth: [txt] }] } }
  /other/{id}: { get: {} }
`),
    );
    expect(routes).toEqual({
      get_other_id: route({ path: '/other/{id}' }),
      get_files_name_txt: route({ path: '/files/{name_txt}' }),
    });
    expect(notes).toEqual([
      `${FIRST + 1} route_path_widened`,
      `${FIRST + 1} route_dropped`,
      `${FIRST + 2} route_path_widened`,
      `${FIRST + 2} route_dropped`,
    ]);
  });

  it('follows references within the document, and tells of others', () => {
    const { routes, notes } = imported(
      openApi(`paths:
  /a: { $ref: "#/components/pathItems/a~1b" }
  /b: { $ref: "other.yaml#/b" }
  /c: { $ref: "#/paths/~1c" }
  /d: { $ref: "#/nowhere" }
`).replace('components:\n', 'components:\n  pathItems: { "a/b": { get: {} } }\n'),
    );
    expect(routes).toEqual({ get_a: route({ path: '/a' }) });
    expect(notes?.map((note) => note.split(' ')[1])).toEqual(Array(3).fill('reference_unresolved'));
  });

  it('knows the methods of 3.2, and gives no id twice', () => {
    const { routes } = imported(
      openApi(
        'paths:\n  /a: { query: { operationId: same }, additionalOperations: { COPY: { operationId: same } } }\n  /b: { get: { operationId: unknown } }\n',
      ).replace('3.1.0', '3.2.0'),
    );
    expect(routes).toEqual({
      same: route({ path: '/a', methods: ['QUERY'] }),
      same_2: route({ path: '/a', methods: ['COPY'] }),
      unknown_2: route({ path: '/b' }),
    });
  });

  it('reads JSON, and survives the names of Object.prototype', () => {
    const document = {
      openapi: '3.0.0',
      security: [{ constructor: ['x'] }],
      paths: { '/__proto__': { get: { operationId: 'constructor' } } },
    };
    expect(imported(JSON.stringify(document)).routes).toEqual({ constructor: route({ path: '/__proto__', scopes: [] }) });
  });
});

const httpRoute = (spec: string): string => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shop-front }
spec:
${spec}`;

describe('a catalogue from HTTPRoutes', () => {
  it('has an exact path once, and a prefix with everything below it', () => {
    const { routes, notes } = imported(
      httpRoute(`  hostnames: [Shop.example, "*.shop.example"]
  rules:
    - matches:
        - { path: { type: PathPrefix, value: /cart/ }, method: GET }
        - { path: { type: Exact, value: /login } }
    - {}
`),
      { scopes: ['shop'] },
    );
    const shop = (more: object) => route({ hosts: ['shop.example', '*.shop.example'], scopes: ['shop'], ...more });
    expect(notes).toEqual([]);
    expect(routes).toEqual({
      shop_front_1_1: shop({ path: '/cart' }),
      shop_front_1_1_below: shop({ path: '/cart/{rest*}' }),
      shop_front_1_2: shop({ path: '/login', methods: ['*'] }),
      shop_front_2_1: shop({ path: '/', methods: ['*'] }),
      shop_front_2_1_below: shop({ path: '/{rest*}', methods: ['*'] }),
    });
  });

  it('tells what it cannot say', () => {
    const { routes, notes } = imported(
      httpRoute(`  rules:
    - matches:
        - { path: { type: RegularExpression, value: "/x.*" } }
        - { path: { type: Exact, value: /a }, headers: [{ name: x, value: y }] }
        - { path: { type: Exact, value: /a } }
`),
    );
    expect(Object.keys(routes ?? {})).toEqual(['shop_front_1_2']);
    expect(notes).toEqual([
      '7 route_dropped',
      '8 route_match_widened',
      '8 route_scopes_missing',
      '9 route_scopes_missing',
      '9 route_dropped',
    ]);
  });

  it('reads several documents and lists, and passes other objects over', () => {
    const one = httpRoute('  rules: [{ matches: [{ path: { type: Exact, value: /a } }] }]\n');
    const service = 'apiVersion: v1\nkind: Service\nmetadata: { name: x }\n';
    const list = `kind: List\napiVersion: v1\nitems:\n  - ${one.replace('/a', '/b').trimEnd().replaceAll('\n', '\n    ')}\n`;
    const { routes } = imported([service, one, list].join('---\n'), { scopes: ['a'] });
    expect(Object.values(routes ?? {}).map(({ path }) => path)).toEqual(['/a', '/b']);
  });
});

describe('a document', () => {
  it.each([
    ['of another kind', 'swagger: "2.0"\npaths: {}\n', '1:1 document_unknown'],
    ['of nothing', '', '1:1 document_invalid'],
    ['that is a list', '- a\n', '1:1 document_invalid'],
    ['with one name twice', 'openapi: 3.0.0\nopenapi: 3.0.1\n', '2:1 document_invalid'],
    ['that is no YAML', 'openapi: [3\n', '2:1 document_invalid'],
    [
      'that grows',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[index]}`)}]\n`)
        .join('')}`,
      '1:1 document_invalid',
    ],
  ])('%s is refused at its place', (_what, text, place) => {
    expect(imported(text).problems?.[0]).toBe(place);
  });
});

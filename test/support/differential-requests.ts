import fc from 'fast-check';

/* The requests of the differential test: what every protocol can say of one. */

const GOOD = [
  'none',
  'reader',
  'writer',
  'all',
  'all',
  'all_of_b',
  'by_certificate',
  'by_proof',
  'by_proof',
  'delegated',
  'api_key',
  'api_key_header',
];
const ODD = [
  ...[
    'by_proof_as_bearer',
    'delegated_deep',
    'stranger',
    'expired',
    'elsewhere',
    'cut',
    'twice',
    'two',
    'basic',
    'empty',
    'spaces',
    'lower_case',
  ],
  ...['api_key_over', 'api_key_elsewhere', 'api_key_twice', 'api_key_of_b_and_token', 'api_key_unknown'],
];
const METHODS = ['GET', 'POST', 'DELETE', 'PUT', 'HEAD', 'OPTIONS'];
const ROUTES: readonly [method: string, path: string][] = [
  ['GET', '/orders/42'],
  ['GET', '/orders'],
  ['GET', '/health'],
  ['HEAD', '/catalogue'],
  ['POST', '/orders'],
  ['DELETE', '/orders/42'],
  ['GET', '/payments/7'],
  ['POST', '/payments'],
  ['POST', '/payments/7/refunds'],
  ['GET', '/reports/a/b'],
  ['GET', '/admin/users/7'],
  ['DELETE', '/admin/users/7'],
  ['GET', '/usage/2026-10'],
];
const PATHS = [
  ...[
    '/health',
    '/orders',
    '/orders/42',
    '/payments',
    '/payments/7',
    '/payments/7/refunds',
    '/reports/a/b',
    '/admin/users/7',
    '/usage/2026-10',
  ],
  ...[
    '/',
    '/elsewhere',
    '/orders/',
    '/orders//42',
    '/orders/../health',
    '/orders/..%2fhealth',
    '/orders/a;b',
    '/orders/a%5cb',
    '/orders/%2e%2e/health',
  ],
  ...[
    '/orders/%7B1%7D',
    '/orders/%c3%a9',
    '/orders/%ff',
    '/orders/%',
    '/orders/a%00b',
    '/orders/a%252fb',
    '/ORDERS',
    '/%6frders',
    '/envoy/orders',
  ],
];
const QUERIES = ['', '', '?x=1', '?x=1&x=2', '?x=%ff', '?policy=other', '?', '?a=/admin&b=%26'];
const HOSTS = [
  'api.example.com',
  'api.example.com',
  'API.example.com',
  'api.example.com:443',
  'api.example.com.',
  '[2001:db8::1]:8443',
  'a..b',
  'user@host',
];
/** No look-alikes of our own names: the dialects of Traefik and APISIX cannot express one, and refuse it (`header_look_alike`). */
const HEADERS: readonly (readonly [string, string])[] = [
  ['accept', 'text/html'],
  ['user-agent', 'agent/1.0'],
  ['content-type', 'application/json'],
  ['cookie', 'a=b'],
  ['x-api-key', 'junk'],
  ['x-api-key', 'csk_other.junk'],
  ['x_api_key', 'junk'],
  ['dpop', 'junk'],
  ['txn-token', 'junk'],
  ['x-forwarded-for', '198.51.100.9'],
  ['x-forwarded-for', '203.0.113.9, 10.0.0.2'],
  ['x-forwarded-for', 'unknown'],
  ['x_forwarded_for', '198.51.100.9'],
  ['forwarded', 'for=198.51.100.9'],
  ['x-forwarded-client-cert', 'Hash=ab'],
  ['x.forwarded.client.cert', 'Hash=ab'],
  ['x-client-cert', 'junk'],
  ['client-cert', ':YWJj:'],
  ['x-countersign-subject', 'forged'],
  ['x-countersign-pep-token', 'forged'],
  ['x-original-uri', '/health'],
  ['x-original-proto', 'gopher'],
  ['x-dup', 'a'],
  ['x-dup', 'b'],
  ['origin', 'https://page.example'],
  ['authority', 'x'],
  ['x-long', 'x'.repeat(3000)],
];
const PEERS = ['192.0.2.7', '2001:db8::7', '10.0.0.9', '198.51.100.77', '2001:db8:bad::1', '::ffff:192.0.2.8'];

/** A smaller request is one with what stands first. */
const SMALLER = { withCrossShrink: true };

/** The first of them mostly: most of what is wrong with a request hides the rest of it. */
const mostly = <T>(good: readonly T[], odd: readonly T[], weight = 4) =>
  fc.oneof(SMALLER, { weight, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });

/** Which parts a request is made of; the test has the tokens, proofs and certificates by these names. */
export const question = fc.record({
  asked: fc.oneof(
    SMALLER,
    { weight: 3, arbitrary: fc.constantFrom(...ROUTES) },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...METHODS), fc.constantFrom(...PATHS)) },
  ),
  scheme: fc.constantFrom('https' as const, 'http' as const),
  host: mostly(HOSTS.slice(0, 5), HOSTS.slice(5), 8),
  query: fc.constantFrom(...QUERIES),
  credential: mostly(GOOD, ODD, 2),
  proof: mostly(['good'], ['none', 'other_key', 'other_method', 'old']),
  certificate: mostly(['none', 'a'], ['b', 'two_names', 'expired']),
  headers: fc.oneof(
    SMALLER,
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.uniqueArray(fc.constantFrom(...HEADERS), { maxLength: 3 }) },
  ),
  peer: mostly(PEERS.slice(0, 3), PEERS.slice(3)),
  times: mostly([1], [2, 3, 4]),
});

export type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

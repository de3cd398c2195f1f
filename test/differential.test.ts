import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSigningKey, makeToken, type SigningKey } from './identify/fixtures.ts';
import { createAuthority, type MadeCertificate } from './support/certificates.ts';
import { type ClientRequest, LANES } from './support/differential-lanes.ts';
import { type DifferentialWorld, type Outcome, startDifferentialWorld } from './support/differential-world.ts';
import { createProofKey, makeProof, type ProofKeyPair } from './support/dpop.ts';

/**
 * Issue 7, part 6: the same request by every protocol, over the real listeners, each against a fresh store and by a clock that stands still. What
 * a gateway could tell apart has to be the same; a difference is shrunk to the smallest request that shows it.
 */

const RUNS = 1000;
const SEED = 20_261_126;
const LIMITS = { rate: { client: {}, address: { '10s': 3 }, token: { '10s': 2 }, api_key: {}, route: {} } };
const [SPIFFE_A, SPIFFE_B] = ['spiffe://td.test/agent/a', 'spiffe://td.test/agent/b'];

let world: DifferentialWorld;
let key: SigningKey;
let stranger: SigningKey;
let prover: ProofKeyPair;
let other: ProofKeyPair;
let certificates: Readonly<Record<string, MadeCertificate>>;
let tokens: Readonly<Record<string, readonly string[]>>;

beforeAll(async () => {
  [key, stranger] = [await createSigningKey('k1'), await createSigningKey('k1')];
  [prover, other] = [await createProofKey(), await createProofKey()];
  const authority = createAuthority();
  certificates = {
    a: authority.client({ commonName: 'agent-a', uris: [SPIFFE_A] }),
    b: authority.client({ commonName: 'agent-b', uris: [SPIFFE_B] }),
    two_names: authority.client({ commonName: 'agent-a', uris: [SPIFFE_A, SPIFFE_B] }),
    expired: authority.client({ commonName: 'agent-a', uris: [SPIFFE_A], validDays: [-30, -1] }),
  };
  world = await startDifferentialWorld(key, LIMITS, {
    clients: [
      { id: 'agent-a', spiffeIds: [SPIFFE_A] },
      { id: 'agent-b', spiffeIds: [SPIFFE_B] },
    ],
    verificationBudget: { failuresPerMinute: 1_000_000, addressesMax: 10_000 },
  });
  tokens = await makeTokens();
});
afterAll(() => world.stop());

/** By kind; each is one or several values of `authorization`. */
async function makeTokens(): Promise<Record<string, readonly string[]>> {
  const { nowSeconds: now } = world;
  const times = { iat: now - 10, exp: now + 300 };
  const of = async (scope: string, more: Readonly<Record<string, unknown>> = {}, by = key, client = 'agent-a') =>
    `Bearer ${await makeToken(by, { sub: client, client_id: client, scope, ...times, jti: `${scope}${JSON.stringify(more)}`, ...more })}`;
  const everything = 'orders:read orders:write payments:read payments:write reports:read admin';
  const reader = await of('orders:read');
  const a = createHash('sha256')
    .update(certificates['a']?.der ?? '')
    .digest('base64url');
  const actors = (depth: number): object => ({ sub: `actor-${depth}`, ...(depth === 0 ? {} : { act: actors(depth - 1) }) });
  const proven = await of(everything, { cnf: { jkt: prover.jkt } });
  return {
    none: [],
    reader: [reader],
    writer: [await of('orders:read orders:write')],
    all: [await of(everything)],
    all_of_b: [await of(everything, {}, key, 'agent-b')],
    by_certificate: [await of(everything, { cnf: { 'x5t#S256': a } })],
    by_proof: [proven.replace('Bearer', 'DPoP')],
    by_proof_as_bearer: [proven],
    delegated: [await of(everything, { act: actors(2) })],
    delegated_deep: [await of(everything, { act: actors(12) })],
    stranger: [await of(everything, {}, stranger)],
    expired: [await of(everything, { iat: now - 900, exp: now - 600 })],
    elsewhere: [await of(everything, { aud: 'api://other' })],
    cut: [reader.slice(0, -6)],
    twice: [reader, reader],
    two: [reader, 'Bearer other'],
    basic: ['Basic YTpi'],
    empty: ['Bearer'],
    spaces: [reader.replace(' ', '   ')],
    lower_case: [reader.replace('Bearer', 'bearer')],
  };
}

const TOKENS = [
  ...['none', 'reader', 'writer', 'all', 'all', 'all_of_b', 'by_certificate', 'by_proof', 'by_proof', 'by_proof_as_bearer', 'delegated'],
  ...['delegated_deep', 'stranger', 'expired', 'elsewhere', 'cut', 'twice', 'two', 'basic', 'empty', 'spaces', 'lower_case'],
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
  ['x_countersign_subject', 'forged'],
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

/** The first of them mostly: most of what is wrong with a request hides the rest of it. */
const mostly = <T>(good: readonly T[], odd: readonly T[], weight = 4) =>
  fc.oneof({ weight, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });

const question = fc.record({
  asked: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...ROUTES) },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...METHODS), fc.constantFrom(...PATHS)) },
  ),
  scheme: fc.constantFrom('https' as const, 'http' as const),
  host: mostly(HOSTS.slice(0, 5), HOSTS.slice(5), 8),
  query: fc.constantFrom(...QUERIES),
  token: mostly(TOKENS.slice(0, 11), TOKENS.slice(11), 2),
  proof: mostly(['good'], ['none', 'other_key', 'other_method', 'old']),
  certificate: mostly(['none', 'a'], ['b', 'two_names', 'expired']),
  headers: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.uniqueArray(fc.constantFrom(...HEADERS), { maxLength: 3 }) },
  ),
  peer: mostly(PEERS.slice(0, 3), PEERS.slice(3)),
  times: mostly([1], [2, 3, 4]),
});
type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

/** The proof is made once: asked about again it is a replay. */
async function clientRequest({ asked, token, proof, certificate, query, headers, times: _, ...others }: Question): Promise<ClientRequest> {
  const [method, path] = asked;
  const rest = { ...others, method };
  const authorization = (tokens[token] ?? []).map((value): [string, string] => ['authorization', value]);
  const bound = token.startsWith('by_proof') && proof !== 'none' ? [['dpop', await proofOf(proof, rest, path, token)] as const] : [];
  const made = certificates[certificate];
  return {
    ...rest,
    target: `${path}${query}`,
    headers: [...headers, ...bound, ...authorization],
    certificate: made === undefined ? null : { pem: made.pem, der: made.der },
  };
}

function proofOf(
  kind: string,
  { method, scheme, host }: Pick<ClientRequest, 'method' | 'scheme' | 'host'>,
  path: string,
  token: string,
): Promise<string> {
  const htm = kind === 'other_method' ? 'PATCH' : method;
  const iat = world.nowSeconds - (kind === 'old' ? 600 : 1);
  const text = tokens[token]?.[0]?.replace(/^\S+ /, '') ?? '';
  return makeProof(kind === 'other_key' ? other : prover, { htm, htu: `${scheme}://${host}${path}`, token: text, iat, jti: 'one' });
}

const CODES = [
  ...['access.public_route', 'access.route_unknown', 'access.scope_granted', 'access.scope_missing', 'identity.assurance_too_low'],
  ...['identity.certificate_expired', 'identity.client_conflict', 'identity.token_binding_mismatch', 'identity.token_invalid'],
  ...['identity.token_required', 'network.address_blocked', 'rate.exceeded', 'request.path_ambiguous', 'signals.required'],
];

/** What one lane says is all that is compared with it. */
function within(outcome: Outcome, lane: Outcome): Partial<Outcome> {
  return Object.fromEntries(Object.entries(outcome).filter(([name]) => lane[name as keyof Outcome] !== undefined));
}

test(`${RUNS} generated requests are answered alike by ${LANES.map(({ name }) => name).join(', ')}`, { timeout: 120_000 }, async () => {
  const seen = {
    effects: new Map<unknown, number>(),
    codes: new Map<string, number>(),
    statuses: new Map<unknown, number>(),
    challenges: 0,
    retries: 0,
  };
  const count = <K>(map: Map<K, number>, member: K) => map.set(member, (map.get(member) ?? 0) + 1);
  const run = fc.asyncProperty(question, async (asked) => {
    const request = await clientRequest(asked);
    const requests = Array.from({ length: asked.times }, () => request);
    const answers = await Promise.all(LANES.map(async (lane) => ({ lane: lane.name, outcomes: await world.ask(lane, requests) })));
    const reference = answers[0]?.outcomes ?? [];
    for (const { lane, outcomes } of answers) {
      const expected = reference.map((outcome, index) => within(outcome, outcomes[index] ?? outcome));
      expect({ lane, outcomes }).toEqual({ lane, outcomes: expected });
    }
    for (const { effect, codes = [], status, challenge, retryAfter } of reference) {
      count(seen.effects, effect);
      count(seen.statuses, status);
      for (const code of codes) count(seen.codes, code);
      seen.challenges += challenge === null ? 0 : 1;
      seen.retries += retryAfter === null ? 0 : 1;
    }
  });
  await fc.assert(run, { numRuns: RUNS, seed: SEED });
  // a mix that says nothing would pass as well
  for (const effect of ['allow', 'deny', 'step_up']) expect(seen.effects.get(effect)).toBeGreaterThan(50);
  for (const status of [null, 400, 401, 403, 429]) expect(seen.statuses.get(status)).toBeGreaterThan(50);
  for (const code of CODES) expect(seen.codes.get(code) ?? 0, code).toBeGreaterThan(20);
  expect(Math.min(seen.challenges, seen.retries)).toBeGreaterThan(50);
});

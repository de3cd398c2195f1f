import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSigningKey, makeToken, type SigningKey } from './identify/fixtures.ts';
import { createTestRegistry } from './identify/registries.ts';
import { createAuthority, type MadeCertificate } from './support/certificates.ts';
import { type ClientRequest, LANES } from './support/differential-lanes.ts';
import { type Question, question } from './support/differential-requests.ts';
import { type DifferentialWorld, type Outcome, startDifferentialWorld } from './support/differential-world.ts';
import { createProofKey, makeProof, type ProofKeyPair } from './support/dpop.ts';
import { createKey } from './support/registry.ts';

/**
 * Issue 7, part 6: the same request by every protocol, over the real listeners, each against a fresh store and by a clock that stands still. What
 * a gateway could tell apart has to be the same; a difference is shrunk to the smallest request that shows it.
 */

const RUNS = 1000;
const SEED = 20_261_126;
const LIMITS = { rate: { client: {}, address: { '10s': 3 }, token: { '10s': 2 }, api_key: { '10s': 2 }, route: {} } };
const [SPIFFE_A, SPIFFE_B] = ['spiffe://td.test/agent/a', 'spiffe://td.test/agent/b'];

type Line = readonly [name: string, value: string];
const keys = {
  good: createKey('agent-a', { scopes: ['usage:read', 'orders:read'] }),
  ofB: createKey('agent-b', { scopes: ['usage:read'] }),
  over: createKey('agent-a', { expiresAt: '2020-01-01' }),
  elsewhere: createKey('agent-a', { networks: ['203.0.113.0/24'] }),
};

let world: DifferentialWorld;
let key: SigningKey;
let stranger: SigningKey;
let prover: ProofKeyPair;
let other: ProofKeyPair;
let certificates: Readonly<Record<string, MadeCertificate>>;
let credentials: Readonly<Record<string, readonly Line[]>>;

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
  const registry = createTestRegistry();
  registry.declare({
    clients: [
      { clientId: 'agent-a', type: 'agent', spiffeIds: [SPIFFE_A] },
      { clientId: 'agent-b', type: 'service', spiffeIds: [SPIFFE_B] },
    ],
    keys: Object.values(keys).map(({ entry }) => entry),
  });
  world = await startDifferentialWorld(key, LIMITS, registry, {
    verificationBudget: { failuresPerMinute: 1_000_000, addressesMax: 10_000 },
  });
  credentials = await makeCredentials();
});
afterAll(() => world.stop());

/** Headers by the kind of credential. */
async function makeCredentials(): Promise<Record<string, readonly Line[]>> {
  const { nowSeconds: now } = world;
  const times = { iat: now - 10, exp: now + 300 };
  const of = async (scope: string, more: Readonly<Record<string, unknown>> = {}, by = key, client = 'agent-a') =>
    `Bearer ${await makeToken(by, { sub: client, client_id: client, scope, ...times, jti: `${scope}${JSON.stringify(more)}`, ...more })}`;
  const everything = 'orders:read orders:write payments:read payments:write reports:read admin usage:read';
  const reader = await of('orders:read');
  const a = createHash('sha256')
    .update(certificates['a']?.der ?? '')
    .digest('base64url');
  const actors = (depth: number): object => ({ sub: `actor-${depth}`, ...(depth === 0 ? {} : { act: actors(depth - 1) }) });
  const proven = await of(everything, { cnf: { jkt: prover.jkt } });
  const bearer = {
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
    api_key: [`ApiKey ${keys.good.text}`],
    api_key_over: [`ApiKey ${keys.over.text}`],
  };
  const apiKey = (...texts: string[]) => texts.map((text): Line => ['x-api-key', text]);
  return {
    ...Object.fromEntries(Object.entries(bearer).map(([kind, values]) => [kind, values.map((value): Line => ['authorization', value])])),
    none: [],
    api_key_header: apiKey(keys.good.text),
    api_key_elsewhere: apiKey(keys.elsewhere.text),
    api_key_twice: apiKey(keys.good.text, keys.good.text),
    api_key_of_b_and_token: [...apiKey(keys.ofB.text), ['authorization', reader]],
    api_key_unknown: apiKey(createKey('agent-a').text),
  };
}

/** The proof is made once: asked about again it is a replay. */
async function clientRequest({
  asked,
  credential,
  proof,
  certificate,
  query,
  headers,
  times: _,
  ...others
}: Question): Promise<ClientRequest> {
  const [method, path] = asked;
  const rest = { ...others, method };
  const bound =
    credential.startsWith('by_proof') && proof !== 'none' ? [['dpop', await proofOf(proof, rest, path, credential)] as const] : [];
  const made = certificates[certificate];
  return {
    ...rest,
    target: `${path}${query}`,
    headers: [...headers, ...bound, ...(credentials[credential] ?? [])],
    certificate: made === undefined ? null : { pem: made.pem, der: made.der },
  };
}

function proofOf(
  kind: string,
  { method, scheme, host }: Pick<ClientRequest, 'method' | 'scheme' | 'host'>,
  path: string,
  credential: string,
): Promise<string> {
  const htm = kind === 'other_method' ? 'PATCH' : method;
  const iat = world.nowSeconds - (kind === 'old' ? 600 : 1);
  const text = credentials[credential]?.[0]?.[1].replace(/^\S+ /, '') ?? '';
  return makeProof(kind === 'other_key' ? other : prover, { htm, htu: `${scheme}://${host}${path}`, token: text, iat, jti: 'one' });
}

const CODES = [
  ...['access.public_route', 'access.route_unknown', 'access.scope_granted', 'access.scope_missing', 'identity.assurance_too_low'],
  ...['identity.certificate_expired', 'identity.client_conflict', 'identity.token_binding_mismatch', 'identity.token_invalid'],
  ...[
    'identity.token_required',
    'identity.api_key_invalid',
    'identity.api_key_network',
    'network.address_blocked',
    'rate.exceeded',
    'request.path_ambiguous',
    'signals.required',
  ],
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
  for (const code of CODES) expect(seen.codes.get(code) ?? 0, code).toBeGreaterThan(10);
  expect(Math.min(seen.challenges, seen.retries)).toBeGreaterThan(50);
});

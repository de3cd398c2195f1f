import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Facts } from '../../src/contract/collect.ts';
import type { IdentifierParts } from '../../src/identify/identifier.ts';
import type { IssuerOptions } from '../../src/identify/options.ts';
import { type IntrospectionServer, startIntrospectionServer } from '../support/introspection-server.ts';
import {
  AUDIENCE,
  type Bench,
  codeOf,
  createBench,
  createSigningKey,
  ISSUER,
  identityOptions,
  issuerOptions,
  makeRequest,
  makeToken,
  NOW,
} from './fixtures.ts';
import { ACTIVE, introspectionOptions } from './introspection/fixtures.ts';

/* Issuers change while requests are answered: a request has one generation of them, and what stays as it is keeps its state. */

const key = await createSigningKey('k1');
const OTHER = 'https://other.example';
const first = issuerOptions({ jwksUrl: `${ISSUER}/jwks` });
const other = issuerOptions({ issuer: OTHER, jwksUrl: `${OTHER}/jwks` });
const ofFirst = await makeToken(key);
const ofOther = await makeToken(key, { iss: OTHER });

/** Addresses from which keys were fetched, and what each fetch was told. */
type Fetched = { readonly url: string; readonly signal: AbortSignal | undefined };

const running: Bench[] = [];
const servers: IntrospectionServer[] = [];
afterEach(async () => {
  for (const { identifier } of running.splice(0)) identifier.stop();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function started(
  issuers: readonly IssuerOptions[],
  more: Partial<IdentifierParts> = {},
  gate: (url: string) => Promise<void> = () => Promise.resolve(),
): Promise<Bench & { readonly fetched: Fetched[]; readonly take: (next: readonly IssuerOptions[]) => Promise<void> }> {
  const fetched: Fetched[] = [];
  const httpFetch: IdentifierParts['httpFetch'] = async (url, { signal }) => {
    fetched.push({ url, signal });
    await gate(url);
    return { bytes: Buffer.from(JSON.stringify({ keys: [key.jwk] })), contentType: 'application/json' };
  };
  const bench = createBench(identityOptions(issuers), { httpFetch, ...more });
  running.push(bench);
  await bench.identifier.start();
  const take = async (next: readonly IssuerOptions[]): Promise<void> => (await bench.identifier.prepareIssuers(next)).commit();
  return { ...bench, fetched, take };
}

const urls = (fetched: readonly Fetched[]): string[] => fetched.map(({ url }) => url);
const statusOf = ({ identifier }: Bench, issuer: string) => identifier.status().keySets.find((one) => one.issuer === issuer);

test('what stays as it is keeps its keys and what was verified by it: nothing is fetched, nothing is checked again', async () => {
  const made = await started([first]);
  const request = makeRequest(made.clock, { authorization: [`Bearer ${ofFirst}`] });
  const before = made.identifier.identify(request);
  await made.take([{ ...first }, other]);
  expect(urls(made.fetched)).toEqual([`${ISSUER}/jwks`, `${OTHER}/jwks`]);
  expect(made.identifier.identify(request)).toBe(before);
  expect(made.identifier.status().tokenCache).toMatchObject({ hits: 1, misses: 1, entries: 1 });
});

test('a token of an issuer that is new is good at once, also where it was refused and remembered before', async () => {
  const made = await started([first]);
  expect(await made.judge(ofOther)).toBe('invalid issuer_unknown');
  await made.take([first, other]);
  expect(await made.judge(ofOther)).toBe('present');
});

test('a token of an issuer that is no more is refused with the next request, though it was verified and kept', async () => {
  const made = await started([first, other]);
  expect(await made.judge(ofOther)).toBe('present');
  await made.take([first]);
  expect([await made.judge(ofOther), await made.judge(ofFirst)]).toEqual(['invalid issuer_unknown', 'present']);
  expect(made.identifier.status().keySets.map(({ issuer }) => issuer)).toEqual([ISSUER]);
});

test.each<[string, Partial<IssuerOptions>, string]>([
  ['audience', { audiences: ['api://else'] }, 'invalid audience_mismatch'],
  ['algorithms', { algorithms: ['RS256'] }, 'invalid algorithm_not_allowed'],
  ['types', { types: ['jwt'] }, 'invalid type_not_allowed'],
  ['age', { ageMaxSeconds: 1 }, 'invalid token_too_old'],
])('a token that was kept is judged by the new %s', async (_, change, code) => {
  const made = await started([first]);
  expect(await made.judge(ofFirst)).toBe('present');
  await made.take([{ ...first, ...change }]);
  expect(await made.judge(ofFirst)).toBe(code);
  await made.take([first]);
  expect(await made.judge(ofFirst)).toBe('present');
});

test('keys stay where only what is accepted differs, and are fetched anew where their source does', async () => {
  const made = await started([first]);
  await made.take([{ ...first, audiences: [AUDIENCE, 'api://more'] }]);
  expect(urls(made.fetched)).toEqual([`${ISSUER}/jwks`]);
  await made.take([{ ...first, jwksUrl: `${ISSUER}/moved` }]);
  expect(urls(made.fetched)).toEqual([`${ISSUER}/jwks`, `${ISSUER}/moved`]);
  expect(await made.judge(ofFirst)).toBe('present');
});

test('an issuer whose keys cannot be had is as at the start: its tokens are not judged, it is shown, and it comes by itself', async () => {
  let broken = true;
  const gate = async (url: string): Promise<void> => {
    if (broken && url.startsWith(OTHER)) throw new Error('refused');
  };
  const made = await started([first], { keyTiming: { backoffMs: [20], cooldownMs: 1000 } }, gate);
  await made.take([first, other]);
  expect([await made.judge(ofOther), await made.judge(ofFirst)]).toEqual(['unavailable keys_unavailable', 'present']);
  expect(statusOf(made, OTHER)).toMatchObject({ state: 'never_fetched', lastError: 'fetch_failed' });
  broken = false;
  await vi.waitFor(() => expect(statusOf(made, OTHER)?.state).toBe('ready'));
  expect(await made.judge(ofOther)).toBe('present');
});

describe('a request that began before', () => {
  test('gets the keys that it waits for, of an issuer that is no more; then they are closed', async () => {
    const open = Promise.withResolvers<void>();
    let held = false;
    const made = await started([first, other], { requestMsMax: 200 }, (url) =>
      held && url.startsWith(OTHER) ? open.promise : Promise.resolve(),
    );
    held = true;
    const unknown = await makeToken({ ...key, kid: 'k2' }, { iss: OTHER });
    const asked = made.judge(unknown, { deadlineMs: 5000 });
    await vi.waitFor(() => expect(made.fetched).toHaveLength(3));
    await made.take([first]);
    const waits = made.fetched[2]?.signal;
    expect(waits?.aborted).toBe(false);
    open.resolve();
    // judged by the keys of its own generation: without them it would be unavailable, by the new one the issuer would be unknown
    expect(await asked).toBe('invalid kid_unknown');
    await vi.waitFor(() => expect(waits?.aborted).toBe(true));
    expect(made.fetched).toHaveLength(3);
  });

  test('collects from the server that its issuer had then', async () => {
    const [old, next] = [await startIntrospectionServer(), await startIntrospectionServer()];
    servers.push(old, next);
    const members = { ...ACTIVE, sub: 'svc-a', scope: 'orders:read orders:write' };
    for (const server of servers) server.answer = () => members;
    const asking = (server: IntrospectionServer) => ({
      ...first,
      introspection: introspectionOptions({ mode: 'on_demand', endpoint: server.url }),
    });
    const made = await started([asking(old)]);
    const collect = async (facts: Facts, request: ReturnType<typeof makeRequest>) => {
      const { identity } = await made.identifier.introspect(request, facts);
      return codeOf(identity);
    };
    const ask = async () => {
      const request = makeRequest(made.clock, { authorization: [`Bearer ${ofFirst}`] });
      return { request, identity: await made.identifier.identify(request) };
    };
    const before = await ask();
    await made.take([asking(next)]);
    const after = await ask();
    expect(await collect({ identity: before.identity, enrichment: NOTHING }, before.request)).toBe('present');
    expect([old.asked.length, next.asked.length]).toEqual([1, 0]);
    expect(await collect({ identity: after.identity, enrichment: NOTHING }, after.request)).toBe('present');
    expect([old.asked.length, next.asked.length]).toEqual([1, 1]);
  });
});

const NOTHING: Facts['enrichment'] = {
  network: { status: 'absent', code: 'address_missing' },
  rate: { status: 'unavailable', code: 'store_full' },
  device: { status: 'absent', code: 'device_disabled' },
  behaviour: { status: 'absent', code: 'behaviour_disabled' },
};

test('a server that stays keeps what it answered; an opaque token of one that went is shown to nobody', async () => {
  const server = await startIntrospectionServer();
  servers.push(server);
  server.answer = () => ACTIVE;
  const asked = issuerOptions({ introspection: introspectionOptions({ endpoint: server.url }) });
  const made = await started([asked]);
  expect(await made.judge('opaque')).toBe('present');
  await made.take([asked, other]);
  expect(await made.judge('opaque')).toBe('present');
  expect(server.asked).toHaveLength(1);
  await made.take([other]);
  expect(await made.judge('opaque')).toBe('invalid token_malformed');
  expect(server.asked).toHaveLength(1);
  expect(made.identifier.status().introspection).toBeUndefined();
});

test('a transaction token service comes and goes', async () => {
  const service = issuerOptions({
    kind: 'txn_token',
    issuer: OTHER,
    audiences: ['example.org'],
    jwksUrl: `${OTHER}/jwks`,
    types: ['txntoken+jwt'],
  });
  const claims = { iss: OTHER, aud: 'example.org', txn: 't1', req_wl: 'w', iat: NOW - 10 };
  const token = await makeToken(key, claims, { typ: 'txntoken+jwt' });
  const made = await started([first]);
  const judge = async () => {
    const { txnToken } = (await made.identify({ txnToken: [token] })).signals;
    return txnToken.status === 'present' ? 'present' : txnToken.code;
  };
  const seen = [await judge()];
  await made.take([first, service]);
  seen.push(await judge());
  await made.take([first]);
  seen.push(await judge());
  expect(seen).toEqual(['txn_token_unchecked', 'present', 'txn_token_unchecked']);
});

test('what is discarded, or is wrong, changes nothing and leaves nothing running', async () => {
  const made = await started([first], {}, (url) => (url.startsWith(OTHER) ? new Promise<void>(() => undefined) : Promise.resolve()));
  const prepared = await made.identifier.prepareIssuers([first, other]);
  expect(made.fetched[1]?.signal?.aborted).toBe(false);
  prepared.discard();
  expect(made.fetched[1]?.signal?.aborted).toBe(true);
  await expect(made.identifier.prepareIssuers([first, first])).rejects.toMatchObject({ code: 'config_invalid' });
  expect(made.identifier.status().keySets.map(({ issuer }) => issuer)).toEqual([ISSUER]);
  expect([await made.judge(ofFirst), await made.judge(ofOther)]).toEqual(['present', 'invalid issuer_unknown']);
});

test('failed verifications count on: a change of the issuers gives nobody a new budget', async () => {
  const stranger = await createSigningKey('k1');
  const made = await started([first]);
  const failures = await Promise.all(Array.from({ length: 70 }, (_, n) => makeToken(stranger, { jti: `j${n}` })));
  for (const token of failures) await made.judge(token);
  expect(await made.judge(ofFirst)).toBe('unavailable verification_budget_exhausted');
  await made.take([{ ...first, audiences: [AUDIENCE, 'api://more'] }]);
  expect(await made.judge(ofFirst)).toBe('unavailable verification_budget_exhausted');
});

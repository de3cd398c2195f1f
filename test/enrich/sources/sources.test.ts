import { describe, expect, test } from 'vitest';
import { CountersignError } from '../../../src/contract/errors.ts';
import type { Identity } from '../../../src/contract/identity.ts';
import { createEnricher } from '../../../src/enrich/enricher.ts';
import { createAttributeSources } from '../../../src/enrich/sources/sources.ts';
import type { ExchangeAnswer } from '../../../src/stores/guarded-exchange.ts';
import { createMemoryWindows } from '../../../src/stores/memory-windows.ts';
import { identityOf, NOW_MS, requestOf, routeOf, sourceOf } from '../requests.ts';
import { createBench, enrichmentOf, GOLD, json, networkOf, optionsOf, withToken } from './bench.ts';

describe('a question', () => {
  const told = async (url: string, identity: Identity, address: string | null = null, change: object = {}) => {
    const bench = createBench([optionsOf({ url, ...change })]);
    const signal = await bench.told({ ...bench.facts({ identity }), ...(address === null ? {} : { network: networkOf(address) }) });
    return bench.asked[0]?.target ?? signal;
  };

  test('is made from what was verified', async () => {
    const identity = withToken({ claims: { tenant: 't/1', level: 7, root: false, 'https://x.example/org': 'o' } });
    const url =
      'https://pip/{token.issuer}/{claims.tenant}/{claims.level}/{claims.root}/{claims.https://x.example/org}?c={subject.client}&s={subject.id}&p={pep.name}&r={route.id}&ip={network.address}';
    expect(await told(url, identity, '2001:db8::1')).toBe(
      '/https%3A%2F%2Fas.example/t%2F1/7/false/o?c=agent-1&s=agent-1&p=edge&r=orders&ip=2001%3Adb8%3A%3A1',
    );
  });

  test.each([
    ['nobody', '{subject.client}', identityOf({ client: null })],
    ['a subject that the gateway asserts', '{subject.id}', identityOf({ asserted: true })],
    ['the issuer of claims that the gateway asserts', '{token.issuer}', withToken({ verifiedBy: 'pep' })],
    ['claims that the gateway asserts', '{claims.tenant}', withToken({ verifiedBy: 'pep', claims: { tenant: 't' } })],
    ['a claim without a token', '{claims.tenant}', identityOf()],
    ['a claim that is not there', '{claims.tenant}', withToken({})],
    ['a claim of a prototype', '{claims.constructor}', withToken({})],
    ['a claim that is empty', '{claims.tenant}', withToken({ claims: { tenant: '' } })],
    ['a claim that is null', '{claims.tenant}', withToken({ claims: { tenant: null } })],
    ['a claim that is an object', '{claims.tenant}', withToken({ claims: { tenant: { a: 1 } } })],
    ['a claim that is a list', '{claims.tenant}', withToken({ claims: { tenant: ['a'] } })],
    ['a number that has lost digits', '{claims.tenant}', withToken({ claims: { tenant: 2 ** 53 } })],
    ['an address that is not known', '{network.address}', identityOf()],
    ['an AS that is not known', '{network.asn}', identityOf()],
    ['a request that is not HTTP', '{request.method}', identityOf()],
  ])('is not asked about %s', async (_what, placeholder, identity) => {
    expect(await told(`https://pip/${placeholder}`, identity)).toBe('absent placeholder_missing');
  });

  test('names an API key by its id in the registry', async () => {
    const identity = identityOf();
    const apiKey = { status: 'present', value: { id: 'key-1', clientId: 'agent-1', scopes: [], expiresAt: null } } as const;
    expect(await told('https://pip/{api_key.id}', { ...identity, signals: { ...identity.signals, apiKey } })).toBe('/key-1');
    expect(await told('https://pip/{api_key.id}', identity)).toBe('absent placeholder_missing');
  });

  test('is not asked about a route that is not of the catalogue', async () => {
    const bench = createBench([optionsOf({ url: 'https://pip/{route.id}' })]);
    expect(await bench.told(bench.facts({ route: routeOf({ status: 'unknown', id: 'unknown' }) }))).toBe('absent placeholder_missing');
  });

  test.each([
    ['a dot segment', '..'],
    ['a line break', 'a\nb'],
    ['NUL', 'a\0'],
    ['a lone surrogate', 'a\ud800'],
    ['513 characters', 'x'.repeat(513)],
  ])('is not made from %s', async (_what, client) => {
    expect(await told('https://pip/{subject.client}', identityOf({ client }))).toBe('invalid placeholder_refused');
  });

  test('has a body of JSON, whatever is in the values', async () => {
    const body = { a: '{subject.client}', b: ['x-{subject.client}', 1, null, true], '{subject.client}': {} };
    const bench = createBench([optionsOf({ url: 'https://pip/', method: 'POST', body })]);
    const client = '","admin":true,"x":"\\';
    await bench.told(bench.facts({ client }));
    expect(bench.asked).toEqual([
      {
        method: 'POST',
        target: '/',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ a: client, b: [`x-${client}`, 1, null, true], '{subject.client}': {} }),
      },
    ]);
  });
});

describe('credentials', () => {
  const files = (content: () => string) => ({ readFile: () => Promise.resolve(Buffer.from(content())) });
  const secret = [{ name: 'authorization', prefix: 'Bearer ', value: null, valueFile: '/secret' }];

  test('are read from their file, again as it changes, and at once where they are refused', async () => {
    let text = 'one\n';
    const bench = createBench(
      [optionsOf({ headers: secret, cacheSeconds: 0 })],
      files(() => text),
    );
    const sent = async () => {
      await bench.told();
      return bench.asked.at(-1)?.headers;
    };
    expect(await sent()).toEqual({ authorization: 'Bearer one' });
    text = 'two';
    expect(await sent()).toEqual({ authorization: 'Bearer one' });
    bench.clock.atMs += 10_000;
    expect(await sent()).toEqual({ authorization: 'Bearer two' });
    text = 'three';
    bench.answer = () => json('', 401);
    await sent();
    expect(await sent()).toEqual({ authorization: 'Bearer three' });
    // one that is broken meanwhile leaves the last good one
    text = 'a\r\nb: c';
    expect(await sent()).toEqual({ authorization: 'Bearer three' });
  });

  test.each([
    ['empty', ''],
    ['of two lines', 'a\r\nx: y'],
    ['not ASCII', 'é'],
  ])('that are %s are no question', async (_what, text) => {
    const bench = createBench(
      [optionsOf({ headers: secret })],
      files(() => text),
    );
    expect(await bench.told()).toBe('unavailable credential_unreadable');
    expect(bench.asked).toEqual([]);
  });

  test('and CAs that cannot be read are none either', async () => {
    expect(await createBench([optionsOf({ headers: secret })]).told()).toBe('unavailable credential_unreadable');
    const bench = createBench([optionsOf({ caFile: '/ca.pem' })]);
    expect(await bench.told()).toBe('unavailable credential_unreadable');
    expect(bench.lines).toContainEqual({ level: 'error', event: 'source_ca_unreadable', fields: { source: 'risk' } });
    expect(bench.opened).toEqual([]);
  });
});

describe('all of them', () => {
  const RISK = optionsOf();
  const REPUTATION = optionsOf({
    name: 'reputation',
    url: 'https://ti.example/{network.address}',
    when: 'prefetch',
    allowPrivate: ['ti.example', '10.0.0.0/8'],
  });
  const NOT_COLLECTED = { status: 'absent', code: 'not_collected' };
  const GOT = { status: 'present', value: expect.objectContaining({ attributes: { tier: 'gold' } }) };

  test('cost nothing where none is configured', () => {
    const parts = {
      createExchange: never,
      createCache: never,
      createBreaker: never,
      readFile: never,
      clock: { now: never, monotonic: never },
      logger: LOGGER,
    };
    expect(createAttributeSources([], parts)).toBeNull();
  });

  test('each has its origin, and what it may speak to', () => {
    expect(createBench([RISK, REPUTATION]).opened).toMatchObject([
      { origin: 'https://pip.internal', allowPrivate: { host: false, blocks: [] } },
      { origin: 'https://ti.example', allowPrivate: { host: true, blocks: ['10.0.0.0/8'] } },
    ]);
    expect(() => createBench([optionsOf({ url: 'https://{subject.id}/' })])).toThrow(CountersignError);
  });

  test('are all there, and those that are prefetched are asked', async () => {
    const bench = createBench([RISK, REPUTATION]);
    const facts = bench.facts({ network: networkOf('192.0.2.1') });
    expect(await bench.sources.prefetch(facts)).toEqual({ risk: NOT_COLLECTED, reputation: GOT });
    // known now, so nobody waits
    expect(bench.sources.prefetch(facts)).toEqual({ risk: NOT_COLLECTED, reputation: GOT });
    expect(bench.sources.prefetch(bench.facts())).toEqual({
      risk: NOT_COLLECTED,
      reputation: { status: 'absent', code: 'placeholder_missing' },
    });
    expect(bench.asked.map(({ target }) => target)).toEqual(['/192.0.2.1']);
  });

  test('are asked at once, and not a second time for one request', async () => {
    const bench = createBench([RISK, optionsOf({ name: 'other' }), REPUTATION]);
    const { promise, resolve } = Promise.withResolvers<ExchangeAnswer>();
    bench.answer = () => json('', 500);
    const { request, identity, network, route } = bench.facts({ network: networkOf('192.0.2.1') });
    const enrichment = { ...enrichmentOf(network), sources: await bench.sources.prefetch({ request, identity, network, route }) };
    bench.answer = () => promise;
    const waiting = bench.sources.collect(['risk', 'other', 'reputation'], request, { identity, enrichment }, route);
    await expect.poll(() => bench.asked.length).toBe(3);
    resolve(GOLD);
    expect(await waiting).toEqual({
      identity,
      enrichment: { ...enrichmentOf(network), sources: { risk: GOT, other: GOT, reputation: { status: 'unavailable', code: 'status' } } },
    });
    expect(['risk', 'other', 'nobody', 'toString'].map((name) => bench.sources.knows(name))).toEqual([true, true, false, false]);
  });

  test('that lacked a placeholder are asked once introspection has filled it', async () => {
    const bench = createBench([optionsOf({ when: 'prefetch', url: 'https://pip/{claims.tenant}' })]);
    const { request, identity, network, route } = bench.facts();
    const sources = await bench.sources.prefetch({ request, identity, network, route });
    expect(sources).toEqual({ risk: { status: 'absent', code: 'placeholder_missing' } });
    const introspected = withToken({ claims: { tenant: 't' } });
    const said = await bench.sources.collect(
      ['risk'],
      request,
      { identity: introspected, enrichment: { ...enrichmentOf(network), sources } },
      route,
    );
    expect(said.enrichment.sources).toEqual({ risk: GOT });
  });

  test('are in the stage beside the counters, at once where nobody has to wait', async () => {
    const bench = createBench([RISK, REPUTATION]);
    const windows = createMemoryWindows({ entriesMax: 100, startedAtMs: NOW_MS });
    const { clock } = bench;
    const enricher = createEnricher({ databases: [], registryCountry: null, trustedProxies: [], windows, sources: bench.sources, clock });
    const request = requestOf({ source: sourceOf('203.0.113.7'), deadlineAtMs: 5000 });
    const expected = {
      network: { value: { address: '203.0.113.7' } },
      rate: { status: 'present' },
      sources: { risk: NOT_COLLECTED, reputation: GOT },
    };
    expect(await enricher.enrich(request, identityOf(), routeOf())).toMatchObject(expected);
    expect(enricher.enrich(request, identityOf(), routeOf())).toMatchObject(expected);
    expect(enricher.status().sources).toMatchObject([
      { name: 'risk', state: 'never_asked' },
      { name: 'reputation', state: 'ready', answers: { present: 1, cached: 1 } },
    ]);
  });

  test('stop', () => {
    const bench = createBench([RISK, REPUTATION]);
    bench.sources.stop();
    expect(bench.stopped).toBe(2);
  });
});

const never = (): never => {
  throw new Error('not to be called');
};
const LOGGER = { debug: never, info: never, warn: never, error: never };

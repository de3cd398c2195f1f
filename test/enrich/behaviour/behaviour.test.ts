import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { askedIdentity, askedRequest, createRemembered } from './client.ts';
import { HOUR_MS, T0 } from './fixtures.ts';

const BERLIN = { latitude: 52.52, longitude: 13.4, accuracyKm: 20 };
const SYDNEY = { latitude: -33.87, longitude: 151.21, accuracyKm: 20 };

describe('learning', () => {
  test('lasts until enough was allowed over a long enough time; until then nothing is new', () => {
    const { ask } = createRemembered({ learningRequests: 3, learningHours: 2 });
    for (const atMs of [T0, T0 + 1, T0 + 2, T0 + HOUR_MS]) {
      expect(ask({ atMs, country: 'DE', asn: 1 })).toMatchObject({ learning: true, countryNew: null, asnNew: null });
    }
    expect(ask({ atMs: T0 + 2 * HOUR_MS, country: 'DE', asn: 2 })).toMatchObject({ learning: false, countryNew: false, asnNew: true });
  });

  test('what is refused teaches nothing, however often it is tried', () => {
    const { ask } = createRemembered();
    ask({ country: 'DE', asn: 1 });
    for (const effect of ['deny', 'step_up', 'deny'] as const) {
      expect(ask({ country: 'KP', asn: 2, effect })).toMatchObject({ countryNew: true, asnNew: true });
    }
    expect(ask({ country: 'KP', asn: 2 })).toMatchObject({ countryNew: true, asnNew: true });
    expect(ask({ country: 'KP', asn: 2 })).toMatchObject({ countryNew: false, asnNew: false });
  });

  test('a place that is not known is not new', () => {
    const { ask } = createRemembered();
    ask({ country: 'DE', asn: 1 });
    expect(ask({ country: null, asn: null })).toMatchObject({ countryNew: null, asnNew: null });
    expect(ask({ address: null })).toMatchObject({ countryNew: null, addresses: 1, addressFailedCredentials: null });
  });

  test('without a client there are numbers of the address, and nothing is learnt', () => {
    const { ask, signal, behaviour } = createRemembered();
    expect(ask({ client: null })).toMatchObject({ learning: true, resources: null, outcomes: null, addressFailedCredentials: 0 });
    expect(signal({ client: null, address: null })).toEqual({ status: 'absent', code: 'client_unknown' });
    expect(behaviour.entries()).toEqual({ clients: 0, tokens: 0, addresses: 0 });
  });
});

describe('what is counted', () => {
  test('distinct resources, addresses and AS numbers, this request included', () => {
    const { ask } = createRemembered();
    expect(ask({ path: '/a', address: '203.0.113.7/32', asn: 1 })).toMatchObject({ resources: 1, addresses: 1, asns: 1 });
    expect(ask({ path: '/b', address: '203.0.113.7/32', asn: 1 })).toMatchObject({ resources: 2, addresses: 1, asns: 1 });
    expect(ask({ path: '/a', address: '203.0.113.8/32', asn: 2 })).toMatchObject({ resources: 2, addresses: 2, asns: 2 });
  });

  test('own denials and step-ups, not this one, and no failure of ours', () => {
    const { ask } = createRemembered();
    expect(ask({ effect: 'deny' })).toMatchObject({ denials: 0, stepUps: 0 });
    expect(ask({ effect: 'step_up' })).toMatchObject({ denials: 1, stepUps: 0 });
    expect(ask({ effect: 'deny', failed: true })).toMatchObject({ denials: 1, stepUps: 1 });
    expect(ask({ effect: 'deny', status: 503 })).toMatchObject({ denials: 1, stepUps: 1 });
    expect(ask({ effect: 'deny', status: 401 })).toMatchObject({ denials: 1, stepUps: 1 });
    expect(ask({ effect: 'deny', status: 403 })).toMatchObject({ denials: 1, stepUps: 1 });
    expect(ask()).toMatchObject({ denials: 2, stepUps: 1 });
    expect(ask({ atMs: T0 + 2 * HOUR_MS })).toMatchObject({ denials: 0, stepUps: 0 });
  });

  test('idle time since the last allowed request: a refused one does not wake anybody up', () => {
    const { ask } = createRemembered();
    expect(ask({}).idleSeconds).toBeNull();
    const monthLater = T0 + 30 * 24 * HOUR_MS;
    for (const effect of ['deny', 'deny'] as const) expect(ask({ atMs: monthLater, effect }).idleSeconds).toBe(30 * 86_400);
    ask({ atMs: monthLater });
    expect(ask({ atMs: monthLater + 5000 }).idleSeconds).toBe(5);
  });

  test('travel from the last allowed place: whoever is refused there does not move the client', () => {
    const { ask } = createRemembered();
    expect(ask({ coordinates: BERLIN })).toMatchObject({ travelKm: null, travelKmh: null });
    const far = { atMs: T0 + HOUR_MS, coordinates: SYDNEY, effect: 'deny' } as const;
    expect(ask(far).travelKmh).toBeGreaterThan(15_000);
    expect(ask(far).travelKmh).toBeGreaterThan(15_000);
    expect(ask({ atMs: T0 + HOUR_MS + 1, coordinates: BERLIN })).toMatchObject({ travelKm: 0, travelKmh: 0 });
    expect(ask({ atMs: T0 + HOUR_MS + 2, coordinates: null }).travelKm).toBeNull();
  });

  test('the minute and its baseline', () => {
    const { ask } = createRemembered();
    for (let minute = 0; minute < 31; minute += 1) {
      for (let request = 0; request < 10; request += 1) ask({ atMs: T0 + minute * 60_000 + request });
    }
    let last = ask({ atMs: T0 + 31 * 60_000 });
    expect(last).toMatchObject({ requestsMinute: 1 });
    expect(last.requestsMinuteMean).toBeCloseTo(10, 6);
    expect(last.requestsDeviation).toBeLessThan(0);
    for (let request = 0; request < 99; request += 1) last = ask({ atMs: T0 + 31 * 60_000 + request });
    expect(last.requestsMinute).toBe(100);
    expect(last.requestsDeviation).toBeCloseTo(90 / Math.sqrt(10), 1);
  });

  test('addresses of one token; another token of the same client has its own', () => {
    const { ask } = createRemembered();
    expect(ask({ token: 't1', address: '192.0.2.1/32' }).tokenAddresses).toBe(1);
    expect(ask({ token: 't1', address: '192.0.2.2/32' }).tokenAddresses).toBe(2);
    expect(ask({ token: 't2', address: '192.0.2.3/32' }).tokenAddresses).toBe(1);
    expect(ask({ address: '192.0.2.3/32' }).tokenAddresses).toBeNull();
  });

  test('distinct credentials that were refused from an address: one bad token again and again is one', () => {
    const { ask } = createRemembered();
    const from = { client: null, address: '192.0.2.1/32' };
    for (let attempt = 0; attempt < 50; attempt += 1) expect(ask({ ...from, refused: 'the same' }).addressFailedCredentials).toBe(1);
    expect(ask({ ...from, refused: 'another' }).addressFailedCredentials).toBe(2);
    expect(ask({ address: '192.0.2.1/32' }).addressFailedCredentials).toBe(2);
    expect(ask({ address: '192.0.2.2/32' }).addressFailedCredentials).toBe(0);
  });
});

test('an API key that was refused is a refused credential too', () => {
  const { behaviour } = createRemembered();
  const address = '192.0.2.1/32';
  const refused = (apiKey: string) => {
    const request = askedRequest({});
    const identity = askedIdentity({ client: null });
    return behaviour.look(
      { ...request, credentials: { ...request.credentials, apiKeys: [apiKey] } },
      { ...identity, signals: { ...identity.signals, apiKey: { status: 'invalid', code: 'api_key_unknown' } } },
      { status: 'absent', code: 'address_missing' },
      { client: null, address, token: null },
    );
  };
  const counts = ['k1', 'k1', 'k2'].map((key) => {
    const signal = refused(key);
    return signal.status === 'present' ? signal.value.addressFailedCredentials : null;
  });
  expect(counts).toEqual([1, 1, 2]);
});

describe('bad input', () => {
  test('a clock that is set back is flagged; time stands still for the client, and nothing is negative', () => {
    const { ask } = createRemembered();
    ask({ atMs: T0 + HOUR_MS, path: '/a', coordinates: BERLIN });
    expect(ask({ atMs: T0 + HOUR_MS - 4000, path: '/b' })).toMatchObject({ flags: [], resources: 2, idleSeconds: 0 });
    expect(ask({ atMs: T0 + 1, path: '/c', coordinates: SYDNEY })).toMatchObject({
      flags: ['clock_backwards'],
      resources: 3,
      idleSeconds: 0,
    });
  });

  test('by more than two hours: the windows begin afresh, and count again from then on', () => {
    const { ask } = createRemembered();
    for (const path of ['/a', '/b', '/c']) ask({ atMs: T0 + 1000 * HOUR_MS, path, effect: 'deny' });
    expect(ask({ atMs: T0, path: '/d' })).toMatchObject({ flags: ['clock_backwards'], resources: 1, denials: 0 });
    expect(ask({ atMs: T0 + 60_000, path: '/e' })).toMatchObject({ flags: [], resources: 2, idleSeconds: 60 });
  });

  test('learning does not last for ever where the first request came by a clock that was ahead', () => {
    const { ask } = createRemembered({ learningHours: 1 });
    ask({ atMs: T0 + 100_000 * HOUR_MS });
    expect(ask({ atMs: T0 }).learning).toBe(true);
    expect(ask({ atMs: T0 + HOUR_MS }).learning).toBe(false);
  });

  test('an identifier of 10 kB is flagged and is nobody else', () => {
    const { ask } = createRemembered();
    const long = 'x'.repeat(10_000);
    expect(ask({ client: `${long}1`, path: '/a' })).toMatchObject({ flags: ['key_long'], resources: 1 });
    expect(ask({ client: `${long}2`, path: '/b' })).toMatchObject({ flags: ['key_long'], resources: 1 });
    expect(ask({ path: `/${long}`, client: 'short' })).toMatchObject({ flags: [], resources: 1 });
    expect(ask({ path: `/${long}y`, client: 'short' })).toMatchObject({ flags: [], resources: 2 });
  });

  test('whatever the times, places and paths are: no exception, no negative number, no NaN', () => {
    const coordinate = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1e308, Number.NaN, Number.POSITIVE_INFINITY));
    const asked = fc.record(
      {
        atMs: fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: T0, max: T0 + 10 * HOUR_MS })),
        path: fc.string({ unit: 'binary' }),
        country: fc.option(fc.string()),
        asn: fc.option(fc.integer({ min: 0, max: 0xffff_ffff })),
        coordinates: fc.record({ latitude: coordinate, longitude: coordinate, accuracyKm: fc.option(coordinate) }),
        effect: fc.constantFrom('allow', 'deny', 'step_up'),
        client: fc.constantFrom('a', 'b', '__proto__', 'constructor'),
        token: fc.option(fc.constantFrom('t', 'u')),
        refused: fc.string(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 60 }), (requests) => {
        const { signal } = createRemembered({ entriesMax: 2 });
        for (const request of requests) {
          const seen = signal({ client: 'a', ...request });
          for (const [name, value] of Object.entries(seen.status === 'present' ? seen.value : {})) {
            if (typeof value === 'number' && name !== 'requestsDeviation') expect([name, value >= 0]).toEqual([name, true]);
          }
        }
      }),
    );
  });
});

describe('memories are bounded and apart', () => {
  test('a full memory of clients says so for new ones; those that it knows are served on', () => {
    const { ask, signal, behaviour } = createRemembered({ entriesMax: 3 });
    for (const client of ['a', 'b', 'c']) ask({ client, path: '/1' });
    expect(signal({ client: 'd' })).toEqual({ status: 'unavailable', code: 'store_full' });
    expect(ask({ client: 'a', path: '/2' }).resources).toBe(2);
    expect(behaviour.entries().clients).toBe(3);
    expect(ask({ client: 'd', atMs: T0 + 2 * HOUR_MS + 1 }).resources).toBe(1);
  });

  test('an attacker without a verified credential, from a whole /48 and with random tokens, takes nothing from anybody', () => {
    const { ask, behaviour } = createRemembered({ entriesMax: 50 });
    for (const path of ['/1', '/2']) ask({ client: 'victim', token: 'its-token', path, address: '192.0.2.1/32', country: 'DE' });
    const before = behaviour.entries();
    for (let attempt = 0; attempt < 5000; attempt += 1) {
      const address = `2001:db8:bad:${(attempt % 1000).toString(16)}::/64`;
      const value = ask({ client: null, address, refused: `random-${attempt}` });
      if (attempt >= 50) expect([value.degraded, attempt % 1000 < 50]).toContain(true);
    }
    expect(behaviour.entries()).toEqual({ ...before, addresses: 50 });
    expect(ask({ client: 'victim', token: 'its-token', path: '/3', address: '192.0.2.2/32', country: 'DE' })).toMatchObject({
      resources: 3,
      tokenAddresses: 2,
      countryNew: false,
      degraded: true,
      addressFailedCredentials: null,
    });
  });
});

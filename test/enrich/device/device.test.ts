import { describe, expect, test } from 'vitest';
import type { DeviceValue } from '../../../src/contract/behaviour.ts';
import { createDevices, type DeviceOptions } from '../../../src/enrich/device/device.ts';
import { createRegistered, isKnownDevice } from '../../../src/enrich/device/known.ts';
import { type Asked, askedIdentity, askedRequest, recordOf } from '../behaviour/client.ts';
import { HOUR_MS, MAKERS, T0 } from '../behaviour/fixtures.ts';

const JA4 = (digit: string) => `t13d1516h2_${digit.repeat(12)}_b186095e22b6`;

function createBench(options: Partial<DeviceOptions> = {}, known: Parameters<typeof createRegistered>[0] = []) {
  const limits = { entriesMax: 100, learningRequests: 0, learningHours: 0, ...options };
  const devices = createDevices(limits, 'replica', createRegistered(known), MAKERS);
  const signal = (asked: Asked) => {
    const { client = 'agent-1' } = asked;
    const seen = devices.look(askedRequest(asked), askedIdentity(asked), client);
    if (client !== null) devices.learn(recordOf(asked), client);
    return seen;
  };
  const ask = (asked: Asked): DeviceValue => {
    const seen = signal(asked);
    if (seen.status !== 'present') throw new Error(`${seen.status}: ${seen.code}`);
    return seen.value;
  };
  return { devices, signal, ask };
}

describe('the device of a request', () => {
  test('is told by the strongest thing that is there', () => {
    const { ask, signal } = createBench();
    expect(ask({ ja4: JA4('a'), userAgent: 'curl/8' })).toMatchObject({
      ja4: JA4('a'),
      userAgent: 'curl/8',
      basis: 'ja4',
      scope: 'replica',
    });
    expect(ask({ userAgent: 'curl/8' })).toMatchObject({ ja4: null, basis: 'user_agent', sharedByClients: null });
    expect(signal({})).toEqual({ status: 'absent', code: 'device_missing' });
    expect(ask({ userAgent: 'x'.repeat(10_000) }).userAgent).toHaveLength(512);
    // half of a character is no text that a policy engine or a reader of the log takes
    expect(ask({ userAgent: `${'x'.repeat(511)}😀` }).userAgent).toBe(`${'x'.repeat(511)}\ufffd`);
  });

  test('is new until it was allowed; a refused one stays new', () => {
    const { ask } = createBench();
    expect(ask({ ja4: JA4('a') })).toMatchObject({ newForClient: true, firstSeen: null, learning: false });
    expect(ask({ ja4: JA4('a'), atMs: T0 + 5000 })).toMatchObject({ newForClient: false, firstSeen: T0 / 1000 });
    for (const effect of ['deny', 'step_up', 'deny'] as const) expect(ask({ ja4: JA4('b'), effect }).newForClient).toBe(true);
    expect(ask({ ja4: JA4('a'), atMs: T0 + HOUR_MS })).toMatchObject({ newForClient: false, firstSeen: T0 / 1000 });
  });

  test('nothing is new while learning, nor without a client', () => {
    const { ask } = createBench({ learningRequests: 2, learningHours: 1 });
    expect(ask({ ja4: JA4('a') })).toMatchObject({ newForClient: null, learning: true });
    expect(ask({ ja4: JA4('b'), atMs: T0 + HOUR_MS })).toMatchObject({ newForClient: null, learning: true });
    expect(ask({ ja4: JA4('c'), atMs: T0 + HOUR_MS })).toMatchObject({ newForClient: true, learning: false });
    expect(ask({ ja4: JA4('a'), client: null })).toMatchObject({ newForClient: null, learning: true, sharedByClients: null });
  });

  test('a client of more than eight devices has no new ones, and those that are kept stay known', () => {
    const { ask } = createBench();
    for (const digit of '012345678') ask({ ja4: JA4(digit) });
    expect(ask({ ja4: JA4('8') }).newForClient).toBe(false);
    expect(ask({ ja4: JA4('0') }).newForClient).toBeNull();
    expect(ask({ ja4: JA4('f') }).newForClient).toBeNull();
  });

  test('a fingerprint is shared by verified clients, each counted once', () => {
    const { ask } = createBench();
    expect(['a', 'b', 'b', 'c'].map((client) => ask({ client, ja4: JA4('a') }).sharedByClients)).toEqual([1, 2, 2, 3]);
    expect(ask({ client: 'd', ja4: JA4('b') }).sharedByClients).toBe(1);
  });

  test('a full memory says so, and forgets nobody who is awake', () => {
    const { ask, signal, devices } = createBench({ entriesMax: 2 });
    for (const client of ['a', 'b']) ask({ client, ja4: JA4('a') });
    expect(signal({ client: 'c', ja4: JA4('a') })).toEqual({ status: 'unavailable', code: 'store_full' });
    expect(ask({ client: 'a', ja4: JA4('a') }).newForClient).toBe(false);
    // the memory of fingerprints is a quarter as large: here one
    expect(ask({ client: 'a', ja4: JA4('b') })).toMatchObject({ sharedByClients: null, degraded: true });
    expect(devices.entries()).toEqual({ clients: 2, fingerprints: 1 });
  });

  test('a clock that was ahead when the client came first does not make learning last for ever', () => {
    const { ask } = createBench({ learningHours: 1 });
    ask({ ja4: JA4('a'), atMs: T0 + 10_000 * HOUR_MS });
    ask({ ja4: JA4('a'), atMs: T0 });
    expect(ask({ ja4: JA4('a'), atMs: T0 + HOUR_MS }).learning).toBe(false);
  });
});

describe('a registered device', () => {
  const none = { certificate: null, ja3: null, ja4: null };
  const both = { certificates: ['c1'], ja3: [], ja4: ['j1', 'j2'] };

  test.each([
    ['nothing is registered', null, { ...none, ja4: 'j1' }, null],
    ['by its fingerprint', { ...both, certificates: [] }, { ...none, ja4: 'j2' }, true],
    ['by another fingerprint', { ...both, certificates: [] }, { ...none, ja4: 'j3' }, false],
    ['the gateway hands on no fingerprint', { ...both, certificates: [] }, none, null],
    ['only the other kind of fingerprint came', { ...both, certificates: [] }, { ...none, ja3: 'm1' }, null],
    ['by its certificate, whatever TLS library it uses today', both, { ...none, certificate: 'c1', ja4: 'j3' }, true],
    ['another certificate', { ...both, ja4: [] }, { ...none, certificate: 'c2' }, false],
    ['no certificate where one is registered', { ...both, ja4: [] }, none, false],
    ['by JA3', { certificates: [], ja3: ['m1'], ja4: [] }, { ...none, ja3: 'm1' }, true],
    ['an empty record', { certificates: [], ja3: [], ja4: [] }, { ...none, ja4: 'j1' }, null],
  ])('%s', (_what, registered, offered, known) => {
    expect(isKnownDevice(registered, offered)).toBe(known);
  });

  test("is one of the configuration or one of the client's record", () => {
    const recorded = { certificates: ['c1'], ja3: [], ja4: [JA4('b')] };
    const registeredOf = createRegistered([{ client: 'a', ja4: JA4('a'), ja3: null, certificateSha256: null }], (client) =>
      client === 'nobody' ? null : recorded,
    );
    expect(registeredOf('a')).toEqual({ certificates: ['c1'], ja3: [], ja4: [JA4('a'), JA4('b')] });
    expect([registeredOf('b'), registeredOf('nobody')]).toEqual([recorded, null]);
  });

  test('is looked up by the verified client, and never by an asserted one', () => {
    const device = { client: 'agent-1', ja4: JA4('a'), ja3: null, certificateSha256: null };
    const { ask, devices } = createBench({}, [device, { ...device, ja4: JA4('b') }]);
    expect([JA4('a'), JA4('b'), JA4('c')].map((ja4) => ask({ ja4 }).known)).toEqual([true, true, false]);
    expect(ask({ ja4: JA4('a'), client: 'agent-2' }).known).toBeNull();
    const asserted = { ...askedIdentity({}), subject: { ...askedIdentity({}).subject, asserted: true } };
    expect(devices.look(askedRequest({ ja4: JA4('a') }), asserted, null)).toMatchObject({ value: { known: null } });
  });
});

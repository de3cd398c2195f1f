import { describe, expect, onTestFinished, test } from 'vitest';
import { createEnricher } from '../../src/enrich/enricher.ts';
import { createMemoryWindows } from '../../src/stores/memory-windows.ts';
import { openRedisStores } from '../../src/stores/redis/stores.ts';
import { registryCountry } from '../../src/stores/registry-country.ts';
import type { WindowStore } from '../../src/stores/windows.ts';
import { allowed } from '../record/records.ts';
import { openFixtures } from '../stores/databases.ts';
import { startRedis } from '../support/redis.ts';
import { identityOf, NOW_MS, requestOf, routeOf, sourceOf } from './requests.ts';

const databases = await openFixtures('geo-city.mmdb', 'no-such-file.mmdb');
const clock = { now: () => NOW_MS, monotonic: () => 0 };

function enricherOver(windows: WindowStore, trustedProxies: readonly string[] = ['10.0.0.0/8']) {
  return createEnricher({ databases, registryCountry, windows, trustedProxies, clock });
}

const memory = () => createMemoryWindows({ entriesMax: 1000, startedAtMs: NOW_MS });

describe('with the memory store', () => {
  test('both signals at once, as a plain value', () => {
    const enricher = enricherOver(memory());
    const request = requestOf({ source: sourceOf('10.0.0.1', '203.0.113.7') });
    expect(enricher.enrich(request, identityOf(), routeOf())).toMatchObject({
      network: { status: 'present', value: { address: '203.0.113.7', country: 'DE', countrySource: 'database' } },
      rate: { status: 'present', value: { client: { '10s': 1, '1h': 1 }, historyLost: true, degraded: false } },
    });
    expect(enricher.enrich(request, identityOf(), routeOf())).toMatchObject({ rate: { value: { address: { '10s': 2 } } } });
  });

  test('where nothing is remembered the signals say that they are switched off', () => {
    const enricher = enricherOver(memory());
    expect(enricher.enrich(requestOf(), identityOf(), routeOf())).toMatchObject({
      device: { status: 'absent', code: 'device_disabled' },
      behaviour: { status: 'absent', code: 'behaviour_disabled' },
    });
    expect(() => enricher.observe(allowed)).not.toThrow();
  });

  test('flags of the chain are in the network value', () => {
    const request = requestOf({ source: sourceOf('10.0.0.1', '10.0.0.2') });
    expect(enricherOver(memory()).enrich(request, identityOf(), routeOf())).toMatchObject({
      network: { value: { address: '10.0.0.2', addressFlags: ['address_all_trusted'] } },
    });
  });

  test('a broken chain is told and still counted', () => {
    const request = requestOf({ source: sourceOf('10.0.0.1', 'garbage') });
    expect(enricherOver(memory()).enrich(request, identityOf(), routeOf())).toMatchObject({
      network: { status: 'invalid', code: 'address_chain_broken' },
      rate: { value: { address: { '10s': 1 } } },
    });
  });

  test('the status shows databases and store', () => {
    expect(enricherOver(memory()).status()).toEqual({
      databases: [
        {
          name: 'geo-city.mmdb',
          state: 'ready',
          type: 'GeoIP2-City',
          builtAt: 1_767_225_600,
          ageSeconds: Math.max(0, NOW_MS / 1000 - 1_767_225_600),
          sizeBytes: expect.any(Number),
          lastError: null,
        },
        {
          name: 'no-such-file.mmdb',
          state: 'missing',
          type: null,
          builtAt: null,
          ageSeconds: null,
          sizeBytes: null,
          lastError: 'file_missing',
        },
      ],
      store: { kind: 'memory', state: 'ready', entries: 0, lastError: null },
      remembered: { entries: {}, feedback: null },
      lists: [],
    });
  });

  test('a trusted proxy that is no address or block refuses the start by its place', () => {
    expect(() => enricherOver(memory(), ['10.0.0.0/8', '10.0.0.0/99'])).toThrow(/network\.trustedProxies\[1\]/);
  });
});

describe('with Redis', () => {
  test('[asks 73] a promise of both; with Redis away at once, the network signal untouched', async () => {
    const redis = await startRedis();
    const { windows, close } = openRedisStores({
      url: redis.url,
      deadlineMs: 500,
      keyPrefix: 'enricher',
      monotonic: () => performance.now(),
      logger: { info: () => undefined, warn: () => undefined },
    });
    onTestFinished(() => close());
    const enricher = enricherOver(windows);
    while (windows.status().state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 10));
    const request = requestOf({ deadlineAtMs: 5000 });
    const answer = enricher.enrich(request, identityOf(), routeOf());
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toMatchObject({
      network: { status: 'present' },
      rate: { status: 'present', value: { client: { '10s': 1 }, route: { '1h': 1 }, historyLost: true } },
    });
    await redis.kill();
    while (windows.status().state === 'ready') await new Promise((resolve) => setTimeout(resolve, 10));
    expect(enricher.enrich(request, identityOf(), routeOf())).toMatchObject({
      network: { status: 'present', value: { country: 'DE' } },
      rate: { status: 'unavailable', code: 'store_unavailable' },
    });
    expect(enricher.status().store).toMatchObject({ kind: 'redis', state: 'unavailable' });
  });

  test('a request whose time is over is not asked for', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const { windows, close } = openRedisStores({
      url: redis.url,
      deadlineMs: 500,
      keyPrefix: 'enricher',
      monotonic: () => performance.now(),
      logger: { info: () => undefined, warn: () => undefined },
    });
    onTestFinished(() => close());
    while (windows.status().state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 10));
    expect(enricherOver(windows).enrich(requestOf({ deadlineAtMs: 10 }), identityOf(), routeOf())).toMatchObject({
      rate: { status: 'unavailable', code: 'store_unavailable' },
    });
  });
});

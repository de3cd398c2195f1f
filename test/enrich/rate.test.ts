import { describe, expect, test } from 'vitest';
import { findClientAddress } from '../../src/enrich/client-address.ts';
import { boundedKey, describeRate, windowKeys } from '../../src/enrich/rate.ts';
import type { EntityCounts } from '../../src/stores/windows.ts';
import { identityOf, routeOf, sourceOf, TRUSTED_WALK } from './requests.ts';

const client = (ip: string | null, ...chain: readonly string[]) => findClientAddress(sourceOf(ip, ...chain), TRUSTED_WALK, []);
const counts = (count: number): EntityCounts => ({ '10s': count, '1m': count, '10m': count, '1h': count });

describe('what a request is counted under', () => {
  test('the verified client and token, the address, and the route of its catalogue', () => {
    expect(windowKeys(identityOf(), routeOf({ catalogue: 'payments' }), client('203.0.113.7'))).toEqual({
      client: 'agent-1',
      address: '203.0.113.7/32',
      token: 'token-hash',
      route: 'payments/orders',
      api_key: null,
    });
  });

  test('an asserted client is nobody', () => {
    expect(windowKeys(identityOf({ asserted: true, tokenKey: null }), routeOf(), client('203.0.113.7'))).toMatchObject({
      client: null,
      token: null,
    });
  });

  test('two addresses of one /64 are one', () => {
    const [one, two] = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9'].map((ip) => windowKeys(identityOf(), routeOf(), client(ip)).address);
    expect(one).toBe('2001:db8:1:2::/64');
    expect(two).toBe(one);
  });

  test('an unknown route is counted, no route is not', () => {
    expect(windowKeys(identityOf(), routeOf({ status: 'unknown', id: 'unknown' }), client(null)).route).toBe('default/unknown');
    expect(windowKeys(identityOf(), routeOf({ status: 'none' }), client(null))).toMatchObject({ route: null, address: null });
  });

  test('a chain that breaks does not leave the counters', () => {
    const broken = { address: null, code: 'address_chain_broken', nearest: { family: 4, text: '10.0.0.2', groups: [2560, 2] } } as const;
    expect(windowKeys(identityOf(), routeOf(), broken).address).toBe('10.0.0.2/32');
  });
});

describe('keys', () => {
  test('a long or odd identifier is hashed, and no plain one can fall on the hash', () => {
    const hashed = boundedKey('x'.repeat(16_384));
    expect(hashed).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(boundedKey(hashed)).not.toBe(hashed);
    for (const odd of ['a}b', '{', 'a b', 'a\nb', 'ü', '']) expect(boundedKey(odd)).toMatch(/^sha256:/);
    expect(boundedKey('spiffe://td/agent/a')).toBe('spiffe://td/agent/a');
  });
});

describe('the signal', () => {
  const answer = { client: counts(3), address: counts(4), token: null, route: counts(5), historyLost: false };

  test('present with the counts that there are', () => {
    expect(describeRate(answer, null)).toEqual({
      status: 'present',
      value: { client: counts(3), address: counts(4), token: null, route: counts(5), degraded: false, historyLost: false, pep: null },
    });
  });

  test('one failed entity is null and degrades', () => {
    expect(describeRate({ ...answer, address: 'store_full' }, { count: 9, windowSeconds: 60 })).toMatchObject({
      status: 'present',
      value: { address: null, client: counts(3), degraded: true, pep: { count: 9, windowSeconds: 60 } },
    });
  });

  test('[asks 73] nothing counted is unavailable, and says why', () => {
    const all = (failed: EntityCounts) => ({ client: failed, address: failed, token: null, route: failed, historyLost: true });
    expect(describeRate(all('store_unavailable'), null)).toEqual({ status: 'unavailable', code: 'store_unavailable' });
    expect(describeRate(all('store_full'), null)).toEqual({ status: 'unavailable', code: 'store_full' });
    expect(describeRate({ ...all('store_full'), route: 'store_unavailable' }, null)).toMatchObject({ code: 'store_unavailable' });
  });
});

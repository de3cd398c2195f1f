import { describe, expect, test } from 'vitest';
import type { ForwardedFor } from '../../src/contract/pep.ts';
import { findClientAddress } from '../../src/enrich/client-address.ts';
import { type IpBlock, parseAddressOrBlock } from '../../src/enrich/ip-address.ts';
import { sourceOf, TRUSTED_WALK } from './requests.ts';

const PROXIES = blocks('10.0.0.0/8', '2001:db8:ffff::/48', '192.0.2.5');

function blocks(...texts: readonly string[]): readonly IpBlock[] {
  return texts.map((text) => parseAddressOrBlock(text) ?? expect.fail(text));
}

function find(forwardedFor: ForwardedFor, ip: string | null, ...chain: readonly string[]) {
  const found = findClientAddress(sourceOf(ip, ...chain), forwardedFor, PROXIES);
  return found.address === null ? [found.code, found.nearest?.text ?? null] : [found.address.text, ...found.flags];
}

const walk = (ip: string | null, ...chain: readonly string[]) => find(TRUSTED_WALK, ip, ...chain);
const hops = (count: number, ip: string | null, ...chain: readonly string[]) => find({ ...TRUSTED_WALK, hops: count }, ip, ...chain);

describe('the walk over trusted proxies', () => {
  test('[asks 79] an untrusted peer is the client, whatever it says of others', () => {
    expect(walk('203.0.113.7', '10.0.0.1', '198.51.100.1')).toEqual(['203.0.113.7']);
    expect(walk('203.0.113.7', 'garbage')).toEqual(['203.0.113.7']);
  });

  test('[asks 14] a trusted peer is passed over, and only the first stranger from the right is believed', () => {
    expect(walk('10.0.0.1', '1.1.1.1', '198.51.100.9', '10.9.9.9')).toEqual(['198.51.100.9']);
    expect(walk('10.0.0.1', '1.1.1.1, 198.51.100.9,10.9.9.9')).toEqual(['198.51.100.9']);
    expect(walk('2001:db8:ffff::1', '2001:db8:1::7')).toEqual(['2001:db8:1::7']);
    expect(walk('192.0.2.5', '198.51.100.9')).toEqual(['198.51.100.9']);
  });

  test('a port, brackets and a zone are taken off, an IPv4-mapped proxy is its IPv4 self', () => {
    expect(walk('::ffff:10.0.0.1', '198.51.100.9:40000')).toEqual(['198.51.100.9']);
    expect(walk('10.0.0.1', '[2001:db8:1::7]:443')).toEqual(['2001:db8:1::7']);
    expect(walk('10.0.0.1', 'fe80::1%eth0')).toEqual(['fe80::1']);
    expect(walk('10.0.0.1', '::ffff:198.51.100.9')).toEqual(['198.51.100.9']);
  });

  test.each([
    'unknown',
    '',
    'x',
    '010.0.0.1',
    '0x0a.0.0.1',
    '1.2.3',
    '1.2.3.4:',
    '1.2.3.4:999999',
    '[1.2.3.4]',
    '0.0.0.0',
    '::',
    '1.2.3.4%eth0',
    '[::1',
  ])('an entry %o where the walk needs it gives no address, and the last known hop', (entry) => {
    expect(walk('10.0.0.1', '198.51.100.9', entry, '10.0.0.2')).toEqual(['address_chain_broken', '10.0.0.2']);
  });

  test('an entry that the walk does not need may be anything', () => {
    expect(walk('10.0.0.1', 'garbage', '198.51.100.9')).toEqual(['198.51.100.9']);
  });

  test('all trusted: the left-most one, flagged', () => {
    expect(walk('10.0.0.1', '10.0.0.3', '10.0.0.2')).toEqual(['10.0.0.3', 'address_all_trusted']);
    expect(walk('10.0.0.1')).toEqual(['10.0.0.1', 'address_all_trusted']);
  });

  test('[asks 79] without a peer nobody vouches for the chain: the client may have written all of it', () => {
    expect(walk(null, '198.51.100.9', '10.0.0.2')).toEqual(['address_missing', null]);
    expect(walk(null, '198.51.100.9')).toEqual(['address_missing', null]);
    expect(hops(1, null, '1.1.1.1', '198.51.100.9')).toEqual(['address_missing', null]);
    expect(walk(null)).toEqual(['address_missing', null]);
  });

  test('a peer that cannot be read is no address, and the chain is not looked at', () => {
    expect(walk('@', '198.51.100.9')).toEqual(['address_invalid', null]);
  });

  test('no more than 64 entries are walked', () => {
    const padded = Array.from({ length: 5000 }, () => '10.0.0.9');
    expect(walk('10.0.0.1', '198.51.100.9', ...padded)).toEqual(['address_chain_broken', '10.0.0.9']);
  });
});

describe('a gateway that has appended its peer', () => {
  const appended: ForwardedFor = { ...TRUSTED_WALK, appendsPeer: true };

  test('its own peer is not counted twice', () => {
    expect(find({ ...appended, hops: 0 }, '198.51.100.9', '1.1.1.1', '198.51.100.9')).toEqual(['198.51.100.9']);
    expect(find(appended, '10.0.0.1', '198.51.100.9', '10.0.0.1')).toEqual(['198.51.100.9']);
  });

  test('its own entry is there where it does not name the peer once more', () => {
    expect(find(appended, null, '1.1.1.1', '198.51.100.9')).toEqual(['198.51.100.9']);
    expect(find({ ...appended, hops: 1 }, null, '198.51.100.9', '10.0.0.1')).toEqual(['198.51.100.9']);
  });

  test('without a chain the peer stands for itself', () => {
    expect(find(appended, '198.51.100.9')).toEqual(['198.51.100.9']);
  });
});

describe('a number of hops', () => {
  test('[asks 79] one hop with one entry is that entry', () => {
    expect(hops(1, '203.0.113.1', '198.51.100.9')).toEqual(['198.51.100.9']);
  });

  test('exactly as many entries are passed over, trusted or not', () => {
    expect(hops(0, '10.0.0.1', '198.51.100.9')).toEqual(['10.0.0.1']);
    expect(hops(2, '10.0.0.1', '1.1.1.1', '198.51.100.9', '203.0.113.1')).toEqual(['198.51.100.9']);
  });

  test('a chain that is too short gives the left-most entry, flagged', () => {
    expect(hops(3, '10.0.0.1', '198.51.100.9')).toEqual(['198.51.100.9', 'address_chain_short']);
    expect(hops(1, '198.51.100.9')).toEqual(['198.51.100.9', 'address_chain_short']);
  });

  test('an entry on the way that does not parse is flagged, one at the place itself gives no address', () => {
    expect(hops(2, '10.0.0.1', '198.51.100.9', 'garbage')).toEqual(['198.51.100.9', 'address_chain_broken']);
    expect(hops(1, '10.0.0.1', '198.51.100.9', 'garbage')).toEqual(['address_chain_broken', '10.0.0.1']);
  });
});

describe('Forwarded (RFC 7239)', () => {
  const forwarded: ForwardedFor = { header: 'forwarded', appendsPeer: false, hops: null };

  test('is read where it is the configured header, also when its elements were split before', () => {
    expect(find(forwarded, '10.0.0.1', 'for=1.1.1.1, For="[2001:db8:1::7]:4711";proto=https', 'for=10.0.0.2')).toEqual(['2001:db8:1::7']);
    expect(find(forwarded, '10.0.0.1', 'for=198.51.100.9;by=10.0.0.1')).toEqual(['198.51.100.9']);
    expect(find(forwarded, '10.0.0.1', '198.51.100.9')).toEqual(['198.51.100.9']);
  });

  test('a quote that a client leaves open cannot move what a proxy appended', () => {
    expect(find(forwarded, '10.0.0.1', 'for="x, for=198.51.100.9;host="evil, for=9.9.9.9, y"')).toEqual([
      'address_chain_broken',
      '10.0.0.1',
    ]);
  });

  test('a hidden name or an element without for stops the walk', () => {
    expect(find(forwarded, '10.0.0.1', 'for=198.51.100.9, for=_hidden')).toEqual(['address_chain_broken', '10.0.0.1']);
    expect(find(forwarded, '10.0.0.1', 'for=198.51.100.9, proto=https')).toEqual(['address_chain_broken', '10.0.0.1']);
  });
});

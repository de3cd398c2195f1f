import { describe, expect, test } from 'vitest';
import {
  blockContains,
  blockText,
  countedPrefix,
  type IpAddress,
  parseAddressOrBlock,
  parseIpAddress,
  parseIpBlock,
} from '../../src/enrich/ip-address.ts';

function address(text: string): IpAddress {
  return parseIpAddress(text) ?? expect.fail(text);
}

describe('prefixes that are counted', () => {
  test('IPv4 by the address, IPv6 by its /64, IPv4-mapped as IPv4', () => {
    expect(countedPrefix(address('203.0.113.7'))).toBe('203.0.113.7/32');
    expect(countedPrefix(address('2001:db8:1:2:3:4:5:6'))).toBe('2001:db8:1:2::/64');
    expect(countedPrefix(address('::1'))).toBe('::/64');
    // a translator makes all of IPv4 one /64: each of its addresses pays for itself
    expect(countedPrefix(address('64:ff9b::203.0.113.7'))).toBe('64:ff9b::cb00:7107/128');
    expect(countedPrefix(address('64:ff9b:0:0:0:1::'))).toBe('64:ff9b::/64');
    expect(countedPrefix(address('64:ff9b:1::203.0.113.7'))).toBe('64:ff9b:1::/64');
    expect(countedPrefix(address('::ffff:203.0.113.7'))).toBe('203.0.113.7/32');
  });
});

describe('blocks', () => {
  test('a mapped block of 96 bits and more is an IPv4 block, a wider one stays IPv6', () => {
    const mapped = parseIpBlock('::ffff:4.4.4.4/124') ?? expect.fail();
    expect(blockText(mapped)).toBe('4.4.4.0/28');
    expect(parseIpBlock('::ffff:4.4.4.4/95')?.family).toBe(6);
  });

  test('families never match each other, not even by ::/0', () => {
    const all = parseIpBlock('::/0') ?? expect.fail();
    expect(blockContains(all, address('2001:db8::1'))).toBe(true);
    expect(blockContains(all, address('10.0.0.1'))).toBe(false);
    expect(blockContains(parseIpBlock('0.0.0.0/0') ?? expect.fail(), address('::a00:1'))).toBe(false);
  });

  test('a bare address stands for itself', () => {
    const own = parseAddressOrBlock('2001:db8::1') ?? expect.fail();
    expect(blockContains(own, address('2001:db8::1'))).toBe(true);
    expect(blockContains(own, address('2001:db8::2'))).toBe(false);
  });

  test.each(['10.0.0.0/', '10.0.0.0/08', '10.0.0.0/+8', '10.0.0.0/33', 'fe80::%eth0/10', '/8', '10.0.0.0/8/8', '10.0.0.0 /8'])(
    '%s is refused',
    (text) => {
      expect(parseIpBlock(text)).toBeNull();
    },
  );
});

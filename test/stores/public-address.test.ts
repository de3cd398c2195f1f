import { describe, expect, test } from 'vitest';
import { parseIpAddress, rangeOf } from '../../src/enrich/ip-address.ts';
import { isPublicAddress } from '../../src/stores/public-address.ts';

describe('a host on the internet', () => {
  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '93.184.215.14',
    '172.32.0.1',
    '172.15.255.255',
    '100.63.0.1',
    '100.128.0.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450:4001::1',
    '2003::1',
  ])('%s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

describe('none', () => {
  test.each([
    ...[
      '0.0.0.0',
      '0.1.2.3',
      '168.63.129.16',
      '10.1.2.3',
      '100.64.0.1',
      '100.127.255.255',
      '127.0.0.1',
      '127.255.0.1',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
    ],
    ...[
      '192.0.0.8',
      '192.0.2.1',
      '192.88.99.1',
      '192.168.1.1',
      '198.18.0.1',
      '198.19.255.255',
      '198.51.100.1',
      '203.0.113.1',
      '224.0.0.1',
      '239.255.255.255',
    ],
    ...[
      '240.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:8.8.8.8',
      '::ffff:127.0.0.1',
      '::127.0.0.1',
      '64:ff9b::808:808',
      '64:ff9b:1::1',
      '100::1',
    ],
    ...[
      '2001::1',
      '2001:0:4136:e378::',
      '2001:20::1',
      '2001:db8::1',
      '2002:7f00:1::',
      '3fff::1',
      '5f00::1',
      'fc00::1',
      'fd12::1',
      'fe80::1',
      'fec0::1',
      'ff02::1',
    ],
    ...['2606:4700::1111%eth0', '127.1', '0x7f000001', '2130706433', '08.8.8.8', '', 'localhost', '8.8.8.8 ', '[::1]'],
  ])('%s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

test('what the enricher takes for a special address is never one, in 20,000 of them', () => {
  let seed = 1;
  const next = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed >> 8;
  };
  const wrong: string[] = [];
  for (let round = 0; round < 10_000; round++) {
    const four = [next() & 255, next() & 255, next() & 255, next() & 255].join('.');
    const six = Array.from({ length: 8 }, (_, index) => (index === 0 ? next() & 0x3fff : next() & 0xffff).toString(16)).join(':');
    for (const text of [four, six]) {
      const parsed = parseIpAddress(text);
      if (parsed !== null && rangeOf(parsed) !== 'unicast' && isPublicAddress(text)) wrong.push(text);
    }
  }
  expect(wrong).toEqual([]);
});

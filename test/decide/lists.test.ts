import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAddressList, parseAddress } from '../../src/decide/lists.ts';

describe('a list of addresses', () => {
  const list = createAddressList(
    ['192.0.2.0/24', '203.0.113.7', '10.0.0.0/8', '2001:db8::/32', '2001:db9::1', '::ffff:198.51.100.0/120'],
    'x',
  );

  it.each(['192.0.2.0', '192.0.2.255', '203.0.113.7', '10.255.0.1', '2001:db8:ffff::1', '2001:db9::1', '198.51.100.9', '::ffff:192.0.2.1'])(
    '%s is on it',
    (address) => {
      expect(list.has(address)).toBe(true);
    },
  );

  it.each(['192.0.3.0', '203.0.113.8', '11.0.0.1', '2001:db7::1', '2001:db9::2', '::', 'text', '', '192.0.2', 'fe80::1%eth0'])(
    '%s is not',
    (address) => {
      expect(list.has(address)).toBe(false);
    },
  );

  it('everything and nothing', () => {
    expect(createAddressList(['0.0.0.0/0', '::/0'], 'x').has('203.0.113.7')).toBe(true);
    expect(createAddressList(['0.0.0.0/0', '::/0'], 'x').has('2001:db8::1')).toBe(true);
    expect(createAddressList([], 'x').has('203.0.113.7')).toBe(false);
  });

  it.each([
    ['10.0.0.0/33'],
    ['10.0.0.0/'],
    ['10.0.0.0/8/8'],
    ['10.0.0.0/-1'],
    ['::/129'],
    ['x'],
    [''],
    ['10.0.0.0/8 '],
    [7],
    [null],
    ['::ffff:1.2.3.4/90'],
  ])('refuses %j', (entry) => {
    expect(() => createAddressList(['10.0.0.1', entry], 'x')).toThrow(
      expect.objectContaining({ code: 'bundle_data_invalid', field: 'x.1' }),
    );
  });

  it('reads an address as its own shortest form reads', () => {
    expect(parseAddress('2001:0db8:0:0:0:0:0:0001')).toBe(parseAddress('2001:db8::1'));
    expect(parseAddress('::1.2.3.4')).toBe(parseAddress('::102:304'));
    expect(parseAddress('::ffff:1.2.3.4')).toBe(parseAddress('1.2.3.4'));
  });

  it('agrees with the one of Node.js', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    const prefix = address.chain((text) => fc.tuple(fc.constant(text), fc.integer({ min: 0, max: text.includes(':') ? 128 : 32 })));
    fc.assert(
      fc.property(
        fc.array(prefix, { minLength: 1, maxLength: 6 }),
        fc.array(address, { minLength: 1, maxLength: 6 }),
        (prefixes, addresses) => {
          // IPv4-mapped IPv6 is IPv4 here, and not there
          fc.pre(
            [...prefixes.map(([text]) => text), ...addresses].every(
              (text) => !text.includes(':') || typeof parseAddress(text) === 'bigint',
            ),
          );
          const ours = createAddressList(
            prefixes.map(([text, length]) => `${text}/${length}`),
            'x',
          );
          for (const text of [...addresses, ...prefixes.map(([base]) => base)])
            expect(ours.has(text), text).toBe(isOnNodes(prefixes, text));
        },
      ),
    );
  });
});

/** Only prefixes of the address's own family count: Node.js takes IPv4 for IPv6 in places. */
function isOnNodes(prefixes: readonly (readonly [string, number])[], text: string): boolean {
  const list = new BlockList();
  const family = text.includes(':') ? 'ipv6' : 'ipv4';
  for (const [base, length] of prefixes) if (base.includes(':') === text.includes(':')) list.addSubnet(base, length, family);
  return list.check(text, family);
}

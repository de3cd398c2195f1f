import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blocksContain, isAddressBlock } from '../../src/formats/address-blocks.ts';

describe('address blocks', () => {
  it.each(['10.0.0.0/8', '192.0.2.7', '0.0.0.0/0', '2001:db8::/32', '::1', '::ffff:10.0.0.0/104'])('%s is one', (text) => {
    expect(isAddressBlock(text)).toBe(true);
  });

  it.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/',
    '10.0.0/8',
    '010.0.0.0/8',
    '2001:db8::/129',
    'fe80::1%eth0',
    '10.0.0.0/8/8',
    'localhost',
  ])('"%s" is none, and in a list contains nothing', (text) => {
    expect(isAddressBlock(text)).toBe(false);
    expect(blocksContain([text], '10.1.2.3')).toBe(false);
  });

  it('contain what lies in them, by family', () => {
    const blocks = ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'];
    for (const inside of ['10.0.0.0', '10.255.255.255', '192.0.2.7', '2001:db8::1'])
      expect(blocksContain(blocks, inside), inside).toBe(true);
    for (const outside of ['11.0.0.0', '9.255.255.255', '192.0.2.8', '2001:db9::', '', 'x'])
      expect(blocksContain(blocks, outside), outside).toBe(false);
    expect(blocksContain(['0.0.0.0/0'], '::1')).toBe(false);
    expect(blocksContain([], '10.0.0.1')).toBe(false);
  });

  it('agree with arithmetic on any IPv4 block', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, base, bits) => {
        const numberOf = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
        const size = 2 ** (32 - bits);
        expect(blocksContain([`${base}/${bits}`], address)).toBe(
          Math.floor(numberOf(address) / size) === Math.floor(numberOf(base) / size),
        );
      }),
    );
  });
});

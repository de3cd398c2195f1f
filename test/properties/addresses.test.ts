import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findClientAddress } from '../../src/enrich/client-address.ts';
import { parseForwarded, parseNode } from '../../src/enrich/forwarded.ts';
import { blockContains, blockText, countedPrefix, parseIpAddress, parseIpBlock } from '../../src/enrich/ip-address.ts';

const address = fc.oneof(fc.ipV4(), fc.ipV6());
const nearly = fc.oneof(address, fc.ipV4Extended(), fc.string(), fc.stringMatching(/^[0-9a-f:.%/[\]x]{0,40}$/));

describe('addresses', () => {
  test('what is read is an address, and its canonical text reads as itself', () => {
    fc.assert(
      fc.property(nearly, (text) => {
        const found = parseIpAddress(text);
        expect(found !== null).toBe(isIP(text) !== 0 && !text.includes('%'));
        if (found === null) return;
        expect(isIP(found.text)).toBe(found.family);
        expect(parseIpAddress(found.text)).toEqual(found);
      }),
      { numRuns: 2000 },
    );
  });

  test('an address lies in each of its blocks, and in its counted prefix', () => {
    fc.assert(
      fc.property(address, fc.nat(128), (text, wanted) => {
        const found = parseIpAddress(text) ?? expect.fail(text);
        const bits = Math.min(wanted, found.family === 4 ? 32 : 128);
        const block = parseIpBlock(`${found.text}/${bits}`) ?? expect.fail();
        expect(blockContains(block, found)).toBe(true);
        expect(parseIpBlock(blockText(block))).toEqual(block);
        expect(blockContains(parseIpBlock(countedPrefix(found)) ?? expect.fail(), found)).toBe(true);
      }),
    );
  });

  test('two addresses lie in one block exactly when their leading bits are equal', () => {
    const bitsOf = (text: string) =>
      (parseIpAddress(text) ?? expect.fail()).groups.map((group) => group.toString(2).padStart(16, '0')).join('');
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.nat(32), (one, other, bits) => {
        const block = parseIpBlock(`${one}/${bits}`) ?? expect.fail();
        expect(blockContains(block, parseIpAddress(other) ?? expect.fail())).toBe(
          bitsOf(one).slice(0, bits) === bitsOf(other).slice(0, bits),
        );
      }),
    );
  });
});

describe('chains', () => {
  const entry = fc.oneof(nearly, fc.constantFrom('for=1.2.3.4', 'for="[::1]:8"', ';', ',', '"', 'for="'));

  test('no chain makes the search throw, and what it finds is an address of the chain', () => {
    const proxies = [parseIpBlock('10.0.0.0/8') ?? expect.fail()];
    const chain = fc.array(fc.oneof(entry, fc.constantFrom('10.0.0.1', '10.2.3.4')), { maxLength: 12 });
    const forwardedFor = fc.record({
      header: fc.constantFrom('x-forwarded-for', 'forwarded'),
      appendsPeer: fc.boolean(),
      hops: fc.option(fc.nat(15), { nil: null }),
    });
    fc.assert(
      fc.property(fc.option(nearly, { nil: null }), chain, forwardedFor, (ip, lines, how) => {
        const found = findClientAddress({ ip, port: null, forwardedFor: lines }, how, proxies);
        if (found.address === null) return;
        expect(isIP(found.address.text)).toBe(found.address.family);
      }),
      { numRuns: 2000 },
    );
  });

  test('a client that writes anything to the left never changes what the trusted right says', () => {
    const proxies = [parseIpBlock('10.0.0.0/8') ?? expect.fail()];
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), (forged) => {
        const lines = [...forged, '198.51.100.9', '10.0.0.7'];
        const found = findClientAddress(
          { ip: '10.0.0.1', port: null, forwardedFor: lines },
          { header: 'x-forwarded-for', appendsPeer: false, hops: null },
          proxies,
        );
        expect(found.address?.text).toBe('198.51.100.9');
      }),
    );
  });

  test('neither a node nor a line of Forwarded makes a parser throw', () => {
    fc.assert(
      fc.property(fc.oneof(entry, fc.string({ unit: 'binary' })), (text) => {
        parseNode(text);
        for (const element of parseForwarded(text) ?? []) for (const name of element.keys()) expect(name).toBe(name.toLowerCase());
      }),
      { numRuns: 2000 },
    );
  });
});

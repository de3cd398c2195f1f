import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { parseIpAddress, rangeOf } from '../../src/enrich/ip-address.ts';

/** The short way for ordinary addresses gives what the library's table says. */

function bothWays(text: string): void {
  const address = parseIpAddress(text);
  if (address === null) throw new Error(`no address: ${text}`);
  expect(rangeOf(address), text).toBe(ipaddr.IPv4.parse(text).range());
}

describe('rangeOf', () => {
  it('agrees with the library at both ends of each /8', () => {
    for (let first = 0; first < 256; first += 1) for (const rest of ['0.0.0', '255.255.255']) bothWays(`${first}.${rest}`);
  });

  it('agrees with the library anywhere', () => {
    fc.assert(fc.property(fc.ipV4(), bothWays), { numRuns: 2000 });
  });
});

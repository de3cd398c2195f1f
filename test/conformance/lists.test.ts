import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { blockText, parseIpAddress, parseIpBlock } from '../../src/enrich/ip-address.ts';
import { parseList } from '../../src/enrich/lists/parse-list.ts';
import { buildRangeIndex } from '../../src/enrich/lists/range-index.ts';
import { UNSLICED } from '../../src/enrich/lists/slices.ts';
import { listOptions } from '../enrich/lists/fixtures.ts';
import { vectorCases } from '../support/vectors.ts';

/* The published cases about addresses and blocks, put through a list as a blocklist would bring them. */
const OPTIONS = listOptions({ allowWide: true, entriesMin: 0, badLinesMax: 1 });

/** Whether the line is taken as an entry, and whether an address is then on the list. */
async function listed(line: string, address: string | null): Promise<{ readonly taken: boolean; readonly hit: boolean }> {
  const { entries, ipv4, ipv6 } = await parseList(Buffer.from(`${line}\n`), OPTIONS, UNSLICED);
  const found = address === null ? null : parseIpAddress(address);
  if (found === null) return { taken: entries === 1, hit: false };
  const index = await buildRangeIndex([found.family === 4 ? ipv4 : ipv6], UNSLICED);
  return { taken: entries === 1, hit: index.find(found.groups) !== 0 };
}

describe('parse-address, as a line of a list', () => {
  const Case = z.object({
    id: z.string(),
    input: z.string(),
    valid: z.union([z.boolean(), z.literal('zone')]),
    canonical: z.string().optional(),
  });
  for (const { id, input, valid, canonical } of vectorCases('ip', 'parse-address.json', Case)) {
    test(id, async () => {
      const { taken, hit } = await listed(input, canonical ?? null);
      if (valid === true) expect({ taken, hit }).toEqual({ taken: true, hit: true });
      // a block or a range would be an entry too, and no case is one; white space around an address is no defect of a line
      else if (parseIpAddress(input.trim()) === null) expect(taken).toBe(input.includes('/') && parseIpBlock(input.trim()) !== null);
    });
  }
});

describe('parse-cidr, as a line of a list', () => {
  const Case = z.object({
    id: z.string(),
    input: z.string(),
    valid: z.union([z.boolean(), z.literal('policy')]),
    network: z.string().optional(),
  });
  for (const { id, input, valid, network } of vectorCases('ip', 'parse-cidr.json', Case)) {
    test(id, async () => {
      const first = network?.replace(/\/.*/, '') ?? null;
      const { taken, hit } = await listed(input, first);
      // our choice where implementations differ: a zone is refused; a bare address is an entry by itself
      const bare = !input.includes('/') && parseIpAddress(input.trim()) !== null;
      expect(taken).toBe(valid === true || bare);
      if (valid === true) expect([hit, blockText(parseIpBlock(input) ?? expect.fail(input))]).toEqual([true, network]);
    });
  }
});

describe('cidr-contains, by the index', () => {
  const Case = z.object({ id: z.string(), address: z.string(), cidr: z.string(), contains: z.boolean() });
  for (const { id, address, cidr, contains } of vectorCases('ip', 'cidr-contains.json', Case)) {
    test(id, async () => {
      // our choice: a zone in a block is refused
      expect(await listed(cidr, address)).toEqual({ taken: !cidr.includes('%'), hit: contains && !cidr.includes('%') });
    });
  }
});

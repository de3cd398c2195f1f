import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blockContains, parseAddressOrBlock, parseIpAddress } from '../../src/enrich/ip-address.ts';
import { createLineReader } from '../../src/enrich/lists/list-line.ts';
import { parseList } from '../../src/enrich/lists/parse-list.ts';
import { buildRangeIndex } from '../../src/enrich/lists/range-index.ts';
import type { Slices } from '../../src/enrich/lists/slices.ts';
import { listOptions } from '../enrich/lists/fixtures.ts';

/** Gives way at each look, so that every place where the work can be cut is one. */
const CUT: Slices = { over: () => true, next: () => Promise.resolve() };
const OPTIONS = listOptions({ allowWide: true, entriesMin: 0, badLinesMax: 0 });

/** Few different bits, so that ranges meet, nest and touch. */
const ipv4 = fc
  .tuple(fc.constantFrom(0, 10, 255), fc.constantFrom(0, 255), fc.constantFrom(0, 1), fc.nat(255))
  .map((octets) => octets.join('.'));
const ipv6 = fc
  .tuple(fc.constantFrom('0', '2001', 'ffff'), fc.constantFrom('0', 'db8', 'ffff'), fc.constantFrom('0', 'ffff'), fc.nat(0xffff))
  .map(([a, b, c, d]) => `${a}:${b}:0:${c}:${c}:0:${a}:${d.toString(16)}`);
const entry = fc.oneof(
  ipv4,
  ipv6,
  fc.tuple(ipv4, fc.nat(32)).map((parts) => parts.join('/')),
  fc.tuple(ipv6, fc.nat(128)).map((parts) => parts.join('/')),
);

test('the index finds the lists that a look at every entry finds, also at and beside the ends of each', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(entry, { maxLength: 12 }), { minLength: 1, maxLength: 5 }),
      fc.array(fc.oneof(ipv4, ipv6)),
      async (lists, others) => {
        const contents = await Promise.all(lists.map((list) => parseList(Buffer.from(list.join('\n')), OPTIONS, CUT)));
        const index4 = await buildRangeIndex(
          contents.map((content) => content.ipv4),
          CUT,
        );
        const index6 = await buildRangeIndex(
          contents.map((content) => content.ipv6),
          CUT,
        );
        const blocks = lists.map((list) => list.map((text) => parseAddressOrBlock(text) ?? expect.fail(text)));
        const bases = lists.flat().map((text) => text.replace(/\/.*/, ''));
        for (const text of [...bases, ...others, '0.0.0.0', '255.255.255.255', '::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']) {
          const address = parseIpAddress(text) ?? expect.fail(text);
          const index = address.family === 4 ? index4 : index6;
          const wanted = blocks.flatMap((list, number) => (list.some((block) => blockContains(block, address)) ? [number] : []));
          expect(index.sets[index.find(address.groups)]).toEqual(wanted);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('first and last address of a range are in it, their neighbours only where something else holds them', async () => {
  const word = fc.nat(0xffff_ffff);
  const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(word, fc.nat(1000)), { minLength: 1, maxLength: 30 }), async (ranges) => {
      const ends = ranges.map(([first, length]): [number, number] => [first, Math.min(0xffff_ffff, first + length)]);
      const text = ends.map(([first, last]) => `${dotted(first)} - ${dotted(last)}`).join('\n');
      const { ipv4: content } = await parseList(Buffer.from(text), OPTIONS, CUT);
      const index = await buildRangeIndex([content], CUT);
      for (const at of ends.flatMap(([first, last]) => [first - 1, first, last, last + 1])) {
        if (at < 0 || at > 0xffff_ffff) continue;
        expect(index.find([at >>> 16, at & 0xffff]) !== 0).toBe(ends.some(([first, last]) => first <= at && at <= last));
      }
    }),
  );
});

test('any bytes whatever make a list or a refusal', async () => {
  const formats = fc.constantFrom(
    listOptions({ badLinesMax: 1, entriesMin: 0 }),
    listOptions({ badLinesMax: 1, entriesMin: 0, format: 'drop' }),
    listOptions({ badLinesMax: 1, entriesMin: 0, format: 'jsonl', field: 'ip' }),
    listOptions({ badLinesMax: 1, entriesMin: 0, format: 'csv', column: 2 }),
    listOptions({ badLinesMax: 1, entriesMin: 0, kind: 'asns' }),
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((some) => Buffer.from(some)),
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  );
  await fc.assert(
    fc.asyncProperty(formats, bytes, async (options, some) => {
      const { entries, badLines } = await parseList(some, options, CUT);
      expect(entries + badLines).toBeLessThanOrEqual(some.toString('latin1').split('\n').length);
    }),
    { numRuns: 1000 },
  );
});

test('a line of csv gives back the field that was written into it', () => {
  const field = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ' ').trim());
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  fc.assert(
    fc.property(field, field, field, (before, wanted, after) => {
      fc.pre(wanted !== '');
      const read = createLineReader(listOptions({ format: 'csv', column: 2 }));
      expect(read([before, wanted, after].map(quoted).join(','))).toBe(wanted);
    }),
  );
});

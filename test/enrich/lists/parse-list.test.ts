import { describe, expect, test } from 'vitest';
import type { ListContentOptions } from '../../../src/contract/lists.ts';
import { checkList } from '../../../src/enrich/lists/check-list.ts';
import { type ListContent, parseList } from '../../../src/enrich/lists/parse-list.ts';
import type { RangeSet } from '../../../src/enrich/lists/range-set.ts';
import { UNSLICED } from '../../../src/enrich/lists/slices.ts';
import { listOptions } from './fixtures.ts';

const parse = (text: string | Buffer, more: Partial<ListContentOptions> = {}): Promise<ListContent> =>
  parseList(Buffer.from(text), { ...listOptions({ badLinesMax: 1, entriesMin: 0 }), ...more }, UNSLICED);

/** Ranges as `first-last` in hexadecimal words. */
function show({ width, size, starts, ends }: RangeSet): string[] {
  const hex = (words: Uint32Array, at: number): string =>
    [...words.subarray(at * width, (at + 1) * width)].map((word) => word.toString(16).padStart(8, '0')).join('');
  return Array.from({ length: size }, (_, at) => `${hex(starts, at)}-${hex(ends, at)}`);
}

async function badOf(text: string, more: Partial<ListContentOptions> = {}): Promise<unknown> {
  const report = await checkList(Buffer.from(text), { ...listOptions({ badLinesMax: 1, entriesMin: 0 }), ...more });
  return report.problems;
}

describe('one a line', () => {
  test('addresses, blocks and ranges of both families, comments and blank lines', async () => {
    const text =
      '\uFEFF# a list\r\n192.0.2.1\r\n192.0.2.0/31 ; x\n\n  198.51.100.0/24  # y\n// z\n203.0.113.5-203.0.113.9\n2001:db8::/33\n2001:db9::1 - 2001:db9::ff\n';
    const content = await parse(text);
    expect(content).toMatchObject({ entries: 6, badLines: 0 });
    expect(show(content.ipv4)).toEqual(['c0000200-c0000201', 'c6336400-c63364ff', 'cb007105-cb007109']);
    expect(show(content.ipv6)).toEqual([
      '20010db8000000000000000000000000-20010db87fffffffffffffffffffffff',
      '20010db9000000000000000000000001-20010db90000000000000000000000ff',
    ]);
  });

  test('host bits are masked, and IPv4-mapped IPv6 is IPv4', async () => {
    const content = await parse('192.0.2.77/24\n::ffff:198.51.100.9/120\n::ffff:203.0.113.1\n2001:db8::1/64\n');
    expect(show(content.ipv4)).toEqual(['c0000200-c00002ff', 'c6336400-c63364ff', 'cb007101-cb007101']);
    expect(show(content.ipv6)).toEqual(['20010db8000000000000000000000000-20010db800000000ffffffffffffffff']);
  });

  test('what overlaps or touches is one range, in whichever order it came', async () => {
    const content = await parse('10.0.0.4/30\n10.0.0.0/30\n10.0.0.2-10.0.0.9\n10.0.0.11\n10.0.0.10\n10.0.0.13\n');
    expect(show(content.ipv4)).toEqual(['0a000000-0a00000b', '0a00000d-0a00000d']);
    const edge = await parse('255.255.255.255\n255.255.255.0/24\nffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\nffff:ffff:ffff:ffff::/64\n');
    expect(show(edge.ipv4)).toEqual(['ffffff00-ffffffff']);
    expect(show(edge.ipv6)).toEqual(['ffffffffffffffff0000000000000000-ffffffffffffffffffffffffffffffff']);
  });

  test.each([
    ['octal', '010.1.1.1'],
    ['hexadecimal', '0x7f.0.0.1'],
    ['a short form', '127.1'],
    ['a number', '2130706433'],
    ['an octet too large', '1.2.3.256'],
    ['a prefix too long', '1.2.3.4/33'],
    ['a prefix with a leading zero', '1.2.3.0/08'],
    ['a prefix that is no number', '1.2.3.0/x'],
    ['a mask', '1.2.3.0/255.255.255.0'],
    ['two prefixes', '1.2.3.0/24/24'],
    ['a zone', 'fe80::1%eth0'],
    ['a zone in a block', 'fe80::%eth0/64'],
    ['brackets', '[2001:db8::1]'],
    ['a port', '1.2.3.4:80'],
    ['an IPv6 prefix too long', '2001:db8::/129'],
    ['two gaps', '2001::db8::1'],
    ['a name', 'evil.example'],
    ['an address and more', '1.2.3.4 evil'],
    ['two addresses', '1.2.3.4,1.2.3.5'],
    ['a half range', '1.2.3.4-'],
    ['a range of three', '1.2.3.4-1.2.3.5-1.2.3.6'],
    ['a range to a last octet', '1.2.3.4-9'],
    ['a block in a range', '1.2.3.0/24-1.2.4.0/24'],
    ['markup', '<html>'],
    ['a NUL', '1.2.3.4\0'],
    ['full-width digits', '１.2.3.4'],
    ['the name of a member', '__proto__'],
  ])('%s is a bad line', async (_name, line) => {
    expect(await badOf(`192.0.2.1\n${line}\n192.0.2.3\n`)).toEqual([{ line: 2, problem: 'not an address, block or range' }]);
    expect(await parse(`192.0.2.1\n${line}\n192.0.2.3\n`)).toMatchObject({ entries: 2, badLines: 1 });
  });

  test.each([
    ['1.2.3.9-1.2.3.4', 'ends before it starts'],
    ['2001:db8::2-2001:db8::1', 'ends before it starts'],
    ['1.2.3.4-2001:db8::1', 'mixed families'],
    ['0.0.0.0/0', 'too wide'],
    ['8.0.0.0/7', 'too wide'],
    ['9.0.0.0-10.0.0.0', 'too wide'],
    ['::/0', 'too wide'],
    ['2000::/3', 'too wide'],
    ['::ffff:0:0/96', 'too wide'],
    [`1.2.3.4${' '.repeat(5000)}`, 'too long'],
  ])('%s: %s', async (line, problem) => {
    expect(await badOf(`${line}\n`)).toEqual([{ line: 1, problem }]);
  });

  test('an IPv4 /8 and an IPv6 /16 are not too wide, and allowWide allows the rest', async () => {
    expect(await badOf('9.0.0.0/8\n2001::/16\n')).toEqual([]);
    const content = await parse('0.0.0.0/0\n::/0\n', { allowWide: true });
    expect(show(content.ipv4)).toEqual(['00000000-ffffffff']);
    expect(show(content.ipv6)).toEqual([`${'0'.repeat(32)}-${'f'.repeat(32)}`]);
  });

  test('a last line without an end, and lone carriage returns', async () => {
    expect(await parse('192.0.2.1\n192.0.2.2')).toMatchObject({ entries: 2, badLines: 0 });
    expect(await parse('192.0.2.1\r192.0.2.2\r')).toMatchObject({ entries: 0, badLines: 1 });
    expect(await parse('')).toMatchObject({ entries: 0, badLines: 0 });
  });
});

describe('other forms', () => {
  test('drop: blocks with a reference, and nothing but blocks', async () => {
    const text = '; Spamhaus DROP List\n192.0.2.0/24 ; SBL1\n198.51.100.7 ; SBL2\n';
    expect(await badOf(text, { format: 'drop' })).toEqual([{ line: 3, problem: 'no entry' }]);
    expect(await parse(text, { format: 'drop' })).toMatchObject({ entries: 1, badLines: 1 });
  });

  test('jsonl: a member of each object; the line of metadata is none', async () => {
    const text = [
      '{"cidr":"192.0.2.0/24","sblid":"SBL1"}',
      '{"cidr":"2001:db8::/32"}',
      '{"type":"metadata","timestamp":1}',
      '{"prefix":"192.0.2.0/24"}',
      '{"cidr":{"x":1}}',
      '["192.0.2.0/24"]',
      '{"cidr":"192.0.2.0/24"',
      '{"type":"metadata","cidr":null}',
      '',
    ].join('\n');
    const options = { format: 'jsonl', field: 'cidr' } as const;
    expect(await parse(text, options)).toMatchObject({ entries: 2, badLines: 5 });
    expect(await badOf('{"x":1}\n', { format: 'jsonl', field: 'constructor' })).toEqual([{ line: 1, problem: 'no entry' }]);
  });

  test('csv: a column by the name in the header, quotes and all', async () => {
    const text =
      '# comment\n"first_seen","dst_ip","note"\n"2026-01-01","192.0.2.1","a, ""b"""\n2026-01-02, 192.0.2.2 ,\n2026-01-03\n2026,"192.0.2.3\n';
    const content = await parse(text, { format: 'csv', column: 'dst_ip' });
    expect(content).toMatchObject({ entries: 2, badLines: 2 });
    await expect(parse(text, { format: 'csv', column: 'src_ip' })).rejects.toMatchObject({ code: 'list_invalid' });
  });

  test('csv: a column by its number, without a header', async () => {
    expect(await parse('x,192.0.2.1\ny,192.0.2.2\nz\n', { format: 'csv', column: 2 })).toMatchObject({ entries: 2, badLines: 1 });
  });

  test('AS numbers, by lines, objects and columns', async () => {
    const lines = await parse('AS64496 ; x\n64497\nas64498 # y\nAS0\n4294967295\n4294967296\nAS-SET\n-1\n1.5\n', { kind: 'asns' });
    expect([...lines.asns]).toEqual([64496, 64497, 64498, 4_294_967_295]);
    expect(lines).toMatchObject({ entries: 4, badLines: 5 });
    const objects = await parse('{"asn":64496,"cc":"US"}\n{"asn":"AS64497"}\n{"asn":1.5}\n{"asn":true}\n', {
      kind: 'asns',
      format: 'jsonl',
      field: 'asn',
    });
    expect([[...objects.asns], objects.badLines]).toEqual([[64496, 64497], 2]);
    expect([...(await parse('asn,name\n64496,x\n', { kind: 'asns', format: 'csv', column: 'asn' })).asns]).toEqual([64496]);
  });
});

describe('content is refused whole', () => {
  const refused = async (text: string | Buffer, more: Partial<ListContentOptions>): Promise<unknown> =>
    parse(text, more).then(
      () => 'taken',
      (thrown: unknown) => (thrown instanceof Error ? thrown.message : thrown),
    );
  const good = Array.from({ length: 19 }, (_, index) => `192.0.2.${index * 2}\n`).join('');

  test('where too many lines are wrong', async () => {
    expect(await refused(`${good}x\n`, { badLinesMax: 0.05 })).toBe('taken');
    expect(await refused(`${good}x\ny\n`, { badLinesMax: 0.05 })).toBe(
      'The list does not have the required form (2 of 21 lines are wrong)',
    );
    expect(await refused('<html>\n<p>404</p>\n', { badLinesMax: 0.05 })).toContain('2 of 2 lines');
    expect(await refused(Buffer.from('192.0.2.1\n', 'utf16le'), { badLinesMax: 0.05 })).toContain('lines are wrong');
  });

  test('where there are too few or too many entries', async () => {
    expect(await refused('# nothing\n', { entriesMin: 1 })).toBe('The list has fewer entries than it must have (0 entries, at least 1)');
    expect(await refused(good, { entriesMax: 18 })).toContain('more than 18 entries');
    expect(await refused(good, { entriesMin: 19, entriesMax: 19 })).toBe('taken');
  });

  test('where it covers more than half of IPv4', async () => {
    const most = Array.from({ length: 129 }, (_, index) => `${index}.0.0.0/8`);
    expect(await refused(most.join('\n'), {})).toContain('covers more than half of IPv4');
    expect(await refused(most.join('\n'), { allowWide: true })).toBe('taken');
    expect(await refused(most.slice(1).join('\n'), {})).toBe('taken');
  });

  test('where it covers more than half of the global addresses of IPv6', async () => {
    const most = Array.from({ length: 4097 }, (_, index) => `${(0x2000 + index).toString(16)}::/16`);
    const bounds = { entriesMax: 5000 };
    expect(await refused(most.join('\n'), bounds)).toContain('covers more than half of IPv6');
    expect(await refused(most.join('\n'), { ...bounds, allowWide: true })).toBe('taken');
    expect(await refused(most.slice(1).join('\n'), bounds)).toBe('taken');
  });
});

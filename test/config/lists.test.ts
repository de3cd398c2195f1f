import { describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';

/** Paths of what is wrong with a configuration that has these lists. */
function problemsOf(lists: unknown): string[] {
  const parsed = configSchema.safeParse({ network: { lists } });
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.slice(2).join('.'));
}
const ok = { name: 'drop', file: '/lists/drop.txt' };

describe('network.lists', () => {
  it('fills in what is not said', () => {
    expect(configSchema.parse({ network: { lists: [ok] } }).network).toMatchObject({
      lists: [
        {
          ...{
            name: 'drop',
            kind: 'addresses',
            format: 'lines',
            column: null,
            field: null,
            file: '/lists/drop.txt',
            url: null,
            tags: [],
            kinds: [],
          },
          ...{ refreshSeconds: 3600, fetchTimeoutMs: 15_000, ageMaxSeconds: null, shrinkMax: 0.5, badLinesMax: 0.05 },
          ...{ entriesMin: 1, entriesMax: 500_000, bytesMax: 33_554_432, allowWide: false },
        },
      ],
      listsAcceptFile: null,
      hostingAsns: true,
    });
    expect(configSchema.parse({}).network.lists).toEqual([]);
  });

  it.each([
    ['an address over https', [{ name: 'a', url: 'https://lists.example/drop.txt', tags: ['malicious', 'cloud:aws'] }]],
    ['plain http to loopback', [{ name: 'a', url: 'http://127.0.0.1:8000/drop.txt' }]],
    [
      'a column by name and by number',
      [
        { ...ok, format: 'csv', column: 'dst ip' },
        { ...ok, name: 'b', format: 'csv', column: 2 },
      ],
    ],
    ['a member', [{ ...ok, format: 'jsonl', field: 'cidr' }]],
  ])('takes %s', (_name, lists) => expect(problemsOf(lists)).toEqual([]));

  it.each<[string, unknown, string[]]>([
    ['neither file nor url', [{ name: 'a' }], ['0']],
    ['both', [{ ...ok, url: 'https://lists.example/' }], ['0']],
    ['plain http', [{ name: 'a', url: 'http://lists.example/' }], ['0.url']],
    ['credentials in the address', [{ name: 'a', url: 'https://u:p@lists.example/' }], ['0.url']],
    ['one name twice', [ok, ok], ['1.name']],
    ["the name of the policies' own list", [{ ...ok, name: 'addresses_blocked' }], ['0.name']],
    ['a name that is no label', [{ ...ok, name: 'builtin:hosting_asns' }], ['0.name']],
    ['a csv without a column', [{ ...ok, format: 'csv' }], ['0.column']],
    ['a column without a csv', [{ ...ok, column: 'ip' }], ['0.column']],
    ['jsonl without a member', [{ ...ok, format: 'jsonl' }], ['0.field']],
    ['a tag with spaces', [{ ...ok, tags: ['very bad'] }], ['0.tags.0']],
    ['a share above one', [{ ...ok, shrinkMax: 1.5 }], ['0.shrinkMax']],
    ['a least above the most', [{ ...ok, entriesMin: 10, entriesMax: 5 }], ['0.entriesMin']],
    ['too many', Array.from({ length: 65 }, (_, index) => ({ ...ok, name: `list_${index}` })), ['']],
  ])('refuses %s', (_name, lists, paths) => expect(problemsOf(lists)).toEqual(paths));
});

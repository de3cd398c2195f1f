import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { Problems, problemTexts } from '../../src/registry/problem.ts';
import { readSections } from '../../src/registry/sections.ts';

const NAMES = [
  { list: 'clients', one: 'client' },
  { list: 'keys', one: 'key' },
];

function read(text: string) {
  const problems = new Problems();
  const sections = readSections([{ name: 'a.yaml', text }], NAMES, { entriesMax: 10_000 }, problems);
  return { sections, problems: problemTexts(problems.list) };
}

const valuesOf = (text: string) =>
  Object.fromEntries(Object.entries(read(text).sections).map(([list, entries]) => [list, entries.map(({ value }) => value)]));

describe('a file that is cut at its entries', () => {
  const entry = fc.record({
    id: fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.toWellFormed()),
    text: fc.constantFrom('a\n  - b', '- x', 'keys:', '  - y\n', '# no comment', '---', "it's", 'a: b', '', '\n\n'),
    list: fc.array(fc.constantFrom('a', '- b', 'clients:'), { maxLength: 3 }),
  });

  it('reads as the whole of it does, whatever its texts look like', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 8 }),
        fc.array(entry, { maxLength: 3 }),
        fc.constantFrom({ indentSeq: true }, { indentSeq: false }),
        fc.constantFrom('BLOCK_LITERAL', 'QUOTE_DOUBLE', 'PLAIN') as fc.Arbitrary<'BLOCK_LITERAL' | 'QUOTE_DOUBLE' | 'PLAIN'>,
        (clients, keys, form, defaultStringType) => {
          const text = stringify({ clients, keys }, { ...form, defaultStringType });
          expect(read(text).problems).toEqual([]);
          expect(valuesOf(text)).toEqual(parse(text));
        },
      ),
    );
  });

  it('of thousands of entries has each of them, with its line', () => {
    const text = `# who\nclients:\n\n${Array.from({ length: 1234 }, (_, index) => `  # ${index}\n  - id: c${index}\n`).join('')}keys: []\n`;
    const { sections, problems } = read(text);
    expect(problems).toEqual([]);
    expect(sections['clients']?.map(({ value }) => value)).toEqual(Array.from({ length: 1234 }, (_, index) => ({ id: `c${index}` })));
    expect(sections['clients']?.at(-1)).toMatchObject({ line: 4 + 2 * 1233 + 1, field: 'clients[1233]' });
  });

  it('may have the form of JSON, or lists in one line, while it is small', () => {
    const clients = [{ id: 'a' }, { id: 'b' }];
    for (const text of [
      JSON.stringify({ clients }),
      JSON.stringify({ clients }, null, 2),
      'clients: [{id: a}, {id: b}]\n',
      '---\nclients:\n- id: a\n- id: b\n',
    ]) {
      expect(valuesOf(text), text).toEqual({ clients, keys: [] });
    }
    const large = JSON.stringify({ clients: Array.from({ length: 20_000 }, (_, index) => ({ id: `client-${index}` })) });
    expect(read(large).problems).toEqual(['a.yaml: must be written with one entry a block: `clients:`, `keys:`']);
  });
});

describe('is refused:', () => {
  it.each([
    ['another list', 'clients:\n  - id: a\nkeyz:\n  - id: b\n', 'a.yaml:3: must be one of `clients:`, `keys:`'],
    ['a list twice', 'clients:\n  - id: a\nkeys: []\nclients:\n  - id: b\n', 'a.yaml:4: the same key twice'],
    ['a mapping for a list', 'clients:\n  id: a\n', 'a.yaml:1 clients: must be a list'],
    ['no list at all', 'clients:\nkeys:\n  - id: a\n', 'a.yaml:1: must be a list: `clients: []` where there is none'],
    ['no list at the end', 'clients:\n  - id: a\nkeys:\n', 'a.yaml:3: must be a list: `keys: []` where there is none'],
    ['a text at the top', 'hello\n', 'a.yaml: must be a mapping with `clients:`, `keys:`'],
    ['a second document', 'clients:\n  - id: a\n---\nclients:\n  - id: b\n', 'a.yaml:3: more than one document'],
    ['a quote that is not closed', 'clients:\n  - id: "a\n  - id: b\n', 'a.yaml:4: a character is missing, such as a quote or a bracket'],
    ['a tag', 'clients:\n  - id: !secret a\n', 'a.yaml:2: is not valid YAML (TAG_RESOLVE_FAILED)'],
    ['a tab', 'clients:\n\t- id: a\n', 'a.yaml:2: a tab as indentation'],
  ])('%s', (_, text, wanted) => {
    expect(read(text).problems[0]).toBe(wanted);
  });

  it('an entry that is no mapping reaches its judge as null', () => {
    expect(valuesOf('clients:\n  - a\n  - [b]\n')).toEqual({ clients: [null, null], keys: [] });
  });

  it('whatever is no YAML, without an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        read(`clients:\n${text}`);
        read(text);
      }),
    );
  });
});

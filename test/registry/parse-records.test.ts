import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRecords } from '../../src/registry/parse-records.ts';
import { problemTexts } from '../../src/registry/problem.ts';
import { PROJECT_ROOT } from '../support/countersign.ts';
import { createKey, HASH_KEY_ID } from '../support/registry.ts';

const BOUNDS = { entriesMax: 10, hashKeyIds: [HASH_KEY_ID] };
const parse = (text: string, name = 'a.yaml', bounds: Parameters<typeof parseRecords>[1] = BOUNDS) =>
  parseRecords([{ name, text }], bounds);
const problems = (text: string, name = 'a.yaml', bounds = BOUNDS) => problemTexts(parse(text, name, bounds).problems);

const CLIENT = 'clients:\n  - clientId: a\n    type: service\n';

describe('a client', () => {
  it('has defaults that restrict nothing', () => {
    expect(parse(CLIENT)).toEqual({
      clients: [
        {
          id: 'a',
          name: null,
          type: 'service',
          owner: null,
          tier: null,
          status: 'active',
          issuers: [],
          spiffeIds: [],
          fingerprints: { certificates: [], ja3: [], ja4: [] },
          networks: [],
          countries: [],
          scopes: null,
          tags: [],
        },
      ],
      apiKeys: [],
      problems: [],
    });
  });

  it('has fingerprints by their kind', () => {
    const ja4 = 't13d1516h2_8daaf6152771_b186095e22b6';
    const colons = 'AB:'.repeat(32).slice(0, -1);
    const { clients } = parse(`${CLIENT}    fingerprints: ["sha256:${colons}", "ja3:${'c'.repeat(32)}", "ja4:${ja4}"]\n`);
    expect(clients[0]?.fingerprints).toEqual({ certificates: ['ab'.repeat(32)], ja3: ['c'.repeat(32)], ja4: [ja4] });
  });

  it.each([
    ['an unknown member', '    rank: secret-value\n', 'a.yaml:2 clients[0].rank: is not known here'],
    ['a member whose name is no name', '    "se cret": 1\n', 'a.yaml:2 clients[0].?: is not known here'],
    ['an unknown status', '    status: secret-value\n', 'a.yaml:2 clients[0].status: Invalid option'],
    ['a number for a text', '    name: 12\n', 'a.yaml:2 clients[0].name: Invalid input: expected string'],
    ['a network that is none', '    networks: [10.0.0.0/33]\n', 'a.yaml:2 clients[0].networks[0]: must be an IP address or a block'],
    ['a country in small letters', '    countries: [de]\n', 'a.yaml:2 clients[0].countries[0]: must be a country'],
    ['a scope with a space', '    scopes: ["a b"]\n', 'a.yaml:2 clients[0].scopes[0]: must be a scope'],
    ['a scope twice', '    scopes: [a, a]\n', 'a.yaml:2 clients[0].scopes: names something twice'],
    ['a fingerprint of no kind', '    fingerprints: ["md5:00"]\n', 'a.yaml:2 clients[0].fingerprints[0]: must be sha256:'],
    ['a SPIFFE id without a path', '    spiffeIds: ["spiffe://a"]\n', 'a.yaml:2 clients[0].spiffeIds[0]: must be a SPIFFE id'],
    ['the same key twice', '    type: agent\n', 'a.yaml:4: the same key twice'],
    ['an alias', '    tags: &a [x]\n    countries: *a\n', 'a.yaml:2 clients[0]: must not use aliases'],
    ['bad YAML', '    tags: [x\n', 'a.yaml:5: wrong indentation'],
  ])('with %s is refused by file, line and field, without its value', (_, more, wanted) => {
    const [first = '', ...rest] = problems(CLIENT + more);
    expect(first.startsWith(wanted), first).toBe(true);
    expect([first, ...rest].join()).not.toContain('secret-value');
  });

  it('lacks its type', () => {
    expect(problems('clients: [{clientId: a}]')[0]).toBe(
      'a.yaml:1 clients[0].type: Invalid option: expected one of "service"|"agent"|"device"',
    );
    expect(problems('clients: [{type: agent}]')).toEqual(['a.yaml:1 clients[0].clientId: is missing']);
  });
});

describe('all of it is judged as one', () => {
  it('ids and SPIFFE ids that are there twice, over several files', () => {
    const one = 'clients:\n  - {clientId: a, type: service, spiffeIds: ["spiffe://x/a"]}\n';
    const { problems: found } = parseRecords(
      [
        { name: '1.yaml', text: one },
        { name: '2.yaml', text: one },
      ],
      BOUNDS,
    );
    expect(problemTexts(found)).toEqual([
      '2.yaml:2 clients[0].clientId: is the id of another client too',
      '2.yaml:2 clients[0].spiffeIds[0]: belongs to another client too',
    ]);
  });

  it('keys: their ids, clients and hash keys', () => {
    const { entry } = createKey('a');
    const keys = [entry, entry, { ...createKey('b').entry }, { ...createKey('a').entry, hash: entry.hash.replace('t1', 't2') }];
    expect(problems(`${CLIENT}keys: \n${keys.map((key) => `  - ${JSON.stringify(key)}\n`).join('')}`)).toEqual([
      'a.yaml:6 keys[1].id: is the id of another key too',
      'a.yaml:7 keys[2].client: is no client of the registry',
      'a.yaml:8 keys[3].hash: was made with a hash key that is none of registry.hashKeys',
    ]);
  });

  it('keys are refused where the configuration has no hash key, and say so', () => {
    const text = `${CLIENT}keys:\n  - ${JSON.stringify(createKey('a').entry)}\n`;
    expect(problems(text, 'a.yaml', { entriesMax: 10, hashKeyIds: [] })).toEqual([
      'a.yaml:5 keys[0].hash: cannot be verified: the configuration has no registry.hashKeys',
    ]);
    expect(parse(text, 'a.yaml', { entriesMax: 10, hashKeyIds: null }).problems).toEqual([]);
  });

  it('a key that stands in a file in place of its hash is refused without being repeated', () => {
    const { text, entry } = createKey('a');
    const [problem = ''] = problems(`${CLIENT}keys:\n  - ${JSON.stringify({ ...entry, hash: text })}\n`);
    expect(problem).toContain('keys[0].hash: must be hmac-sha256:');
    expect(problem).not.toContain(text.slice(20));
  });

  it('more entries than are allowed', () => {
    const many = `clients:\n${Array.from({ length: 11 }, (_, index) => `  - {clientId: c${index}, type: service}\n`).join('')}`;
    expect(problems(many)).toEqual(['a.yaml:12 clients[10]: is one entry too many: 10 at most']);
    expect(parse(many.split('\n').slice(0, 11).join('\n')).problems).toEqual([]);
  });
});

describe("a key's scopes", () => {
  it.each([
    ["the client's where it has none of its own", '[x, y]', undefined, ['x', 'y']],
    ["within the client's", '[x, y]', ['y', 'z'], ['y']],
    ['its own where the client has no bound', null, ['z'], ['z']],
    ['none where neither has any', null, undefined, []],
    ['none where the client may have none', '[]', ['z'], []],
  ])('are %s', (_, clientScopes, own, wanted) => {
    const key = createKey('a', own === undefined ? {} : { scopes: own }).entry;
    const text = `${CLIENT}${clientScopes === null ? '' : `    scopes: ${clientScopes}\n`}keys:\n  - ${JSON.stringify(key)}\n`;
    expect(parse(text).apiKeys).toMatchObject([{ scopes: wanted, clientId: 'a', hashKeyId: HASH_KEY_ID, expiresAt: null }]);
  });

  it('and its end, as a moment or as a day', () => {
    const ends = ['2027-01-31', '2027-01-31T01:00:00+01:00', '2027-01-31T00:00:00Z'].map((expiresAt) => {
      const text = `${CLIENT}keys:\n  - ${JSON.stringify(createKey('a', { expiresAt }).entry)}\n`;
      return parse(text).apiKeys[0]?.expiresAt;
    });
    expect(ends).toEqual(Array(3).fill(Date.UTC(2027, 0, 31) / 1000));
  });
});

describe('JSON Lines', () => {
  it('hold one entry a line, and say the line of each fault', () => {
    const lines = [
      { client: { clientId: 'a', type: 'agent' } },
      { key: createKey('a').entry },
      { client: { clientId: 'b' } },
      { lient: {} },
    ];
    const text = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n\n{"client":{"clientId":"c","clientId":"d"}}\nx\n`;
    const { clients, apiKeys, problems: found } = parse(text, 'a.jsonl');
    expect([clients.length, apiKeys.length]).toEqual([1, 1]);
    expect(problemTexts(found).sort()).toEqual([
      'a.jsonl:3 clients[1].type: Invalid option: expected one of "service"|"agent"|"device"',
      'a.jsonl:4: must be an object with one member, client or key',
      'a.jsonl:6: is not valid JSON (duplicate_key)',
      'a.jsonl:7: is not valid JSON (invalid_json)',
    ]);
  });
});

it('the example in config/ is sound', () => {
  const files = ['clients.yaml', 'keys.yaml'].map((name) => ({
    name,
    text: readFileSync(join(PROJECT_ROOT, 'config/registry-example', name), 'utf8'),
  }));
  const { clients, apiKeys, problems: found } = parseRecords(files, { entriesMax: 10, hashKeyIds: ['example-1'] });
  expect([clients.length, apiKeys.length, found]).toEqual([3, 1, []]);
});

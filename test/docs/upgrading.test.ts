import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it } from 'vitest';
import { EvaluationInput } from '../../src/decide/input-schema.ts';
import { createKeptPolicy } from '../../src/decide/kept-policy.ts';
import { encodeState } from '../../src/decide/pushed/state-file.ts';
import { DISTINCT_SCRIPT } from '../../src/enrich/shared/distinct-script.ts';
import { BLOCK_BYTES, headForm, LEARN_WORDS, LOOK_WORDS, RECORD_BYTES, SET_BYTES } from '../../src/enrich/shared/layout.ts';
import { formatHashKey } from '../../src/stores/redis/shared-hash-key.ts';
import { COUNTERS_SCRIPT, WINDOWS_SCRIPT } from '../../src/stores/redis/windows-script.ts';
import { openSqliteEntries } from '../../src/stores/sqlite-entries.ts';
import { PROJECT_ROOT } from '../decide/fixtures.ts';
import { sectionOf } from '../support/rego-page.ts';

/*
 * What is stored has the form that docs/upgrading.md promises to other versions. Where a case fails, the form has changed: give the new one another
 * name or version, say under "Changed" what to do, and only then correct the page.
 */

const PAGE = readFileSync(join(PROJECT_ROOT, 'docs/upgrading.md'), 'utf8');
const FORMS = new Map(
  [...sectionOf(PAGE, 'What is stored').matchAll(/^\| (`.+?`) \| (.+?) \| .+ \|$/gm)].map(([, where = '', form = '']) => [where, form]),
);
const formOf = (key: string): string => [...FORMS].find(([where]) => where.includes(`${key}\``))?.[1] ?? 'no such row';
const bytesIn = (script: string): string => /#value [=<]=? ?(\d+)/.exec(script)?.[1] ?? 'none';

const scratch = mkdtempSync(join(tmpdir(), 'countersign-upgrading-'));
afterAll(() => rmSync(scratch, { recursive: true }));

it('has a row for each', () => expect(FORMS.size).toBe(11));

it('counts', () => {
  expect(formOf('{c:…}')).toBe(`counts: ${bytesIn(WINDOWS_SCRIPT)} bytes`);
  expect(formOf('{n:…}')).toBe(`counter: ${bytesIn(COUNTERS_SCRIPT)} bytes`);
});

it('memories of clients and sets', () => {
  expect(formOf('{c:…}:m')).toBe(`a client: ${RECORD_BYTES} bytes, then sets of ${SET_BYTES}`);
  expect(formOf('{t:…}:m')).toBe(`a set: ${bytesIn(DISTINCT_SCRIPT.text)} bytes, then ${2 * BLOCK_BYTES}`);
  // what the length does not show: how many doubles and words the scripts read from its begin
  const cellsOf = (form: string): number[] => ['d', 'I4'].map((cell) => form.split(cell).length - 1);
  expect([cellsOf(headForm(LOOK_WORDS)), cellsOf(headForm(LEARN_WORDS))]).toEqual([
    [11, 35],
    [11, 5],
  ]);
});

it('the key that texts are hashed with', () => {
  expect(formOf('{hash}')).toBe('16 hexadecimal digits');
  expect(formatHashKey([1, 0xffffffff])).toMatch(/^[0-9a-f]{16}$/);
});

it('bundles that are kept', async () => {
  const written = new Map<string, string>();
  const kept = createKeptPolicy({
    read: async () => null,
    write: async (name, bytes) => void written.set(name, Buffer.from(bytes).toString()),
    keepOnly: async () => undefined,
  });
  const revision = { revision: 'r', digest: 'a'.repeat(64), activatedAt: 1, sequence: null, packed: Buffer.from('x') };
  await kept.save({ origin: 'source', sourceDigest: null, confirmedAt: 1, revisions: [revision] });
  const index: unknown = JSON.parse(written.get('policy.json') ?? '');
  expect(index).toEqual({
    version: 1,
    origin: 'source',
    source_digest: null,
    confirmed_at: 1,
    revisions: [{ revision: 'r', digest: 'a'.repeat(64), activated_at: 1, sequence: null }],
  });
  expect(formOf('policy.json')).toBe('version 1, beside the bundles it names');
});

it('data that was pushed', () => {
  const [head, body = ''] = Buffer.from(encodeState({ policy: 'p', revision: 1, roots: {}, documents: [], operatorPaths: [] }))
    .toString()
    .split('\n');
  expect(head).toMatch(/^countersign-data sha256=[0-9a-f]{64}$/);
  expect(JSON.parse(body)).toEqual({ version: 1, policy: 'p', revision: 1, roots: {}, documents: [], operator_paths: [] });
  expect(formOf('data.json')).toBe('version 1, with a digest');
});

it('what operators revoked', () => {
  const path = join(scratch, 'revocations.db');
  openSqliteEntries(path, 'revocations.db').close();
  const database = new DatabaseSync(path);
  const [version] = Object.values(database.prepare('PRAGMA user_version').get() ?? {});
  database.close();
  expect(formOf('revocations.db')).toBe(`SQLite, \`user_version\` ${version}`);
});

it('the input of policies', () => {
  expect(PAGE).toContain(`(\`input.version\` ${EvaluationInput.shape.version.value})`);
});

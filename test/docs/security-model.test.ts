import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { CODES } from '../../src/contract/codes.ts';
import { POLICIES, PROJECT_ROOT } from '../decide/fixtures.ts';
import { pathsIn } from '../support/markdown.ts';
import { sectionOf } from '../support/rego-page.ts';

/* docs/security-model.md: each line names a test that is there, codes are those that are answered, and settings are keys of the configuration. */

const read = (path: string): string => readFileSync(join(PROJECT_ROOT, path), 'utf8');
const PAGE = read('docs/security-model.md');

/** Cells of the rows of all tables of a section, without their heads. */
function rowsOf(section: string): string[][] {
  return section
    .split(/\n\n/)
    .map((block) => block.trim())
    .filter((block) => block.startsWith('| '))
    .flatMap((table) => table.split('\n').slice(2))
    .map((row) => row.split(' | ').map((cell) => cell.replaceAll(/^\| | \|$/g, '')));
}

const ATTACKERS = [
  'A client',
  'A gateway',
  'Whoever reaches the upstream past the gateway',
  'An operator',
  'A policy author',
  'A bundle server, and who can write there',
  'Redis, and who can write there',
  'An issuer',
  'The supply chain',
];
const AWAY = 'What is away, and what is answered';

describe.each([...ATTACKERS, AWAY])('%s', (heading) => {
  const rows = rowsOf(sectionOf(PAGE, heading));

  it('is there', () => expect(rows.length).toBeGreaterThan(1));

  it.each(rows.map((row) => [row[0] ?? '', row.at(-1) ?? '']))('%s: a test that is there shows it', (_tried, shown) => {
    const tests = pathsIn(shown).filter((path) => path.startsWith('test/'));
    expect(tests).not.toEqual([]);
    expect(tests.filter((path) => !existsSync(join(PROJECT_ROOT, path)))).toEqual([]);
  });
});

describe('answers while something is away', () => {
  const answers = rowsOf(sectionOf(PAGE, AWAY)).map(([, answer = '']) => answer);
  const denials = answers.flatMap((answer) =>
    [...answer.matchAll(/deny (\d{3})((?: `[\w.]+`,?)*)/g)].flatMap(([, status, codes = '']) =>
      [...codes.matchAll(/`([\w.]+)`/g)].map(([, code = '']) => ({ status: Number(status), code })),
    ),
  );

  it('are read', () => expect(denials.length).toBeGreaterThan(12));

  it.each(denials)('$status $code', ({ status, code }) => {
    const error = Object.entries(CODES).find(([name]) => name === code)?.[1];
    // what no rule says is the combination's own word
    if (code === 'not_applicable') expect(status).toBe(403);
    else if (error === undefined) expect(existsSync(join(POLICIES, 'countersign/rules', `${code.replace('.', '/')}.rego`))).toBe(true);
    else expect(error.http).toBe(status);
  });
});

describe('what opens it', () => {
  const keys = rowsOf(sectionOf(PAGE, 'What opens it')).flatMap(([settings = '']) =>
    [...settings.matchAll(/`([^`]+)`/g)].map(([, key]) => key),
  );
  const configuration = read('docs/configuration.md');

  it('is read', () => expect(keys.length).toBeGreaterThan(10));

  it.each(keys)('%s is a key', (key) => expect(configuration).toContain(`\n| \`${key}\` |`));
});

test('SECURITY.md supports the version that this is', () => {
  const { version }: { version: string } = JSON.parse(read('package.json'));
  expect(read('SECURITY.md')).toContain(`\n| ${version.split('.').slice(0, 2).join('.')}.x | yes |\n`);
});

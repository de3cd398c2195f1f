import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CODES } from '../../src/contract/codes.ts';
import { REQUEST_FLAGS } from '../../src/contract/request.ts';
import { TARGET_FLAGS } from '../../src/endpoints/target-flags.ts';

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../docs/decide.md'), 'utf8');
const ROWS = DOCUMENT.split('\n').filter((line) => line.startsWith('| '));
const rowOf = (word: string) => ROWS.filter((row) => row.split('|')[1]?.includes(`\`${word}\``));

describe('docs/decide.md', () => {
  const targets = REQUEST_FLAGS.filter((flag) => /^(path|query|segments)_/.test(flag));

  test('every flag of a target has its class in the one table', () => {
    expect(Object.keys(TARGET_FLAGS).sort()).toEqual([...targets].sort());
  });

  test.each(Object.entries(TARGET_FLAGS))('%s is described with its class', (flag, isAmbiguous) => {
    const rows = rowOf(flag);
    expect(rows).toHaveLength(1);
    const ambiguous = rows[0]?.split('|')[3]?.trim() ?? '';
    expect(ambiguous).toMatch(isAmbiguous ? /^yes/ : /^(?:no|only)/);
  });

  test('every refusal has its status', () => {
    const refusals = ROWS.flatMap((row) => {
      const [, status, codes] = row.split('|').map((cell) => cell.trim());
      return /^\d{3}$/.test(status ?? '') ? [...(codes ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => `${status} ${code}`) : [];
    });
    expect(refusals.length).toBeGreaterThan(15);
    const known = Object.entries(CODES).map(([code, facts]) => `${facts.http} ${code}`);
    expect(refusals.filter((refusal) => !known.includes(refusal))).toEqual([]);
  });
});

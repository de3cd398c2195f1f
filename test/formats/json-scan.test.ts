import { describe, expect, test } from 'vitest';
import { scanJson } from '../../src/formats/json-scan.ts';

const LIMITS = { depthMax: 32, keysMax: 10_000_000 };

describe('a text of many strings', () => {
  // the compiler may make a search that stands under a condition unconditional, so the scan is made hot first: it was quadratic only then
  test.each([
    ['in objects', (count: number) => `[${'{"a":1,"b":2},'.repeat(count)}1]`],
    ['in a list', (count: number) => `[${'"a",'.repeat(count)}1]`],
    ['with an escape at the end', (count: number) => `[${'"a",'.repeat(count)}"\\n"]`],
    ['each with an escape', (count: number) => `[${'"\\n",'.repeat(count)}1]`],
    ['that never end', (count: number) => `["${'\\"'.repeat(count)}`],
  ])('%s costs its length: 3 MB end within the time of a test', { timeout: 10_000 }, (_, make) => {
    const short = make(500);
    for (let round = 0; round < 300; round++) scanJson(short, LIMITS);
    const long = Buffer.from(make(3_000_000 / (short.length / 500))).toString();
    expect(scanJson(long, LIMITS)?.problem ?? 'none').toBe(long.endsWith(']') ? 'none' : 'invalid_json');
  });

  test.each([
    ['a string that does not end', '["a'],
    ['an escape that does not end', '["a\\'],
    ['an escaped quote at the end', '["a\\"'],
    ['an escape of hex digits that runs over the end', '["\\u00'],
    ['a name that does not end', '{"a'],
  ])('%s is no JSON', (_, text) => {
    const problem = scanJson(text, LIMITS)?.problem;
    expect(['invalid_json', 'lone_surrogate']).toContain(problem);
  });

  test('escapes are taken whole: a quote behind a backslash ends nothing, one behind two does', () => {
    expect(scanJson('{"a\\"b":1,"a":2}', LIMITS)).toBeNull();
    expect(scanJson('{"a\\\\":1,"a":2}', LIMITS)).toBeNull();
    expect(scanJson('{"a":"\\\\","a":2}', LIMITS)).toEqual({ problem: 'duplicate_key', name: 'a' });
    expect(scanJson('{"\\ud83d\\ude00":1,"😀":2}', LIMITS)).toMatchObject({ problem: 'duplicate_key' });
  });
});

import { describe, expect, test } from 'vitest';
import { type Case, isRunnable, readCases } from '../../scripts/conformance/opa/cases.ts';
import { readDifferences } from '../../scripts/conformance/opa/differences.ts';
import { judgeAll } from '../../scripts/conformance/opa/run.ts';
import { totalsOf } from '../../scripts/conformance/opa/totals.ts';

/* A part of OPA's own tests, small enough for every day; `npm run conformance opa` runs all of them. */

/** Families whose builtins the host has, or that have shown differences between Wasm and OPA; each has at most so many cases here. */
const FAMILIES = [
  ...['cryptohmacequal', 'cryptomd5', 'cryptosha256', 'cryptox509parsecertificates', 'graphql', 'jsonbuiltins', 'jsonpatch', 'jwtbuiltins'],
  ...['jwtdecodeverify', 'jwtencodesign', 'jwtverifyeddsa', 'jwtverifyhs256', 'jwtverifyrsa', 'netcidrcontainsmatches', 'netcidrexpand'],
  ...[
    'netcidrmerge',
    'numbersrangestep',
    'rand',
    'reachable',
    'regexfind',
    'regexreplace',
    'regexsplit',
    'semvercompare',
    'sprintf',
    'strings',
  ],
  ...['subset', 'time', 'units', 'uribuiltins', 'urlbuiltins', 'uuid', 'virtualdocs', 'withkeyword'],
];
const CASES_MAX = 5;

function chosen(): readonly Case[] {
  const all = readCases().filter(isRunnable);
  return FAMILIES.flatMap((family) => all.filter((one) => one.dir === family).slice(0, CASES_MAX));
}

describe('a part of the tests of OPA', () => {
  test('gives what OPA gives, or is refused by name, or is a listed difference', async () => {
    const { families, problems, refusals } = totalsOf(await judgeAll(chosen()), readDifferences(), false);
    expect(problems).toEqual([]);
    expect(families.map(({ family }) => family)).toEqual(expect.arrayContaining(FAMILIES));
    // every refusal says why
    expect([...refusals.keys()].filter((why) => !/^[a-z0-9_.]+: .{10,}/.test(why))).toEqual([]);
  }, 120_000);
});

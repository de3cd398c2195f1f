import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { unpackWasm } from '../../../scripts/conformance/opa/opa.ts';
import { canonical } from '../../../src/decide/builtins/value.ts';
import { parseValue } from '../../../src/decide/builtins/value-text.ts';
import { compileWasm, instantiateWasm } from '../../../src/decide/wasm-policy.ts';

const Cases = z.strictObject({ same: z.record(z.string(), z.array(z.string()).min(1)) });
const { same } = Cases.parse(parse(readFileSync(join(import.meta.dirname, 'expressions.yaml'), 'utf8')));
const expressions = Object.values(same).flat();

/** In the Wasm a set is in no order. */
const ORDERED = 'ordered(x) := sort(x) if is_set(x)\nordered(x) := x if not is_set(x)';

/** Undefined where an expression has no value. */
type Answers = Map<string, string>;
let ours: Answers = new Map();
let theirs: Answers = new Map();
const folder = mkdtempSync(join(tmpdir(), 'countersign-parity-'));

function answersOf(text: string): Answers {
  const rows = parseValue(text);
  if (!Array.isArray(rows)) throw new Error('no list');
  const found = rows.map((row): [string, string] => [canonical(row[0]), canonical(row[1])]);
  return new Map(found.map(([index, value]) => [expressions[Number(index)] ?? '', value]));
}

beforeAll(async () => {
  const opa = process.env['OPA_BIN'] ?? 'opa';
  const rules = expressions.map((expression, index) => `value contains [${index}, ordered(x)] if x := ${expression}`);
  const module = join(folder, 'parity.rego');
  const input = join(folder, 'input.json');
  const packed = join(folder, 'parity.tar.gz');
  writeFileSync(module, `package parity\n\n${ORDERED}\n${rules.join('\n')}\n`);
  writeFileSync(input, JSON.stringify({ number: 1, text: 'text' }));
  execFileSync(opa, ['build', '-t', 'wasm', '-e', 'parity/value', '-o', packed, module], { stdio: 'pipe' });
  theirs = answersOf(
    execFileSync(opa, ['eval', '-f', 'raw', '-d', module, '-i', input, 'data.parity.value'], { encoding: 'utf8', maxBuffer: 64 << 20 }),
  );
  const policy = await instantiateWasm(
    await compileWasm(await unpackWasm(readFileSync(packed))),
    {},
    { entrypoint: 'parity/value', memoryPagesMax: 512 },
  );
  const answer = policy.answer({ number: 1, text: 'text' }, { nowNs: 0n, seed: 'parity' });
  ours = answersOf(answer.replace(/^\[\{"result":/, '').replace(/\}\]$/, ''));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.entries(same))('builtins of %s', (_, cases) => {
  test.each(cases)('%s', (expression) => {
    expect(ours.get(expression)).toBe(theirs.get(expression));
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unpackWasm } from '../../scripts/conformance/opa/opa.ts';
import { guardModule } from '../../src/decide/wasm-guard.ts';
import { compileWasm, instantiateWasm, type WasmPolicy } from '../../src/decide/wasm-policy.ts';
import { OPA_BIN } from './fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-guard-'));
let module: Uint8Array<ArrayBuffer>;
let policy: WasmPolicy;

beforeAll(async () => {
  const rego = join(folder, 'guard.rego');
  const packed = join(folder, 'guard.tar.gz');
  writeFileSync(rego, 'package guard\n\nvalue := replace(input.text, input.old, input.new)\n');
  execFileSync(OPA_BIN, ['build', '-t', 'wasm', '-e', 'guard/value', '-o', packed, rego], { stdio: 'pipe' });
  module = await unpackWasm(readFileSync(packed));
  policy = await instantiateWasm(await compileWasm(module), {}, { entrypoint: 'guard/value', memoryPagesMax: 64 });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("OPA's `replace`, which never ends where it replaces the empty text", () => {
  it('ends the evaluation there, and works as ever elsewhere', () => {
    expect(() => policy.evaluate({ text: 'abc', old: '', new: '' })).toThrow(/could not be evaluated/);
    expect(() => policy.evaluate({ text: 'abc', old: '', new: '-' })).toThrow(/could not be evaluated/);
    expect(policy.evaluate({ text: 'abcb', old: 'b', new: '-' })).toBe('a-c-');
    expect(policy.evaluate({ text: 'abc', old: 'x', new: '' })).toBe('abc');
    expect(policy.evaluate({ text: 'abc', old: 1, new: '' })).toBeUndefined();
  });

  it('takes no module that was stripped of the names by which the function is found', async () => {
    const name = Buffer.from([4, ...Buffer.from('name')]);
    const at = Buffer.from(module).lastIndexOf(name);
    expect(at).toBeGreaterThan(0);
    const stripped = module.slice();
    // another custom section of the same length
    stripped[at + 1] = 'N'.charCodeAt(0);
    await expect(compileWasm(stripped)).rejects.toMatchObject({ code: 'bundle_wasm_invalid' });
    await expect(compileWasm(module)).resolves.toBeDefined();
  });

  it('leaves what is no module, or is cut off, to the compiler', () => {
    for (const length of [0, 4, 8, 100, 60_000, module.length - 10]) {
      const cut = module.slice(0, length);
      expect(() => guardModule(cut)).not.toThrow();
    }
    const text = new Uint8Array(Buffer.from('no module at all, and long enough to be read as one'));
    expect(() => guardModule(text)).not.toThrow();
  });
});

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { inRoot } from '../../project.mjs';
import type { Case } from './cases.ts';

/* What OPA makes of a case: its Wasm, and its own answer. Both are kept in `.tools/` by a hash of the case. */

const OPA = process.env['OPA_BIN'] ?? 'opa';
const CACHE = inRoot('.tools/opa-compliance');
const TIMEOUT_MS = 30_000;
/** Of what is kept. */
const FORM = 'v3';

export type Made = {
  /** Null where OPA does not compile the case. */
  readonly wasm: Uint8Array<ArrayBuffer> | null;
  /** JSON text of the value; null where it is undefined. */
  readonly answer: string | null;
  /** What OPA says where it fails, at compiling or at evaluating. */
  readonly error: string | null;
};

type Ran = { readonly ok: boolean; readonly stdout: string; readonly stderr: string };

function opa(args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(OPA, args, { timeout: TIMEOUT_MS, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error !== null && 'code' in error && error.code === 'ENOENT') throw new Error(`${OPA} is not there`);
      resolve({ ok: error === null, stdout, stderr });
    });
  });
}

/** Compiles a case and asks OPA for its answer, or finds both. */
export async function make(one: Case): Promise<Made> {
  const key = createHash('sha256')
    .update(`${FORM}\n${OPA}\n${JSON.stringify(one)}`)
    .digest('hex')
    .slice(0, 32);
  const path = join(CACHE, `${key}.json`);
  const kept = await readFile(path, 'utf8').catch(() => null);
  if (kept !== null) {
    const { wasm, answer, error }: { wasm: string | null; answer: string | null; error: string | null } = JSON.parse(kept);
    return { wasm: wasm === null ? null : new Uint8Array(Buffer.from(wasm, 'base64')), answer, error };
  }
  const made = await fresh(one);
  await mkdir(CACHE, { recursive: true });
  const text = JSON.stringify({ ...made, wasm: made.wasm === null ? null : Buffer.from(made.wasm).toString('base64') });
  await writeFile(`${path}.${process.pid}`, text);
  await rename(`${path}.${process.pid}`, path);
  return made;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const WRAPPED = 'conformance_input/answer';

/** The case's own, or where its input is a term that no wire carries (with a set in it), a rule that gives the term by `with`. */
export function entrypointOf({ case: spec, entrypoint }: Case): string {
  return spec.input_term !== undefined && !isJson(spec.input_term) ? WRAPPED : (entrypoint ?? '');
}

function modulesOf({ case: spec, entrypoint }: Case): readonly string[] {
  const modules = spec.modules ?? [];
  if (spec.input_term === undefined || isJson(spec.input_term)) return modules;
  const query = `data.${(entrypoint ?? '').replaceAll('/', '.')}`;
  return [...modules, `package conformance_input\n\nanswer := x if x := ${query} with input as ${spec.input_term}\n`];
}

async function fresh(one: Case): Promise<Made> {
  const { case: spec } = one;
  const entrypoint = entrypointOf(one);
  const folder = await mkdtemp(join(tmpdir(), 'countersign-opa-'));
  try {
    const modules = join(folder, 'modules');
    await mkdir(modules);
    for (const [index, module] of modulesOf(one).entries()) await writeFile(join(modules, `m${index}.rego`), module);
    const target = join(folder, 'out.tar.gz');
    const built = await opa(['build', '-t', 'wasm', '-e', entrypoint, '-o', target, modules]);
    if (!built.ok) return { wasm: null, answer: null, error: built.stderr };
    const wasm = await unpackWasm(await readFile(target));
    await writeFile(join(modules, 'data.json'), JSON.stringify(spec.data ?? {}));
    const args = ['eval', '--format', 'raw', '--fail', '-d', modules, `data.${entrypoint.replaceAll('/', '.')}`];
    const input = inputTextOf(spec);
    if (input !== null) {
      await writeFile(join(folder, 'input.json'), input);
      args.push('-i', join(folder, 'input.json'));
    }
    const evaluated = await opa(args.with(2, 'json'));
    const result: { result?: { expressions: { value: unknown }[] }[]; errors?: unknown } = JSON.parse(evaluated.stdout || '{}');
    if (result.errors !== undefined) return { wasm, answer: null, error: JSON.stringify(result.errors) };
    if (result.result === undefined) return { wasm, answer: null, error: evaluated.stderr === '' ? null : evaluated.stderr };
    // the text of the value, since parsing would lose numbers
    const raw = await opa(args);
    return {
      wasm,
      answer:
        raw.stdout.trimEnd() === ''
          ? JSON.stringify(result.result[0]?.expressions[0]?.value)
          : answerOf(raw.stdout, result.result[0]?.expressions[0]?.value),
      error: null,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `raw` writes a text without its quotes. */
function answerOf(raw: string, value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : raw.trimEnd();
}

/** JSON; null where the case has none, or a Rego term that is no JSON. */
export function inputTextOf({ input, input_term: term }: Case['case']): string | null {
  if (term !== undefined) return isJson(term) ? term : null;
  return input === undefined ? null : JSON.stringify(input);
}

/** The module in a bundle. */
export function unpackWasm(packed: Buffer): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const reader = extract();
    reader.on('entry', ({ name }, stream, next) => {
      buffer(stream).then((bytes) => {
        if (name.endsWith('policy.wasm')) resolve(new Uint8Array(bytes));
        next();
      }, reject);
    });
    reader.on('finish', () => reject(new Error('no policy.wasm')));
    reader.on('error', reject);
    reader.end(gunzipSync(packed));
  });
}

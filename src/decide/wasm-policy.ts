import { type LoadedPolicy, loadPolicy } from '@open-policy-agent/opa-wasm';
import { asCountersignError, CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import { HOST_BUILTINS, missingBuiltins } from './builtins.ts';

/* Owner of npm opa-wasm. It throws strings, objects, RangeErrors and RuntimeErrors: all of them become our errors here. */

const PAGES_INITIAL = 8;

/** OPA's Wasm ABI 1.2 and later; npm opa-wasm writes to stderr where a version is not there. */
const EXPORTS = ['opa_wasm_abi_version', 'opa_wasm_abi_minor_version', 'opa_eval', 'opa_json_dump', 'builtins', 'entrypoints'];

/** The first that has `opa_eval`. */
const ABI_MINOR_MIN = 2;

/** A compiled policy with its data in memory. */
export interface WasmPolicy {
  /**
   * The entry point's value for an input; undefined where it has none.
   * @throws CountersignError policy_evaluation_failed; the instance goes on working
   */
  evaluate(input: JsonObject): unknown;
  /** The same as the text that `parseAnswer` reads: equal texts are equal values, which many requests have in common. */
  answer(input: JsonObject): string;
  /** A copy of the memory as it is before the first evaluation, for `restoreWasm`. */
  image(): MemoryImage;
}

/**
 * The memory of an instance that has its data. All state of OPA's Wasm lies in there, its heap included, so that it can be made in one
 * thread and put into an instance of the same module in another.
 */
export type MemoryImage = {
  /** From address 0 to the end of the data. */
  readonly bytes: Uint8Array;
  /** Size of the memory, in pages of 64 KiB. */
  readonly pages: number;
  readonly dataAddress: number;
  readonly heapAddress: number;
};

export type WasmOptions = { readonly entrypoint: string; readonly memoryPagesMax: number };

/** @throws CountersignError bundle_wasm_invalid */
export async function compileWasm(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    const module = await WebAssembly.compile(bytes);
    const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
    const lacking = EXPORTS.filter((name) => !names.has(name));
    if (lacking.length > 0) throw new CountersignError('bundle_wasm_invalid', { detail: `no export ${lacking.join(', ')}` });
    return module;
  } catch (error) {
    if (error instanceof CountersignError) throw error;
    throw new CountersignError('bundle_wasm_invalid', { detail: textOf(error), cause: error });
  }
}

/**
 * Makes an instance and gives it its data.
 * @throws CountersignError bundle_wasm_invalid, bundle_builtin_missing and bundle_entrypoint_missing (by name), bundle_data_invalid
 */
export async function instantiateWasm(module: WebAssembly.Module, data: JsonObject, options: WasmOptions): Promise<WasmPolicy> {
  const policy = await load(module, options.memoryPagesMax);
  const missing = missingBuiltins(builtinsOf(policy));
  if (missing.length > 0) throw new CountersignError('bundle_builtin_missing', { field: missing.join(', ') });
  const entrypoint = entrypointOf(policy, options.entrypoint);
  try {
    policy.setData(data);
  } catch (error) {
    throw new CountersignError('bundle_data_invalid', { detail: `the data does not fit: ${textOf(error)}`, cause: error });
  }
  return policyOf(policy, entrypoint);
}

const COPY_BYTES = 1 << 20;

/**
 * Makes an instance with a memory that was prepared elsewhere, by the same module. The copy gives way to other work every MiB, so that
 * no request waits for a large document.
 * @throws CountersignError bundle_wasm_invalid, bundle_entrypoint_missing
 */
export async function restoreWasm(module: WebAssembly.Module, image: MemoryImage, options: WasmOptions): Promise<WasmPolicy> {
  const policy = await load(module, options.memoryPagesMax, image.pages);
  const entrypoint = entrypointOf(policy, options.entrypoint);
  const memory = new Uint8Array(policy.mem.buffer);
  for (let at = 0; at < image.bytes.length; at += COPY_BYTES) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve));
    memory.set(image.bytes.subarray(at, at + COPY_BYTES), at);
  }
  policy.dataAddr = image.dataAddress;
  policy.dataHeapPtr = image.heapAddress;
  return policyOf(policy, entrypoint);
}

function policyOf(policy: LoadedPolicy, entrypoint: number): WasmPolicy {
  const answer = createAnswer(policy, entrypoint);
  return { answer, evaluate: (input) => parseAnswer(answer(input)), image: () => imageOf(policy) };
}

function imageOf({ mem, dataAddr, dataHeapPtr }: LoadedPolicy): MemoryImage {
  if (typeof dataAddr !== 'number' || typeof dataHeapPtr !== 'number')
    throw new CountersignError('bundle_wasm_invalid', { detail: 'no heap' });
  // shared, so that another thread gets it without a copy, and without the garbage collection that so much foreign memory brings about
  const bytes = new Uint8Array(new SharedArrayBuffer(dataHeapPtr));
  bytes.set(new Uint8Array(mem.buffer, 0, dataHeapPtr));
  return { bytes, pages: mem.buffer.byteLength / PAGE_BYTES, dataAddress: dataAddr, heapAddress: dataHeapPtr };
}

/** The value in an answer's text: OPA gives a list of results, of which an entry point has one or none. */
export function parseAnswer(text: string): unknown {
  const results: unknown = JSON.parse(text);
  const first: unknown = Array.isArray(results) ? results[0] : undefined;
  return isJsonObject(first) ? first['result'] : undefined;
}

const PAGE_BYTES = 65_536;
const UTF8_BYTES_MAX = 3;

/**
 * OPA's `opa_eval` (ABI 1.2: input JSON in memory behind the data, result JSON out of it, the heap reset by itself), called without the
 * copies, views and decoders that npm opa-wasm makes each time: half the cost of a small evaluation.
 */
function createAnswer(policy: LoadedPolicy, entrypoint: number): (input: JsonObject) => string {
  const evaluate = exportsOf(policy)['opa_eval'];
  if (typeof evaluate !== 'function') throw new CountersignError('bundle_wasm_invalid', { detail: 'no export opa_eval' });
  const start: unknown = policy.dataHeapPtr;
  if (typeof start !== 'number') throw new CountersignError('bundle_wasm_invalid', { detail: 'no heap' });
  let view = Buffer.from(policy.mem.buffer);

  /** A memory that has grown is another buffer. */
  function memory(): Buffer {
    if (view.buffer !== policy.mem.buffer) view = Buffer.from(policy.mem.buffer);
    return view;
  }

  return (input) => {
    try {
      const text = JSON.stringify(input);
      const missing = start + text.length * UTF8_BYTES_MAX - policy.mem.buffer.byteLength;
      if (missing > 0) policy.mem.grow(Math.ceil(missing / PAGE_BYTES));
      const length = memory().write(text, start, 'utf8');
      const address: unknown = evaluate(0, entrypoint, policy.dataAddr, start, length, start + length, 0);
      if (typeof address !== 'number') throw new CountersignError('policy_evaluation_failed', { detail: 'no address' });
      const after = memory();
      return after.toString('utf8', address, after.indexOf(0, address));
    } catch (error) {
      throw new CountersignError('policy_evaluation_failed', { detail: textOf(error), cause: error });
    }
  };
}

async function load(module: WebAssembly.Module, memoryPagesMax: number, pages: number = PAGES_INITIAL): Promise<LoadedPolicy> {
  try {
    const policy = await loadPolicy(module, { initial: Math.min(pages, memoryPagesMax), maximum: memoryPagesMax }, HOST_BUILTINS);
    if (!(policy.minorVersion >= ABI_MINOR_MIN)) throw new Error(`unsupported ABI version 1.${policy.minorVersion}`);
    return policy;
  } catch (error) {
    throw new CountersignError('bundle_wasm_invalid', { detail: textOf(error), cause: error });
  }
}

/** Names of the builtins that the module calls in the host: its export `builtins` points at a JSON object of them. */
function builtinsOf(policy: LoadedPolicy): string[] {
  const value = readExport(policy, 'builtins');
  return isJsonObject(value) ? Object.keys(value) : [];
}

function entrypointOf(policy: LoadedPolicy, wanted: string): number {
  const value = readExport(policy, 'entrypoints');
  const number = isJsonObject(value) && Object.hasOwn(value, wanted) ? value[wanted] : undefined;
  if (typeof number === 'number') return number;
  throw new CountersignError('bundle_entrypoint_missing', { field: wanted });
}

/** The JSON document that an export of OPA's Wasm ABI points at. */
function readExport(policy: LoadedPolicy, name: string): unknown {
  try {
    const exports = exportsOf(policy);
    const get = exports[name];
    const dump = exports['opa_json_dump'];
    if (typeof get !== 'function' || typeof dump !== 'function')
      throw new CountersignError('bundle_wasm_invalid', { detail: `no export ${name}` });
    const address: unknown = dump(get());
    if (typeof address !== 'number') throw new CountersignError('bundle_wasm_invalid', { detail: `export ${name}` });
    const bytes = new Uint8Array(policy.mem.buffer, address);
    return JSON.parse(new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0))));
  } catch (error) {
    throw asCountersignError(error, 'bundle_wasm_invalid');
  }
}

function exportsOf({ wasmInstance }: LoadedPolicy): WebAssembly.Exports {
  return 'exports' in wasmInstance ? wasmInstance.exports : wasmInstance.instance.exports;
}

function textOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (thrown instanceof Error) return thrown.message;
  return isJsonObject(thrown) && typeof thrown['message'] === 'string' ? thrown['message'] : String(thrown);
}

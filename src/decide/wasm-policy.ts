import { asCountersignError, CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { Moment } from './builtins/builtin.ts';
import { missingBuiltins } from './builtins/table.ts';
import { guardModule } from './wasm-guard.ts';
import { createWasmInstance, type WasmInstance } from './wasm-instance.ts';

/* OPA's Wasm ABI (1.2 and later). Modules throw strings, RangeErrors and RuntimeErrors: all of them become our errors here. */

const EXPORTS = [
  'opa_wasm_abi_version',
  'opa_wasm_abi_minor_version',
  'opa_eval',
  'opa_json_dump',
  'opa_value_dump',
  'opa_value_parse',
  'opa_malloc',
  'opa_json_parse',
  'opa_heap_ptr_get',
  'builtins',
  'entrypoints',
];

/** A compiled policy with its data in memory. */
export interface WasmPolicy {
  /**
   * The entry point's value for an input (or for none, where `input` is undefined in Rego); undefined where it has no value. `moment` is what builtins of time and chance draw on; by default
   * the input's own `time` and `id`.
   * @throws CountersignError policy_evaluation_failed; the instance goes on working
   */
  evaluate(input: JsonValue | undefined, moment?: Moment): unknown;
  /**
   * The same as the text that `parseAnswer` reads: equal texts are equal values, which many requests have in common.
   * @param text the input as JSON, where the caller has it
   */
  answer(input: JsonValue | undefined, moment?: Moment, text?: string): string;
  /**
   * The same for another entry point of the module; null where it has none of this name. There is nobody there who would deny what is undefined:
   * a builtin of the host that fails is a failure of all of it.
   */
  at(entrypoint: string): WasmPolicy['evaluate'] | null;
  /** Names of the builtins that the module calls in the host. */
  readonly builtins: readonly string[];
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
    const module = await WebAssembly.compile(guardModule(bytes));
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
  const opened = open(module, options);
  return policyOf(opened, layOut(opened.instance, data));
}

const COPY_BYTES = 1 << 20;

/**
 * Makes an instance with a memory that was prepared elsewhere, by the same module. The copy gives way to other work every MiB, so that
 * no request waits for a large document.
 * @throws CountersignError bundle_wasm_invalid, bundle_builtin_missing, bundle_entrypoint_missing
 */
export async function restoreWasm(module: WebAssembly.Module, image: MemoryImage, options: WasmOptions): Promise<WasmPolicy> {
  const opened = open(module, options, image.pages);
  const memory = opened.instance.memory();
  for (let at = 0; at < image.bytes.length; at += COPY_BYTES) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve));
    memory.set(image.bytes.subarray(at, at + COPY_BYTES), at);
  }
  return policyOf(opened, { address: image.dataAddress, heap: image.heapAddress });
}

type Opened = { readonly instance: WasmInstance; readonly builtins: readonly string[]; readonly entrypoint: number };

function open(module: WebAssembly.Module, options: WasmOptions, pages?: number): Opened {
  const instance = createInstance(module, options.memoryPagesMax, pages);
  const builtins = namesOf(instance, 'builtins');
  const missing = missingBuiltins(Object.keys(builtins));
  if (missing.length > 0) throw new CountersignError('bundle_builtin_missing', { field: missing.join(', ') });
  const entrypoint = entrypointOf(instance, options.entrypoint);
  instance.host.name(builtins);
  return { instance, builtins: Object.keys(builtins), entrypoint };
}

function policyOf({ instance, builtins, entrypoint }: Opened, data: Data): WasmPolicy {
  const answer = createAnswer(instance, entrypoint, data);
  return {
    answer,
    evaluate: (input, moment) => parseAnswer(answer(input, moment)),
    at(name) {
      const other = numberOf(instance, name);
      if (other === null) return null;
      const answerThere = createAnswer(instance, other, data);
      return (input, moment) => {
        const text = answerThere(input, moment);
        const failed = instance.host.failed();
        if (failed !== null) throw new CountersignError('policy_evaluation_failed', { detail: `${failed} failed` });
        return parseAnswer(text);
      };
    },
    builtins,
    image: () => imageOf(instance, data),
  };
}

function imageOf(instance: WasmInstance, { address, heap }: Data): MemoryImage {
  const memory = instance.memory();
  // shared, so that another thread gets it without a copy, and without the garbage collection that so much foreign memory brings about
  const bytes = new Uint8Array(new SharedArrayBuffer(heap));
  bytes.set(memory.subarray(0, heap));
  return { bytes, pages: memory.length / PAGE_BYTES, dataAddress: address, heapAddress: heap };
}

/** The value in an answer's text: OPA gives a list of results, of which an entry point has one or none. */
export function parseAnswer(text: string): unknown {
  const results: unknown = JSON.parse(text);
  const first: unknown = Array.isArray(results) ? results[0] : undefined;
  return isJsonObject(first) ? first['result'] : undefined;
}

const UTF8_BYTES_MAX = 3;
const PAGE_BYTES = 65_536;

type Data = ReturnType<WasmInstance['layOut']>;

/**
 * OPA's `opa_eval`: input JSON in memory behind the data, result JSON out of it, the heap reset by itself; without copies, views and decoders
 * that would be made each time, which are half the cost of a small evaluation.
 */
function createAnswer(instance: WasmInstance, entrypoint: number, { address, heap }: Data): WasmPolicy['answer'] {
  const { host } = instance;
  return (input, moment, text = input === undefined ? '' : JSON.stringify(input)) => {
    try {
      host.begin(input, moment);
      instance.reserve(heap + text.length * UTF8_BYTES_MAX);
      const length = instance.memory().write(text, heap, 'utf8');
      return instance.text(instance.call('opa_eval', 0, entrypoint, address, heap, length, heap + length, 0));
    } catch (error) {
      throw new CountersignError('policy_evaluation_failed', { detail: textOf(error), cause: error });
    }
  };
}

function createInstance(module: WebAssembly.Module, memoryPagesMax: number, pages?: number): WasmInstance {
  try {
    return createWasmInstance(module, memoryPagesMax, pages);
  } catch (error) {
    throw asCountersignError(error, 'bundle_wasm_invalid');
  }
}

function layOut(instance: WasmInstance, data: JsonObject): Data {
  try {
    return instance.layOut(data);
  } catch (error) {
    throw new CountersignError('bundle_data_invalid', { detail: `the data does not fit: ${textOf(error)}`, cause: error });
  }
}

/** Names with their numbers. */
function namesOf(instance: WasmInstance, which: 'builtins' | 'entrypoints'): JsonObject {
  const value = instance.document(which);
  return isJsonObject(value) ? value : {};
}

function numberOf(instance: WasmInstance, wanted: string): number | null {
  const names = namesOf(instance, 'entrypoints');
  const number = Object.hasOwn(names, wanted) ? names[wanted] : undefined;
  return typeof number === 'number' ? number : null;
}

function entrypointOf(instance: WasmInstance, wanted: string): number {
  const number = numberOf(instance, wanted);
  if (number !== null) return number;
  throw new CountersignError('bundle_entrypoint_missing', { field: wanted });
}

function textOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (thrown instanceof Error) return thrown.message;
  return isJsonObject(thrown) && typeof thrown['message'] === 'string' ? thrown['message'] : String(thrown);
}

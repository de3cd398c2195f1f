import { type LoadedPolicy, loadPolicy } from '@open-policy-agent/opa-wasm';
import { asCountersignError, CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import { HOST_BUILTINS, missingBuiltins } from './builtins.ts';

/* Owner of npm opa-wasm. It throws strings, objects, RangeErrors and RuntimeErrors: all of them become our errors here. */

const PAGES_INITIAL = 8;

/** OPA's Wasm ABI 1.2 and later; npm opa-wasm writes to stderr where a version is not there. */
const EXPORTS = ['opa_wasm_abi_version', 'opa_wasm_abi_minor_version', 'opa_eval', 'opa_json_dump', 'builtins', 'entrypoints'];

/** A compiled policy with its data in memory. */
export interface WasmPolicy {
  /**
   * The entry point's value for an input; undefined where it has none.
   * @throws CountersignError policy_evaluation_failed; the instance goes on working
   */
  evaluate(input: JsonObject): unknown;
  /** Bytes of the instance's memory. */
  memoryBytes(): number;
}

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
  return {
    evaluate(input) {
      let results: unknown;
      try {
        results = policy.evaluate(encode(input), entrypoint);
      } catch (error) {
        throw new CountersignError('policy_evaluation_failed', { detail: textOf(error), cause: error });
      }
      const first: unknown = Array.isArray(results) ? results[0] : undefined;
      return isJsonObject(first) ? first['result'] : undefined;
    },
    memoryBytes: () => policy.mem.buffer.byteLength,
  };
}

const encoder = new TextEncoder();

/** JSON as the exact buffer that npm opa-wasm copies; given an object it would make an encoder each time. */
function encode(input: JsonObject): ArrayBuffer {
  const { buffer, byteLength } = encoder.encode(JSON.stringify(input));
  return buffer.byteLength === byteLength ? buffer : buffer.slice(0, byteLength);
}

async function load(module: WebAssembly.Module, memoryPagesMax: number): Promise<LoadedPolicy> {
  try {
    return await loadPolicy(module, { initial: Math.min(PAGES_INITIAL, memoryPagesMax), maximum: memoryPagesMax }, HOST_BUILTINS);
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
    const exports = 'exports' in policy.wasmInstance ? policy.wasmInstance.exports : policy.wasmInstance.instance.exports;
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

function textOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (thrown instanceof Error) return thrown.message;
  return isJsonObject(thrown) && typeof thrown['message'] === 'string' ? thrown['message'] : String(thrown);
}

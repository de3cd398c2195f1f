import { asCountersignError, CountersignError } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';
import { createWasmHost, type WasmHost } from './wasm-host.ts';

const PAGES_INITIAL = 8;
const PAGE_BYTES = 65_536;

/** An instance of a compiled policy: its memory, and what it exports. */
export interface WasmInstance {
  readonly host: WasmHost;
  /** The memory as it is now: one that has grown is another buffer. */
  memory(): Buffer;
  /** Grows the memory until it has `bytes`. */
  reserve(bytes: number): void;
  /** Calls an exported function that gives a number. */
  call(name: string, ...values: number[]): number;
  /** The JSON document that an export without arguments points at. */
  document(name: string): unknown;
  /** The text at an address, up to its NUL. */
  text(address: number): string;
  /** Lays a document out in the memory. */
  layOut(data: JsonObject): { readonly address: number; readonly heap: number };
}

/**
 * Instantiates a module with our host (`wasm-host.ts`).
 * @throws CountersignError bundle_wasm_invalid
 */
export function createWasmInstance(module: WebAssembly.Module, memoryPagesMax: number, pages: number = PAGES_INITIAL): WasmInstance {
  const memory = new WebAssembly.Memory({ initial: Math.min(pages, memoryPagesMax), maximum: memoryPagesMax });
  const host = createWasmHost(memory);
  const { exports } = instantiate(module, host);
  checkVersion(exports);
  let view = Buffer.from(memory.buffer);

  const current = (): Buffer => {
    if (view.buffer !== memory.buffer) view = Buffer.from(memory.buffer);
    return view;
  };
  const call = (name: string, ...values: number[]): number => {
    const one = exports[name];
    const result: unknown = typeof one === 'function' ? one(...values) : undefined;
    if (typeof result !== 'number') throw new CountersignError('bundle_wasm_invalid', { detail: `export ${name}` });
    return result;
  };
  const text = (address: number): string => {
    const bytes = current();
    return bytes.toString('utf8', address, bytes.indexOf(0, address));
  };
  host.connect(call);
  return {
    host,
    memory: current,
    call,
    text,
    reserve(bytes) {
      const missing = bytes - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    },
    document(name) {
      try {
        return JSON.parse(text(call('opa_json_dump', call(name))));
      } catch (error) {
        throw asCountersignError(error, 'bundle_wasm_invalid');
      }
    },
    layOut(data) {
      const bytes = Buffer.from(JSON.stringify(data));
      const at = call('opa_malloc', bytes.length);
      bytes.copy(current(), at);
      const address = call('opa_json_parse', at, bytes.length);
      if (address === 0) throw new CountersignError('bundle_data_invalid', { detail: 'the data could not be parsed' });
      return { address, heap: call('opa_heap_ptr_get') };
    },
  };
}

function instantiate(module: WebAssembly.Module, host: WasmHost): WebAssembly.Instance {
  try {
    return new WebAssembly.Instance(module, { env: host.imports });
  } catch (error) {
    throw asCountersignError(error, 'bundle_wasm_invalid');
  }
}

/** ABI 1.2 and later: `opa_eval` is there since then. */
function checkVersion(exports: WebAssembly.Exports): void {
  const [major, minor] = [numberOf(exports['opa_wasm_abi_version']), numberOf(exports['opa_wasm_abi_minor_version'])];
  if (major === 1 && minor >= 2) return;
  throw new CountersignError('bundle_wasm_invalid', { detail: `unsupported ABI version ${major}.${minor}` });
}

/** Of a global. */
function numberOf(global: unknown): number {
  return typeof global === 'object' && global !== null && 'value' in global ? Number(global.value) : Number(global);
}

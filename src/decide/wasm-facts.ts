import { CountersignError } from '../contract/errors.ts';
import { isJsonObject } from '../contract/json.ts';

/* What a compiled policy says of itself (OPA's Wasm ABI), read from an instance that never evaluates anything. */

/** At least what the module asks for; memory that is not written costs nothing. */
const PAGES_INITIAL = 1024;

/** @throws CountersignError bundle_wasm_invalid */
export async function readWasmFacts(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<{ readonly builtins: readonly string[]; readonly entrypoints: readonly string[] }> {
  try {
    const memory = new WebAssembly.Memory({ initial: PAGES_INITIAL });
    const nothing = (): number => 0;
    const env = {
      memory,
      opa_abort: nothing,
      opa_println: nothing,
      opa_builtin0: nothing,
      opa_builtin1: nothing,
      opa_builtin2: nothing,
      opa_builtin3: nothing,
      opa_builtin4: nothing,
    };
    const { exports } = new WebAssembly.Instance(await WebAssembly.compile(bytes), { env });
    return { builtins: namesOf('builtins', exports, memory), entrypoints: namesOf('entrypoints', exports, memory) };
  } catch (error) {
    if (error instanceof CountersignError) throw error;
    throw new CountersignError('bundle_wasm_invalid', { detail: error instanceof Error ? error.message : '', cause: error });
  }
}

/** Names of the JSON object that an export points at. */
function namesOf(name: string, exports: WebAssembly.Exports, memory: WebAssembly.Memory): string[] {
  const get = exports[name];
  const dump = exports['opa_json_dump'];
  if (typeof get !== 'function' || typeof dump !== 'function')
    throw new CountersignError('bundle_wasm_invalid', { detail: `no export ${name}` });
  const address: unknown = dump(get());
  if (typeof address !== 'number') throw new CountersignError('bundle_wasm_invalid', { detail: `export ${name}` });
  const text = Buffer.from(memory.buffer, address);
  const value: unknown = JSON.parse(text.toString('utf8', 0, text.indexOf(0)));
  return isJsonObject(value) ? Object.keys(value).sort() : [];
}

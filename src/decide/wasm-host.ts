import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { type Builtin, BuiltinLimitError, type Moment } from './builtins/builtin.ts';
import { textOfBytes } from './builtins/bytes.ts';
import { BUILTINS } from './builtins/table.ts';
import type { RegoValue } from './builtins/value.ts';
import { parseValue, valueText } from './builtins/value-text.ts';

/*
 * The host's side of OPA's Wasm ABI: what a module imports. Builtins get values with their sets and their numbers whole
 * (`opa_value_dump`), which JSON would lose on the way.
 */

const LONE_SURROGATE = /\\ud[89a-f]/;
/** What all the arguments of one call may be together, as text. */
const ARGUMENT_BYTES_MAX = 1 << 20;

/** Calls an exported function of the instance. */
type Call = (name: string, ...values: number[]) => number;

export type WasmHost = {
  readonly imports: Readonly<Record<string, unknown>>;
  /** Tells the host which instance it serves. */
  connect(call: Call): void;
  /** Tells it the names of the builtins that the module calls by number. */
  name(builtins: JsonObject): void;
  /** Sets what builtins draw on; undefined takes it from the input, where a builtin asks at all. Costs an assignment. */
  begin(input: JsonValue | undefined, moment?: Moment): void;
  /** Name of a builtin of the host that had no value since `begin`, so that what it stands in is undefined; null where all had. */
  failed(): string | null;
};

/** The host of one instance, over its memory. */
export function createWasmHost(memory: WebAssembly.Memory): WasmHost {
  let call: Call = () => {
    throw new Error('no instance');
  };
  let byNumber: readonly { readonly name: string; readonly run: Builtin }[] = [];
  let input: JsonValue | undefined;
  let moment: Moment | undefined;
  let failed: string | null = null;
  const now = (): Moment => {
    moment ??= momentOf(input);
    return moment;
  };

  function textAt(address: number): Buffer {
    const view = Buffer.from(memory.buffer);
    return view.subarray(address, view.indexOf(0, address));
  }

  function read(addresses: readonly number[]): readonly RegoValue[] {
    let size = 0;
    return addresses.map((address) => {
      const bytes = textAt(call('opa_value_dump', address));
      size += bytes.length;
      if (size > ARGUMENT_BYTES_MAX) throw new BuiltinLimitError(`more than ${ARGUMENT_BYTES_MAX} bytes of arguments`);
      return parseValue(textOfBytes(bytes));
    });
  }

  function write(value: RegoValue | undefined): number {
    if (value === undefined) return 0;
    const text = valueText(value);
    // a lone surrogate stands for a byte that is no UTF-8, which the module cannot read
    if (LONE_SURROGATE.test(text)) throw new BuiltinLimitError('a text that is no UTF-8');
    const bytes = Buffer.from(text);
    const address = call('opa_malloc', bytes.length);
    Buffer.from(memory.buffer).set(bytes, address);
    return call('opa_value_parse', address, bytes.length);
  }

  /** A builtin that fails has no value, as in OPA; a limit ends the evaluation, since OPA would have had one. */
  function outcomeOf(run: Builtin, values: readonly RegoValue[]): RegoValue | undefined {
    try {
      return run(values, now);
    } catch (error) {
      if (error instanceof BuiltinLimitError) throw error;
      // the stack, a text or a number was too large for JavaScript, and not for OPA
      if (error instanceof RangeError) throw new BuiltinLimitError('more than can be held');
      return undefined;
    }
  }

  function dispatch(number: number, _context: number, ...addresses: number[]): number {
    const builtin = byNumber[number];
    if (builtin === undefined) throw new BuiltinLimitError(`no builtin ${number}`);
    try {
      const outcome = outcomeOf(builtin.run, read(addresses));
      if (outcome === undefined) failed = builtin.name;
      return write(outcome);
    } catch (error) {
      throw error instanceof BuiltinLimitError ? new BuiltinLimitError(`${builtin.name}: ${error.message}`) : error;
    }
  }

  return {
    imports: {
      memory,
      opa_abort(address: number): never {
        throw new Error(textAt(address).toString('utf8'));
      },
      // `print` in a policy has nowhere to go
      opa_println: () => undefined,
      ...Object.fromEntries([0, 1, 2, 3, 4].map((count) => [`opa_builtin${count}`, dispatch])),
    },
    connect(of) {
      call = of;
    },
    name(builtins) {
      const listed: { readonly name: string; readonly run: Builtin }[] = [];
      for (const [name, number] of Object.entries(builtins)) {
        const run = Object.hasOwn(BUILTINS, name) ? BUILTINS[name] : undefined;
        if (typeof number === 'number' && run !== undefined) listed[number] = { name, run };
      }
      byNumber = listed;
    },
    begin(of, given) {
      input = of;
      moment = given;
      failed = null;
    },
    failed: () => failed,
  };
}

const NOTHING: JsonObject = {};
const NS_A_MILLISECOND = 1_000_000n;

/** Of our input: `time.rfc3339` and `id`. */
function momentOf(input: JsonValue | undefined): Moment {
  const { time, id } = isJsonObject(input) ? input : NOTHING;
  const text = isJsonObject(time) ? time['rfc3339'] : undefined;
  const milliseconds = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return {
    nowNs: Number.isNaN(milliseconds) ? undefined : BigInt(milliseconds) * NS_A_MILLISECOND,
    seed: typeof id === 'string' ? id : undefined,
  };
}

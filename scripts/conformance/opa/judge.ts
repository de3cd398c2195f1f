import { CountersignError } from '../../../src/contract/errors.ts';
import { isJsonObject, type JsonValue } from '../../../src/contract/json.ts';
import { canonical } from '../../../src/decide/builtins/value.ts';
import { parseValue } from '../../../src/decide/builtins/value-text.ts';
import { compileWasm, instantiateWasm } from '../../../src/decide/wasm-policy.ts';
import { type Case, parseExactly } from './cases.ts';
import { entrypointOf, inputTextOf, type Made } from './opa.ts';

export type Verdict =
  | { readonly outcome: 'passed' }
  /** The bundle is refused at load, by name. */
  | { readonly outcome: 'refused'; readonly why: string }
  | { readonly outcome: 'failed'; readonly why: string };

type Answer = { readonly value: string | null } | { readonly error: string };

const PAGES_MAX = 512;

/** Runs a case in our runtime and compares it with what OPA's tests want and with what `opa eval` says. */
export async function judge(one: Case, made: Made): Promise<Verdict> {
  const { case: spec } = one;
  if (made.wasm === null)
    return spec.want_error_code === undefined && spec.want_error === undefined
      ? { outcome: 'failed', why: `OPA does not compile it: ${made.error?.split('\n')[0]}` }
      : { outcome: 'passed' };
  let ours: Answer;
  try {
    const data = isJsonObject(spec.data) ? spec.data : {};
    const module = await compileWasm(made.wasm);
    const policy = await instantiateWasm(module, data, { entrypoint: entrypointOf(one), memoryPagesMax: PAGES_MAX });
    ours = answerOf(policy, spec);
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'bundle_builtin_missing') return { outcome: 'refused', why: error.field ?? '' };
    throw error;
  }
  return compare(spec, made, ours);
}

function answerOf(policy: Awaited<ReturnType<typeof instantiateWasm>>, spec: Case['case']): Answer {
  try {
    const text = inputTextOf(spec);
    const input = text === null ? undefined : jsonValue(parseExactly(text));
    const results = parseValue(policy.answer(input, { nowNs: BigInt(Date.now()) * 1_000_000n, seed: 'conformance' }));
    const first = Array.isArray(results) ? results[0] : undefined;
    const value = first instanceof Map ? first.get('result') : undefined;
    return { value: value === undefined ? null : canonical(value) };
  } catch (error) {
    return { error: error instanceof Error ? `${error.message}` : String(error) };
  }
}

/** Numbers that a double would lose are objects of `JSON.rawJSON`, which are written as they are. */
function jsonValue(value: unknown): JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map(jsonValue);
  return isJsonObject(value) ? value : null;
}

/** The canonical text of a JSON text; with `sorted`, without the order of lists, since a set is a list in JSON. */
function canonicalJson(text: string, sorted: boolean): string {
  const value = canonical(parseValue(text));
  return sorted ? sortedText(value) : value;
}

function sortedText(text: string): string {
  const sort = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sort).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, sort(member)])) : value;
  };
  return JSON.stringify(sort(JSON.parse(text)));
}

function compare(spec: Case['case'], made: Made, ours: Answer): Verdict {
  const wanted = spec.want_result ?? undefined;
  if (wanted !== undefined && 'value' in ours) {
    const want = wanted[0] === undefined ? null : JSON.stringify(wanted[0]['x']);
    if (want === null ? ours.value === null : ours.value !== null && sortedText(ours.value) === canonicalJson(want, true))
      return { outcome: 'passed' };
  }
  const shown = 'error' in ours ? `an error: ${ours.error}` : (ours.value ?? 'undefined');
  if (made.error !== null) {
    // a failure of OPA is a failure or, as everywhere outside of strict mode, undefined
    if ('error' in ours || ours.value === null) return { outcome: 'passed' };
    return { outcome: 'failed', why: `OPA fails, ours is ${shown}` };
  }
  const theirs = made.answer === null ? null : canonicalJson(made.answer, false);
  if (!('error' in ours) && ours.value === theirs) return { outcome: 'passed' };
  return { outcome: 'failed', why: `OPA says ${theirs ?? 'undefined'}, ours is ${shown}` };
}

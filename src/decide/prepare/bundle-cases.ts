import { parse } from 'yaml';
import { z } from 'zod';
import { CountersignError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { Combined } from '../combine.ts';

const FOLDER = 'cases/';
const CASES_MAX = 1000;
const NAMED_MAX = 5;

/** One case: `input` is laid over the input of a request about which nothing is known. */
const BundleCase = z.strictObject({
  name: z.string().min(1).max(256),
  input: z.record(z.string(), z.json()),
  want: z.strictObject({ effect: z.enum(['allow', 'deny', 'step_up']), reasons: z.array(z.string()).optional() }),
});
export type BundleCase = z.infer<typeof BundleCase>;
const CaseFile = z.array(BundleCase);

/**
 * The cases that a bundle brings in `cases/*.yaml`; none where it has no such folder.
 * @throws CountersignError bundle_cases_failed where a file does not have the form
 */
export function readCases(files: ReadonlyMap<string, Uint8Array>): readonly BundleCase[] {
  const cases: BundleCase[] = [];
  for (const [path, bytes] of files) {
    if (!path.startsWith(FOLDER) || !/\.ya?ml$/.test(path)) continue;
    const read = CaseFile.safeParse(parseYaml(path, bytes));
    if (!read.success) {
      const issue = read.error.issues[0];
      throw new CountersignError('bundle_cases_failed', { field: path, detail: `${issue?.path.join('.')}: ${issue?.message}` });
    }
    cases.push(...read.data);
    if (cases.length > CASES_MAX) throw new CountersignError('bundle_cases_failed', { detail: `more than ${CASES_MAX}` });
  }
  return cases;
}

function parseYaml(path: string, bytes: Uint8Array): unknown {
  try {
    return parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), { maxAliasCount: 0 });
  } catch (cause) {
    throw new CountersignError('bundle_cases_failed', { field: path, detail: 'not YAML', cause });
  }
}

/**
 * Holds the policy against its own cases.
 * @throws CountersignError bundle_cases_failed, which names the first that failed
 */
export function runCases(cases: readonly BundleCase[], base: JsonObject, decide: (input: JsonObject) => Combined): void {
  const failed = cases.filter((one) => !holds(one, base, decide)).map(({ name }) => name);
  if (failed.length === 0) return;
  throw new CountersignError('bundle_cases_failed', {
    field: failed.slice(0, NAMED_MAX).join('; '),
    detail: `${failed.length} of ${cases.length}`,
  });
}

function holds({ input, want }: BundleCase, base: JsonObject, decide: (input: JsonObject) => Combined): boolean {
  try {
    const { effect, reasons } = decide(overlay(base, input));
    return (
      effect === want.effect &&
      (want.reasons === undefined ||
        same(
          reasons.map(({ code }) => code),
          want.reasons,
        ))
    );
  } catch {
    return false;
  }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}

/** Objects are merged, anything else is replaced; a signal that changes its status has nothing of the old one. */
function overlay(base: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const below = Object.hasOwn(base, name) ? base[name] : undefined;
    const whole = !isJsonObject(value) || !isJsonObject(below) || Object.hasOwn(value, 'status');
    Object.defineProperty(merged, name, {
      value: whole ? value : overlay(below, value),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return merged;
}

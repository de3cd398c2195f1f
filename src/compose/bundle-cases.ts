import { CaseError } from '../cases/case-error.ts';
import { type PlacedCase, parseCases } from '../cases/parse-cases.ts';
import { runCase } from '../cases/run-case.ts';
import { CountersignError } from '../contract/errors.ts';
import type { ActivePolicy } from '../contract/stages.ts';

const NAMED_MAX = 5;
const CASES_MAX = 1000;

/**
 * Asks a policy the cases that its bundle brings, those that are for a policy alone.
 * @throws CountersignError bundle_cases_failed, which names the first that failed
 */
export async function runBundleCases(files: ReadonlyMap<string, Uint8Array>, policy: ActivePolicy): Promise<void> {
  const read = [...files].map(([path, bytes]) => parseCases(path, textOf(path, bytes)));
  const [problem] = read.flatMap(({ problems }) => problems);
  if (problem !== undefined)
    throw new CountersignError('bundle_cases_failed', { field: `${problem.file}:${problem.line}`, detail: problem.text });
  const cases = read.flatMap((one) => one.cases).filter(({ levels }) => levels.includes('wasm'));
  if (cases.length > CASES_MAX) throw new CountersignError('bundle_cases_failed', { detail: `more than ${CASES_MAX}` });
  const failed = cases.filter((one) => !holds(policy, one)).map(({ name }) => name);
  if (failed.length === 0) return;
  const field = failed.slice(0, NAMED_MAX).join('; ');
  throw new CountersignError('bundle_cases_failed', { field, detail: `${failed.length} of ${cases.length}` });
}

function holds(policy: ActivePolicy, one: PlacedCase): boolean {
  try {
    return runCase(policy, one).differences.length === 0;
  } catch (error) {
    if (error instanceof CaseError) return false;
    throw error;
  }
}

function textOf(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CountersignError('bundle_cases_failed', { field: path, detail: 'not UTF-8', cause });
  }
}

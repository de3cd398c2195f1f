import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CaseError } from '../cases/case-error.ts';
import { type PlacedCase, parseCases } from '../cases/parse-cases.ts';
import { runCase } from '../cases/run-case.ts';
import type { ActivePolicy } from '../contract/stages.ts';
import { type Finding, findingOf } from './finding.ts';

/* YAML cases against a compiled policy. */

export type ReadCases = { readonly cases: readonly PlacedCase[]; readonly findings: readonly Finding[] };
export type CaseRuns = { readonly passed: number; readonly failed: number; readonly findings: readonly Finding[] };

/** Every case of a file, or of the `*.yaml` of a folder; null where there is neither. */
export async function readCases(path: string): Promise<ReadCases | null> {
  const files = await filesOf(path);
  if (files === null) return null;
  const read = await Promise.all(files.map(async (file) => parseCases(file, await readFile(file, 'utf8'))));
  return {
    cases: read.flatMap(({ cases }) => cases),
    findings: read.flatMap(({ problems }) => problems.map((one) => findingOf('case_invalid', one, one.text))),
  };
}

async function filesOf(path: string): Promise<string[] | null> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path);
    return names
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(path, name));
  } catch {
    // that it is not there is the answer
    return null;
  }
}

/** Asks the policy each of the cases that are for a policy alone. */
export function runCases(policy: ActivePolicy, cases: readonly PlacedCase[]): CaseRuns {
  const asked = cases.filter(({ levels }) => levels.includes('wasm'));
  const findings = asked.flatMap((one) => findingsOfCase(policy, one));
  return { passed: asked.length - findings.length, failed: findings.length, findings };
}

function findingsOfCase(policy: ActivePolicy, one: PlacedCase): Finding[] {
  const at = { file: one.file, line: one.line, column: 1 };
  try {
    const { differences, evaluated } = runCase(policy, one);
    const failure = evaluated.cause instanceof Error ? [`${evaluated.cause.message}`] : [];
    const said = differences.map(({ what, wanted, got }) => `${what} is ${textOf(got)} and not ${textOf(wanted)}`);
    return said.length === 0 ? [] : [findingOf('case_failed', at, `${one.name}: ${[...said, ...failure].join('; ')}`)];
  } catch (error) {
    if (error instanceof CaseError) return [findingOf('case_invalid', at, `${one.name}: ${error.message}`)];
    throw error;
  }
}

function textOf(value: unknown): string {
  return value === undefined ? 'not there' : JSON.stringify(value);
}

import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { compileFindings } from '../authoring/compile-findings.ts';
import { type CaseRuns, readCases, runCases } from '../authoring/policy-cases.ts';
import { type Coverage, runRegoTests } from '../authoring/rego-tests.ts';
import { EXIT_NO_INPUT } from './exit-codes.ts';
import {
  CommandEnd,
  type FolderOptions,
  needPolicyFolder,
  opaOf,
  type PolicyParts,
  runCommand,
  showFindings,
  withFolderOptions,
} from './policy-command.ts';

type TestOptions = FolderOptions & { readonly cases?: string; readonly coverageMin: number };

/** Adds `policy test`. */
export function addPolicyTest(group: Command, parts: PolicyParts, exit: (code: number) => void): void {
  withFolderOptions(
    group
      .command('test')
      .description('run the Rego tests with their coverage, then the YAML cases against the compiled policy')
      .argument('<folder>', 'the folder of the policy, with its .manifest')
      .option('--cases <path>', 'a file of cases, or a folder of them; otherwise `cases` in the folder, where it is there')
      .option('--coverage-min <percent>', 'fewer lines reached by Rego tests are a finding', percentOf, 0),
  ).action((directory: string, options: TestOptions) => runCommand(parts, options.json, exit, () => test(directory, options, parts)));
}

const NO_CASES: CaseRuns = { passed: 0, failed: 0, findings: [] };

async function test(directory: string, options: TestOptions, parts: PolicyParts): Promise<number> {
  await needPolicyFolder(directory);
  const { opa, opaBin } = opaOf(options);
  const read = await readCases(options.cases ?? join(directory, 'cases'));
  if (read === null && options.cases !== undefined) throw new CommandEnd(EXIT_NO_INPUT, 'file_missing', `${options.cases} is not there`);
  const rego = await runRegoTests(opa, directory, options.coverageMin);
  const runs = read === null ? NO_CASES : await runThem();
  async function runThem(): Promise<CaseRuns> {
    try {
      // what the service itself would run
      const bundle = await parts.policy.build({ directory, opaBin, entrypoint: options.entrypoint });
      return runCases(await parts.policy.load(bundle, options.entrypoint), read?.cases ?? []);
    } catch (error) {
      // the Rego tests are told all the same
      const findings = compileFindings(error);
      if (findings === null) throw error;
      return { ...NO_CASES, findings };
    }
  }
  const findings = [...rego.findings, ...(read?.findings ?? []), ...runs.findings];
  const { passed, failed, skipped, coverage } = rego;
  const more = {
    rego: { passed, failed, skipped, coverage: coverage === null ? null : jsonOf(coverage) },
    cases: { passed: runs.passed, failed: runs.failed },
  };
  const reached = coverage === null ? '' : `, ${coverage.percent} % of the lines reached`;
  const summary = `Rego tests: ${passed} passed, ${failed} failed, ${skipped} skipped${reached}; cases: ${runs.passed} passed, ${runs.failed} failed`;
  if (options.json !== true && coverage !== null) for (const line of missedLines(coverage)) parts.stdout(`${line}\n`);
  return showFindings(parts, options.json, findings, more, summary);
}

function jsonOf({ percent, files }: Coverage) {
  return {
    percent,
    files: files.filter(({ missed }) => missed > 0).map(({ file, covered, missed, lines }) => ({ file, covered, missed, lines })),
  };
}

function missedLines({ files }: Coverage): string[] {
  return files
    .filter(({ missed }) => missed > 0)
    .map(({ file, lines }) => `not reached: ${file}:${lines.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(',')}`);
}

function percentOf(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= 0 && value <= 100)) throw new InvalidArgumentError('must be 0 to 100');
  return value;
}

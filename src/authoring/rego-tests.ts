import { isJsonObject, type JsonValue } from '../contract/json.ts';
import { type Finding, findingOf } from './finding.ts';
import { findingsOf, type Opa, parseOutput } from './opa.ts';

/** Lines of one file that no test reaches. */
export type FileCoverage = {
  readonly file: string;
  readonly covered: number;
  readonly missed: number;
  readonly lines: readonly (readonly [number, number])[];
};

export type Coverage = { readonly percent: number; readonly files: readonly FileCoverage[] };

export type RegoTests = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Of what is no test itself; null where the tests did not run, or did not all pass: OPA tells none then. */
  readonly coverage: Coverage | null;
  readonly findings: readonly Finding[];
};

const NOTHING_RUN: Omit<RegoTests, 'findings'> = { passed: 0, failed: 0, skipped: 0, coverage: null };

/** Runs `opa test` over a folder, and once more for its coverage. */
export async function runRegoTests(opa: Opa, directory: string, coverageMin: number): Promise<RegoTests> {
  const [ran, covered] = await Promise.all([
    opa(['test', '--bundle', '--format', 'json', '.'], directory),
    opa(['test', '--bundle', '--format', 'json', '--coverage', '.'], directory),
  ]);
  const results = parseOutput(ran.stdout);
  // where nothing could be compiled there is no list of tests
  if (!Array.isArray(results)) {
    if (ran.ok) return { ...NOTHING_RUN, findings: [findingOf('tests_missing', { file: '.manifest', line: 1, column: 1 })] };
    // `opa test` tells it in words alone, `opa check` by its place
    const checked = findingsOf(await opa(['check', '--bundle', '--format', 'json', '.'], directory), '.manifest', 'opa check');
    return { ...NOTHING_RUN, findings: checked.length > 0 ? checked : findingsOf(ran, '.manifest', 'opa test') };
  }
  const tests = results.filter(isJsonObject);
  const failed = tests.filter((one) => one['fail'] === true || one['error'] !== undefined);
  const skipped = tests.filter((one) => one['skip'] === true).length;
  const findings = failed.map((one) => {
    const location = isJsonObject(one['location']) ? one['location'] : {};
    const { file, row, col } = location;
    const at = { file: typeof file === 'string' ? file : '.manifest', line: Number(row ?? 1), column: Number(col ?? 1) };
    const error = isJsonObject(one['error']) && typeof one['error']['message'] === 'string' ? ` (${one['error']['message']})` : '';
    return findingOf('test_failed', at, `${String(one['name'])}${error}`);
  });
  if (tests.length === 0) findings.push(findingOf('tests_missing', { file: '.manifest', line: 1, column: 1 }));
  const coverage = coverageOf(parseOutput(covered.stdout));
  if (coverage !== null && coverage.percent < coverageMin)
    findings.push(findingOf('coverage_low', { file: '.manifest', line: 1, column: 1 }, `${coverage.percent} %, at least ${coverageMin} %`));
  return { passed: tests.length - failed.length - skipped, failed: failed.length, skipped, coverage, findings };
}

/** Files of tests and of what tests stand on are left out. */
const TESTS = /(^|\/)[^/]*_test(\.rego|\/)/;

function coverageOf(report: JsonValue | null): Coverage | null {
  if (!isJsonObject(report) || !isJsonObject(report['files'])) return null;
  const files: FileCoverage[] = [];
  for (const [file, said] of Object.entries(report['files'])) {
    if (TESTS.test(file) || !isJsonObject(said)) continue;
    const count = (name: string): number => (typeof said[name] === 'number' ? said[name] : 0);
    files.push({ file, covered: count('covered_lines'), missed: count('not_covered_lines'), lines: rangesOf(said['not_covered']) });
  }
  const covered = files.reduce((sum, one) => sum + one.covered, 0);
  const all = files.reduce((sum, one) => sum + one.covered + one.missed, 0);
  return { percent: all === 0 ? 0 : Math.floor((1000 * covered) / all) / 10, files };
}

function rangesOf(ranges: JsonValue | undefined): (readonly [number, number])[] {
  const lines = new Map<string, readonly [number, number]>();
  for (const one of Array.isArray(ranges) ? ranges : []) {
    if (!isJsonObject(one) || !isJsonObject(one['start']) || !isJsonObject(one['end'])) continue;
    const { row: from } = one['start'];
    const { row: to } = one['end'];
    if (typeof from === 'number' && typeof to === 'number') lines.set(`${from}-${to}`, [from, to]);
  }
  return [...lines.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

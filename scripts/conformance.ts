// Runs the published vectors and prints a table: node scripts/conformance.ts [topic]. The judgement is that of test/conformance; ends with 1 on a failure.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { runOpa } from './conformance/opa/main.ts';
import { Known, Report, type TopicTotals, tally } from './conformance/tally.ts';
import { inRoot } from './project.mjs';
import { run } from './run.mjs';

const topic = process.argv[2] ?? null;
// OPA's own tests are so many that the tests of every day run a part of them; here they are run whole
if (topic === 'opa') process.exit(await runOpa(process.argv[3] ?? null));
const known = Known.parse(parse(await readFile(inRoot('test/conformance/known.yaml'), 'utf8')));
if (topic !== null && !Object.hasOwn(known.topics, topic)) {
  console.error(`${topic} is no topic: ${Object.keys(known.topics).join(', ')}`);
  process.exit(1);
}

const files = topic === null ? ['test/conformance/'] : (known.topics[topic] ?? []).map((file) => `test/conformance/${file}`);
const totals = tally(await reportOf(files), known, topic);
show(totals);
process.exitCode = totals.some(({ failed, cases }) => failed > 0 || cases === 0) ? 1 : 0;

async function reportOf(wanted: readonly string[]): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-conformance-'));
  try {
    const file = join(folder, 'report.json');
    const ran = await run('vitest', ['run', ...wanted, '--reporter=json', `--outputFile=${file}`, '--passWithNoTests'], {
      timeoutMs: 900_000,
    });
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text === null) throw new Error(`vitest left no report: ${ran.problem ?? ''} ${ran.stderr}`);
    return Report.parse(JSON.parse(text));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function show(all: readonly TopicTotals[]): void {
  const rows = [
    ['topic', 'cases', 'passed', 'refused on purpose', 'failed', 'skipped'],
    ...all.map((one) => [one.topic, ...[one.cases, one.passed, one.refused, one.failed, one.skipped].map(String)]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows)
    console.log(row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  '));
  for (const { topic: name, reasons } of all)
    for (const [reason, count] of reasons) console.log(`\n${name}: ${count} refused on purpose: ${reason}`);
  for (const { topic: name, problems } of all) for (const problem of problems) console.error(`\n${name}: failed: ${problem}`);
}

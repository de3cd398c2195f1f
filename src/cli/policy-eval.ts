import { type Command, InvalidArgumentError } from 'commander';
import { benchPolicy } from '../authoring/bench-policy.ts';
import { type Explained, openQuestion, readQuestion } from '../authoring/offline-question.ts';
import { readCases } from '../authoring/policy-cases.ts';
import { CaseError } from '../cases/case-error.ts';
import { askCase } from '../cases/run-case.ts';
import { isJsonObject } from '../contract/json.ts';
import { EXIT_DATA, EXIT_NO_INPUT, EXIT_OK } from './exit-codes.ts';
import { CommandEnd, type FolderOptions, type PolicyParts, readInput, runCommand, withFolderOptions } from './policy-command.ts';
import { readBundleOrFolder } from './policy-inspect.ts';

type BenchOptions = FolderOptions & { readonly input?: string; readonly cases?: string; readonly decisions: number };

/** Adds `policy eval` and `policy bench`. */
export function addPolicyEval(group: Command, parts: PolicyParts, exit: (code: number) => void): void {
  withFolderOptions(
    group
      .command('eval')
      .description('decide without a service, and tell which rules spoke and which were clear')
      .argument('<bundle>', 'a bundle, or a folder, which is compiled')
      .requiredOption('--input <file>', 'JSON, - for standard input: the input that Rego reads, a body of POST /decide, or a case'),
  ).action((path: string, options: FolderOptions & { readonly input: string }) =>
    runCommand(parts, options.json, exit, async () => {
      const explained = (await questionOf(path, options, options.input, parts))();
      parts.stdout(options.json === true ? `${JSON.stringify({ ok: true, ...jsonOf(explained) })}\n` : textOf(explained));
      return EXIT_OK;
    }),
  );

  withFolderOptions(
    group
      .command('bench')
      .description('measure what decisions cost here: microseconds, and memory')
      .argument('<bundle>', 'a bundle, or a folder, which is compiled')
      .option('--input <file>', 'one question, as for eval')
      .option('--cases <path>', 'a file or folder of cases, asked in turn')
      .option('--decisions <number>', 'how many', decisionsOf, 20_000),
  ).action((path: string, options: BenchOptions, command: Command) => {
    if ((options.input === undefined) === (options.cases === undefined)) command.error('error: one of --input and --cases is needed');
    return runCommand(parts, options.json, exit, () => bench(path, options, parts));
  });
}

async function questionOf(path: string, options: FolderOptions, input: string, parts: PolicyParts): Promise<() => Explained> {
  const question = readQuestion((await readInput(input, parts.stdin)).toString('utf8'));
  if ('problem' in question) throw new CommandEnd(EXIT_DATA, 'input_invalid', question.problem);
  const ask = await openQuestion(question, await readBundleOrFolder(path, options, parts), options.entrypoint, parts.policy);
  return () => asked(ask);
}

/** A question that cannot be asked is data that does not have the form. */
function asked<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    if (error instanceof CaseError) throw new CommandEnd(EXIT_DATA, 'input_invalid', error.message);
    throw error;
  }
}

async function bench(path: string, options: BenchOptions, parts: PolicyParts): Promise<number> {
  const questions =
    options.input === undefined ? await caseQuestions(path, options, parts) : [await questionOf(path, options, options.input, parts)];
  for (const ask of questions) asked(ask);
  const { memory, ...report } = benchPolicy(questions, options.decisions, parts.policy);
  const said = {
    ok: true,
    decisions: report.decisions,
    questions: report.questions,
    p50_us: report.p50Us,
    p99_us: report.p99Us,
    mean_us: report.meanUs,
    per_second: report.perSecond,
    memory: { rss_bytes: memory.rssBytes, rss_growth_bytes: memory.rssGrowthBytes, heap_bytes: memory.heapBytes },
  };
  const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
  parts.stdout(
    options.json === true
      ? `${JSON.stringify(said)}\n`
      : `${said.decisions} decisions over ${said.questions} questions: p50 ${said.p50_us} µs, p99 ${said.p99_us} µs, mean ${said.mean_us} µs; ` +
          `memory ${megabytes(memory.rssBytes)}, grown by ${megabytes(memory.rssGrowthBytes)}\n`,
  );
  return EXIT_OK;
}

async function caseQuestions(path: string, options: BenchOptions, parts: PolicyParts): Promise<(() => unknown)[]> {
  const read = await readCases(options.cases ?? '');
  const cases = (read?.cases ?? []).filter(({ levels }) => levels.includes('wasm'));
  if (cases.length === 0) throw new CommandEnd(EXIT_NO_INPUT, 'file_missing', `${options.cases} holds no case`);
  const policy = await parts.policy.load(await readBundleOrFolder(path, options, parts), options.entrypoint);
  return cases.map((one) => () => askCase(policy, one));
}

function jsonOf({ requiredAssurance, stepUp, ...explained }: Explained) {
  return { ...explained, required_assurance: requiredAssurance, step_up: stepUp };
}

function textOf({ effect, status, reasons, verdicts, risk, requiredAssurance, collect, error }: Explained): string {
  const spoke = verdicts.filter((one) => isJsonObject(one) && (one['effect'] !== 'clear' || Object.keys(one).length > 2));
  const clear = verdicts.filter((one) => !spoke.includes(one));
  const codeOf = (one: unknown): string => (isJsonObject(one) ? String(one['code']) : '');
  const lines = [
    `${effect}${status === null ? '' : ` ${status}`}${error === null ? '' : ` (${error})`}`,
    ...reasons.map(({ code, effect: said, title }) => `  ${code} (${said}): ${title}`),
    `assurance asked for ${requiredAssurance}, risk ${risk.score}${risk.factors.map(({ code, points }) => ` ${code}+${points}`).join('')}`,
    ...(collect.length === 0 ? [] : [`asks first: ${collect.join(' ')}`]),
    'spoke:',
    ...spoke.map((one) => {
      const { code, effect: said, ...details } = isJsonObject(one) ? one : {};
      return `  ${String(code)}: ${String(said)}${Object.keys(details).length === 0 ? '' : ` ${JSON.stringify(details)}`}`;
    }),
    `clear: ${clear.map(codeOf).join(' ')}`,
  ];
  return `${lines.join('\n')}\n`;
}

function decisionsOf(text: string): number {
  const value = Number(text);
  if (!/^\d{1,8}$/.test(text) || value < 1) throw new InvalidArgumentError('It is 1 to 99999999.');
  return value;
}

import { type Command, InvalidArgumentError, Option } from 'commander';
import { CountersignError } from '../contract/errors.ts';
import { exceededBy, parseThreshold, type Threshold } from '../replay/thresholds.ts';
import type { ReplayTask, ReplayTools } from '../replay/tools.ts';
import { EXIT_DATA, EXIT_FINDINGS, EXIT_NO_INPUT, EXIT_UNAVAILABLE, EXIT_USAGE } from './exit-codes.ts';
import { jsonOfReplay, textOfReplay } from './replay-output.ts';

/** What the command needs from the process. */
export type ReplayParts = {
  readonly tools: ReplayTools;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly exit: (code: number) => void;
};

type Options = {
  readonly log: readonly string[];
  readonly policy: string;
  readonly contract: ReplayTask['contract'];
  readonly entrypoint?: string;
  readonly name: string;
  readonly opa?: string;
  readonly maxNewDenies?: Threshold;
  readonly maxChanges?: Threshold;
  readonly maxNotReplayable?: Threshold;
  readonly maxDamaged?: Threshold;
  readonly examples: number;
  readonly json?: boolean;
};

const EXAMPLES_MAX = 1000;

/**
 * Adds `countersign replay`: 0 where nothing is over a threshold, 1 where something is, 65 for a policy that is refused and for logs of which no record
 * can be replayed, 66 for a log that cannot be read, or not to its end, 69 without OPA.
 */
export function addReplayCommand(program: Command, parts: ReplayParts): void {
  program
    .command('replay')
    .description('decide the records of a decision log again, by another policy, and say what changes')
    .requiredOption('--log <file...>', 'decision logs: lines of JSON, plain or gzip')
    .requiredOption('--policy <path>', 'the bundle, or the folder that is compiled')
    .addOption(
      new Option('--contract <contract>', 'what the policy reads and returns').choices(['rules', 'decision', 'envoy']).default('rules'),
    )
    .option('--entrypoint <path>', 'the rule that is evaluated; otherwise that of the contract')
    .option('--name <name>', 'only records of the policy of this name', 'default')
    .addOption(new Option('--opa <file>', 'the opa that compiles a folder; otherwise opa on PATH').env('OPA_BIN'))
    .option(
      '--max-new-denies <number or share>',
      'end with 1 where more records are denied that were not: 25, or 0.1% of those replayed',
      limitOf,
    )
    .option('--max-changes <number or share>', 'end with 1 where more records change in effect, reasons or status', limitOf)
    .option(
      '--max-not-replayable <number or share>',
      'end with 1 where more records cannot be replayed; a share is of all records',
      limitOf,
    )
    .option('--max-damaged <number or share>', 'end with 1 where more lines are damaged; a share is of all lines', limitOf)
    .option('--examples <number>', 'decision ids that are shown of each group', examplesOf, 3)
    .option('--json', 'print the report as JSON')
    .allowExcessArguments(false)
    .action((options: Options, command: Command) => {
      if (options.contract === 'decision' && options.entrypoint === undefined)
        command.error('error: --entrypoint must be named with --contract decision', { exitCode: EXIT_USAGE });
      return runReplay(parts, options);
    });
}

async function runReplay({ tools, stdout, stderr, exit }: ReplayParts, options: Options): Promise<void> {
  const { log: logs, policy, contract, name: policyName, examples: examplesMax, entrypoint = null, opa = null } = options;
  const { maxNewDenies, maxChanges, maxNotReplayable, maxDamaged, json = false } = options;
  try {
    const report = await tools.replay({ logs, policy, contract, entrypoint, opaBin: opa, policyName, examplesMax });
    const exceeded = exceededBy(report, {
      ...(maxNewDenies === undefined ? {} : { newDenies: maxNewDenies }),
      ...(maxChanges === undefined ? {} : { changed: maxChanges }),
      ...(maxNotReplayable === undefined ? {} : { notReplayable: maxNotReplayable }),
      ...(maxDamaged === undefined ? {} : { damaged: maxDamaged }),
    });
    stdout(json ? `${JSON.stringify(jsonOfReplay(report, exceeded))}\n` : textOfReplay(report, exceeded));
    if (report.brokenLogs.length > 0) {
      // what was read of it is no share of the whole
      stderr(`Not read to the end: ${report.brokenLogs.join(', ')}\n`);
      exit(EXIT_NO_INPUT);
    } else if (report.replayed === 0) {
      // nothing was shown, and that must not look like nothing that changes
      stderr(`No record of the policy ${JSON.stringify(policyName)} could be replayed.\n`);
      exit(EXIT_DATA);
    } else if (exceeded.length > 0) exit(EXIT_FINDINGS);
  } catch (thrown) {
    if (!(thrown instanceof CountersignError)) throw thrown;
    stderr(`${thrown.message}\n`);
    exit(thrown.code === 'fetch_failed' ? EXIT_NO_INPUT : thrown.code === 'opa_missing' ? EXIT_UNAVAILABLE : EXIT_DATA);
  }
}

function limitOf(text: string): Threshold {
  const threshold = parseThreshold(text);
  if (threshold === null) throw new InvalidArgumentError('must be a whole number, or a share such as 0.1%');
  return threshold;
}

function examplesOf(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) > EXAMPLES_MAX) throw new InvalidArgumentError(`must be 0 to ${EXAMPLES_MAX}`);
  return Number(text);
}

import { type Command, InvalidArgumentError, Option } from 'commander';
import { CountersignError } from '../contract/errors.ts';
import { LIST_FORMATS, LIST_KINDS, type ListContentOptions, type ListFormat, type ListKind, type ListReport } from '../contract/lists.ts';

/** Reads a file and says what the service would make of it; fails with `fetch_*` where it cannot be read. */
export type CheckList = (file: string, options: ListContentOptions) => Promise<ListReport>;

/** What the commands need from the process. */
export type ListsParts = {
  readonly checkList: CheckList;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly exit: (code: number) => void;
};

type CheckOptions = {
  readonly kind: ListKind;
  readonly format: ListFormat;
  readonly column?: string | number;
  readonly field?: string;
  readonly entriesMin: number;
  readonly entriesMax: number;
  readonly badLinesMax: number;
  readonly allowWide?: boolean;
  readonly json?: boolean;
};

/** As sysexits.h has them. */
const EXIT_DATA = 65;
const EXIT_NO_INPUT = 66;

/** Adds `countersign lists …`: 0 where a list would be taken, 65 where it would be refused, 66 where it cannot be read. */
export function addListsCommands(program: Command, parts: ListsParts): void {
  program
    .command('lists')
    .description('look after lists of addresses and of AS numbers')
    .command('check')
    .description('read a list as the service would, and say what is in it and what is wrong with it')
    .argument('<file>', 'the list')
    .addOption(new Option('--kind <kind>', 'what it names').choices(LIST_KINDS).default('addresses'))
    .addOption(new Option('--format <format>', 'its form').choices(LIST_FORMATS).default('lines'))
    .option(
      '--column <name or number>',
      'of csv: the column of the entries; a number counts from 1 and means that there is no header',
      columnOf,
    )
    .option('--field <name>', 'of jsonl: the member with the entry')
    .option('--entries-min <number>', 'fewer are refused', numberOf(0, 10_000_000), 1)
    .option('--entries-max <number>', 'more are refused', numberOf(1, 5_000_000), 500_000)
    .option('--bad-lines-max <share>', 'share of wrong lines, 0 to 1, that is accepted', numberOf(0, 1), 0.05)
    .option('--allow-wide', 'accept entries wider than IPv4 /8 and IPv6 /16')
    .option('--json', 'print the report as JSON')
    .allowExcessArguments(false)
    .action(async (file: string, options: CheckOptions, command: Command) => {
      if ((options.format === 'csv') !== (options.column !== undefined)) command.error('error: --column goes with --format csv');
      if ((options.format === 'jsonl') !== (options.field !== undefined)) command.error('error: --field goes with --format jsonl');
      await runCheck(parts, file, options);
    });
}

async function runCheck(parts: ListsParts, file: string, options: CheckOptions): Promise<void> {
  const { kind, format, column = null, field = null, entriesMin, entriesMax, badLinesMax, allowWide = false, json = false } = options;
  try {
    const report = await parts.checkList(file, { kind, format, column, field, entriesMin, entriesMax, badLinesMax, allowWide });
    parts.stdout(json ? `${JSON.stringify(jsonOf(report))}\n` : textOf(report));
    if (!json) for (const { line, problem } of report.problems) parts.stderr(`line ${line}: ${problem}\n`);
    if (report.refused !== null) parts.exit(EXIT_DATA);
  } catch (thrown) {
    if (!(thrown instanceof CountersignError)) throw thrown;
    parts.stderr(`${thrown.message}\n`);
    parts.exit(EXIT_NO_INPUT);
  }
}

function jsonOf(report: ListReport) {
  const { refused, entries, ipv4Ranges, ipv6Ranges, asns, badLines, problems, sha256 } = report;
  return { refused, entries, ipv4_ranges: ipv4Ranges, ipv6_ranges: ipv6Ranges, asns, bad_lines: badLines, problems, sha256 };
}

function textOf({ refused, entries, ipv4Ranges, ipv6Ranges, asns, badLines, sha256 }: ListReport): string {
  return [
    `${refused === null ? 'good' : `refused: ${refused}`}`,
    `entries      ${entries}`,
    `ipv4 ranges  ${ipv4Ranges}`,
    `ipv6 ranges  ${ipv6Ranges}`,
    `asns         ${asns}`,
    `bad lines    ${badLines}`,
    `sha256       ${sha256}`,
    '',
  ].join('\n');
}

function columnOf(text: string): string | number {
  return /^[1-9]\d{0,3}$/.test(text) ? Number(text) : text;
}

function numberOf(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`must be ${min} to ${max}`);
    return value;
  };
}

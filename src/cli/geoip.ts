import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { GeoipTools } from '../contract/geoip.ts';
import { describeFile, printable, tableOf } from './geoip-table.ts';

export type GeoipParts = {
  readonly geoip: GeoipTools;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
};

/** Exit codes as sysexits.h has them. */
const EXIT_DATA = 65;
const EXIT_UNAVAILABLE = 69;
const EXIT_WRITE = 74;

/** Refusals that say nothing about the data: it could not be had, or not be put where it belongs. */
const UNAVAILABLE: ReadonlySet<string> = new Set(['fetch_failed', 'file_missing', 'file_unreadable', 'registry_unknown']);

type UpdateOptions = {
  readonly from: string;
  readonly to: string;
  readonly sha256?: string;
  readonly entry?: string;
  readonly registry?: string;
  readonly force?: boolean;
};

/** `countersign geoip status | update | check`: work on the files; the running service tells its own view in `/status`. */
export function addGeoipCommands(program: Command, { geoip, stdout, stderr }: GeoipParts, exitWith: (code: number) => void): void {
  const group = program.command('geoip').description('look after the files of network.databases');

  async function show(files: readonly string[], json: boolean): Promise<void> {
    const found = await Promise.all(files.map((file) => geoip.inspect(file)));
    stdout(json ? `${JSON.stringify(found.map(describeFile))}\n` : tableOf(found));
    if (found.some(({ state }) => state !== 'ready')) exitWith(EXIT_DATA);
  }

  group
    .command('status')
    .description('tell type, build time, age and size of each configured database')
    .option('--config <file>', 'YAML file with the configuration; otherwise COUNTERSIGN_CONFIG names it')
    .option('--json', 'print JSON')
    .allowExcessArguments(false)
    .action(async (options: { readonly config?: string; readonly json?: boolean }) => {
      const { databases } = loadConfig({ file: options.config }).network;
      const files = databases.map((entry) => (typeof entry === 'string' ? entry : entry.file));
      if (files.length === 0 && options.json !== true) stdout('No databases are configured.\n');
      else await show(files, options.json === true);
    });

  group
    .command('check')
    .description('open files and look up addresses all over them')
    .argument('<files...>')
    .option('--json', 'print JSON')
    .action((files: readonly string[], options: { readonly json?: boolean }) => show(files, options.json === true));

  group
    .command('update')
    .description('replace a database by one from a directory, a file, a URL or an npm package, after a checksum and a trial')
    .requiredOption('--from <source>', 'directory, file, https URL or npm:PACKAGE@VERSION; .gz, .tar and .tar.gz are unpacked')
    .requiredOption('--to <file>', 'the file to replace')
    .option('--sha256 <hex>', 'SHA-256 of what is fetched; a URL without it needs one beside it, as <URL>.sha256', parseSha256)
    .option('--entry <name>', 'the file to take where there are several')
    .option('--registry <url>', 'registry for npm:, otherwise the one that npm is configured with')
    .option('--force', 'also a database that is older, of another type or of an unknown layout')
    .allowExcessArguments(false)
    .action(async (options: UpdateOptions) => {
      const { from, to, sha256 = null, entry = null, registry = null, force = false } = options;
      const done = await geoip.update({ from, to, sha256, entry, registry, force });
      if ('refused' in done) {
        stderr(`refused: ${done.refused}${done.detail === null ? '' : ` (${printable(done.detail)})`}; ${to} is left as it was\n`);
        exitWith(exitCodeOf(done.refused));
        return;
      }
      stdout(`${done.unchanged ? 'unchanged' : 'installed'}: SHA-256 of the source ${done.sha256}\n${tableOf([done.installed])}`);
    });
}

function exitCodeOf(refused: string): number {
  if (refused === 'write_failed') return EXIT_WRITE;
  return UNAVAILABLE.has(refused) ? EXIT_UNAVAILABLE : EXIT_DATA;
}

function parseSha256(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new InvalidArgumentError('It must be 64 hexadecimal digits.');
  return text.toLowerCase();
}

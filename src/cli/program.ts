import { createHash } from 'node:crypto';
import { Command, CommanderError } from 'commander';
import type { PolicyTools } from '../authoring/tools.ts';
import { ConfigError } from '../config/config-error.ts';
import { loadConfig } from '../config/load.ts';
import { printConfig } from '../config/mask.ts';
import type { Config } from '../config/schema.ts';
import type { GeoipTools } from '../contract/geoip.ts';
import type { ReplayTools } from '../replay/tools.ts';
import { addDoctorCommand, type Examine } from './doctor.ts';
import { EXIT_CONFIG, EXIT_DATA, EXIT_OK, EXIT_USAGE } from './exit-codes.ts';
import { addGeoipCommands } from './geoip.ts';
import { addKeysCommand } from './keys.ts';
import { addListsCommands, type CheckList } from './lists.ts';
import { addPolicyCommands } from './policy.ts';
import { addRegistryCommand } from './registry.ts';
import { addReplayCommand } from './replay.ts';

/** What the command line needs from the process. */
export type ProgramParts = {
  readonly version: string;
  /** Runs the service until it has ended; resolves with the exit code of the process. */
  readonly serve: (config: Config) => Promise<number>;
  readonly geoip: GeoipTools;
  readonly checkList: CheckList;
  /** Without it there is no `countersign policy`. */
  readonly policy?: PolicyTools;
  /** Without it there is no `countersign replay`. */
  readonly replay?: ReplayTools;
  /** Without it there is no `countersign doctor`. */
  readonly examine?: Examine;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** A cryptographic source of random bytes. */
  readonly randomBytes: (size: number) => Uint8Array;
};

const TOKEN_BYTES_MAX = 65_536;

/**
 * Runs `countersign` with the arguments after its name, and resolves with the exit code: 0, 64 for wrong arguments, 65 for a token
 * that is none and for data that is refused, 66 for a registry that is not there, 69 for what could not be fetched, 78 for a configuration that
 * is refused, or what `serve` says.
 */
export async function runProgram(args: readonly string[], parts: ProgramParts): Promise<number> {
  let exitCode = EXIT_OK;
  const program = new Command('countersign')
    .description('Decides whether requests of machines and AI agents may pass.')
    .version(parts.version)
    .exitOverride()
    .configureOutput({ writeOut: parts.stdout, writeErr: parts.stderr });

  program
    .command('serve', { isDefault: true })
    .description('run the service (what happens without a command)')
    .option('--config <file>', 'YAML file with the configuration; otherwise COUNTERSIGN_CONFIG names it')
    .option('--print-config', 'print the effective configuration, secrets masked, and end')
    .allowExcessArguments(false)
    .action(async (options: { readonly config?: string; readonly printConfig?: boolean }) => {
      const config = loadConfig({ file: options.config });
      if (options.printConfig) parts.stdout(printConfig(config));
      else exitCode = await parts.serve(config);
    });

  program
    .command('hash-token')
    .description('read a token from standard input and print its SHA-256 for tokenSha256')
    .allowExcessArguments(false)
    .action(async () => {
      const token = await readToken(parts.stdin);
      if (/^[\x21-\x7e]+$/.test(token)) {
        parts.stdout(`${createHash('sha256').update(token).digest('hex')}\n`);
        return;
      }
      parts.stderr('A token is one line of printable ASCII without spaces, and not empty.\n');
      exitCode = EXIT_DATA;
    });

  const exit = (code: number): void => {
    exitCode = code;
  };
  addGeoipCommands(program, parts, exit);
  addListsCommands(program, { ...parts, exit });
  addKeysCommand(program, parts, exit);
  addRegistryCommand(program, parts, exit);
  if (parts.policy !== undefined) addPolicyCommands(program, { ...parts, policy: parts.policy }, exit);
  if (parts.examine !== undefined) addDoctorCommand(program, { examine: parts.examine, stdout: parts.stdout, exit });
  if (parts.replay !== undefined) addReplayCommand(program, { ...parts, tools: parts.replay, exit });

  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    if (!(error instanceof ConfigError)) throw error;
    parts.stderr(`${error.message}\n`);
    return EXIT_CONFIG;
  }
  return exitCode;
}

/** All of the input without the line end that `echo` adds; too much of it is no token. */
async function readToken(stdin: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    size += bytes.length;
    if (size > TOKEN_BYTES_MAX) return '';
    chunks.push(bytes);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

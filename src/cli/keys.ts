import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { digestOf, keyedHashText } from '../formats/api-key-hash.ts';
import { makeApiKey } from '../formats/api-key-text.ts';
import { parseHashKey } from '../registry/hash-keys.ts';
import { parseRecords } from '../registry/parse-records.ts';
import { problemText } from '../registry/problem.ts';
import { EXIT_DATA, EXIT_NO_INPUT, EXIT_OK } from './exit-codes.ts';

/** What the command needs from the process. */
export type KeysParts = {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** A cryptographic source of random bytes. */
  readonly randomBytes: (size: number) => Uint8Array;
};

type CreateOptions = {
  readonly client: string;
  readonly hashKeyFile: string;
  readonly hashKeyId: string;
  readonly name?: string;
  readonly scopes?: readonly string[];
  readonly expires?: string;
  readonly networks?: readonly string[];
  readonly json?: boolean;
};

/** Adds `keys create`; `exit` takes its exit code. */
export function addKeysCommand(program: Command, parts: KeysParts, exit: (code: number) => void): void {
  const keys = program.command('keys').description('API keys of the registry');
  keys
    .command('create')
    .description('make an API key: print it, this once, and the entry for `keys:` in a file of the registry, which holds only its hash')
    .requiredOption('--client <id>', 'the client that it belongs to')
    .requiredOption('--hash-key-file <file>', 'file with the secret of a hash key: one line of 32 characters at least')
    .requiredOption('--hash-key-id <id>', 'what registry.hashKeys of the configuration calls that hash key', hashKeyId)
    .option('--name <text>', 'a name for people')
    .option('--scopes <scopes>', 'scopes of the key, by commas; otherwise those of the client', listed)
    .option('--expires <time>', 'when it ends: 2027-01-31T00:00:00Z, or a day')
    .option('--networks <blocks>', 'addresses and CIDR blocks that it counts from, by commas', listed)
    .option('--json', 'print {"key": …, "entry": {…}}')
    .allowExcessArguments(false)
    .action((options: CreateOptions) => exit(create(options, parts)));
}

function create(options: CreateOptions, { stdout, stderr, randomBytes }: KeysParts): number {
  const hashKey = readHashKey(options.hashKeyFile);
  if (hashKey === null) {
    stderr('The hash key file cannot be read, or is not one line of 32 printable characters at least.\n');
    return EXIT_NO_INPUT;
  }
  const { id, text } = makeApiKey(randomBytes);
  const entry = {
    id,
    client: options.client,
    hash: keyedHashText(options.hashKeyId, digestOf(text, hashKey)),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.scopes === undefined ? {} : { scopes: options.scopes }),
    ...(options.expires === undefined ? {} : { expiresAt: options.expires }),
    ...(options.networks === undefined ? {} : { networks: options.networks }),
  };
  const problems = problemsOf(entry);
  if (problems.length > 0) {
    stderr(`${problems.join('\n')}\n`);
    return EXIT_DATA;
  }
  if (options.json === true) stdout(`${JSON.stringify({ key: text, entry })}\n`);
  else stdout(`${text}\n\n# The key is shown this once. For \`keys:\` in a file of the registry:\n${yamlOf(entry)}`);
  return EXIT_OK;
}

/** What the registry itself would say of the entry, for a client that is there. */
function problemsOf(entry: { readonly client: string }): string[] {
  const lines = [{ client: { clientId: entry.client, type: 'service' } }, { key: entry }].map((one) => JSON.stringify(one));
  const { problems } = parseRecords([{ name: 'entry.jsonl', text: lines.join('\n') }], { entriesMax: 2, hashKeyIds: null });
  return problems.map((problem) => problemText({ ...problem, file: 'entry', line: null }));
}

/** JSON values are YAML. */
function yamlOf(entry: object): string {
  return Object.entries(entry)
    .map(([name, value]: [string, unknown], index) => `${index === 0 ? '  - ' : '    '}${name}: ${JSON.stringify(value)}\n`)
    .join('');
}

function readHashKey(file: string) {
  try {
    return parseHashKey(readFileSync(file, 'utf8'));
  } catch {
    // that it cannot be read is the answer
    return null;
  }
}

function listed(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

function hashKeyId(text: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/.test(text)) return text;
  throw new InvalidArgumentError('It is 1 to 64 of a-z, 0-9, "-" and "_".');
}

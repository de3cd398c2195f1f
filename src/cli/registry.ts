import type { Command } from 'commander';
import { type LoadBounds, type Loaded, loadFiles } from '../registry/load-files.ts';
import { type Problem, problemText } from '../registry/problem.ts';
import { listFiles, type Part } from '../registry/source-files.ts';
import { EXIT_DATA, EXIT_NO_INPUT, EXIT_OK } from './exit-codes.ts';

/** Where the command writes to. */
export type RegistryCommandParts = { readonly stdout: (text: string) => void; readonly stderr: (text: string) => void };

type CheckOptions = { readonly hashKeyIds?: readonly string[]; readonly json?: boolean };

const ENTRIES_MAX = 1_000_000;
const BYTES_MAX = 1_073_741_824;

/** Adds `registry check`; `exit` takes its exit code. */
export function addRegistryCommand(program: Command, parts: RegistryCommandParts, exit: (code: number) => void): void {
  const registry = program.command('registry').description('files of clients, API keys and revocations');
  registry
    .command('check <directory>')
    .description('judge the files of a registry as the service does; exit codes: 0 sound, 65 not sound, 66 not there')
    .option('--hash-key-ids <ids>', 'ids of registry.hashKeys, by commas; otherwise any will do', (text) => text.split(','))
    .option('--json', 'print {"ok", "clients", "api_keys", "revocations", "problems": [{"file", "line", "field", "message"}]}')
    .allowExcessArguments(false)
    .action((directory: string, options: CheckOptions) => exit(check(directory, options, parts)));
}

function check(directory: string, { hashKeyIds, json }: CheckOptions, { stdout, stderr }: RegistryCommandParts): number {
  const bounds: LoadBounds = { entriesMax: ENTRIES_MAX, bytesMax: BYTES_MAX, hashKeyIds: hashKeyIds ?? null };
  const records = load('records', directory, bounds);
  const revocations = load('revocations', directory, bounds);
  const refusals = [records, revocations].filter((one) => !one.ok);
  const problems: Problem[] = refusals.flatMap((one) => [...one.problems]);
  const counts = {
    clients: records.ok ? (records.records?.clients.length ?? 0) : null,
    api_keys: records.ok ? (records.records?.apiKeys.length ?? 0) : null,
    revocations: revocations.ok ? (revocations.revocations?.revocations.length ?? 0) : null,
  };
  const ok = refusals.length === 0;
  if (json === true) stdout(`${JSON.stringify({ ok, ...counts, problems })}\n`);
  else if (ok) stdout(`sound: ${counts.clients} clients, ${counts.api_keys} API keys, ${counts.revocations} revocations\n`);
  else stderr(`${problems.map(problemText).join('\n')}\n`);
  if (ok) return EXIT_OK;
  return refusals.every(({ code }) => code === 'registry_missing') ? EXIT_NO_INPUT : EXIT_DATA;
}

function load(part: Part, directory: string, bounds: LoadBounds): Loaded {
  try {
    return loadFiles(part, listFiles(directory, part), bounds);
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
    return {
      ok: false,
      code: 'registry_missing',
      problems: [{ file: part, line: null, field: null, message: `could not be read (${code})` }],
    };
  }
}

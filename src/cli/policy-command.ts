import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { type Finding, findingText } from '../authoring/finding.ts';
import { createOpa, type Opa } from '../authoring/opa.ts';
import { isPolicyFolder } from '../authoring/policy-folder.ts';
import type { PolicyTools } from '../authoring/tools.ts';
import { readOpaBin } from '../config/command-environment.ts';
import { CountersignError } from '../contract/errors.ts';
import { EXIT_DATA, EXIT_FINDINGS, EXIT_NO_INPUT, EXIT_NO_PERMISSION, EXIT_OK, EXIT_UNAVAILABLE } from './exit-codes.ts';

/* What the commands of `countersign policy` have in common. */

/** What they need from the process. */
export type PolicyParts = {
  readonly policy: PolicyTools;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
};

/** Options that every command over a folder has. */
export type FolderOptions = { readonly opa?: string; readonly entrypoint: string; readonly json?: boolean };

export const ENTRYPOINT = 'countersign/decision/result';

/** Adds `--opa`, `--entrypoint` and `--json`. */
export function withFolderOptions(command: Command): Command {
  return command
    .option('--opa <file>', 'the opa binary; otherwise COUNTERSIGN_POLICY_OPA_BIN, otherwise `opa` on PATH')
    .option('--entrypoint <path>', 'the document that is evaluated', ENTRYPOINT)
    .option('--json', 'print JSON')
    .allowExcessArguments(false);
}

/** An end of a command that is not its success: the text says why. */
export class CommandEnd extends Error {
  override readonly name = 'CommandEnd';
  readonly exitCode: number;
  readonly code: string;

  constructor(exitCode: number, code: string, text: string) {
    super(text);
    this.exitCode = exitCode;
    this.code = code;
  }
}

/** Runs a command; how it ends is told by an exit code, in words on stderr or, with `--json`, as `{"ok": false, "error": {code, text}}` on stdout. */
export async function runCommand(
  { stdout, stderr }: PolicyParts,
  json: boolean | undefined,
  exit: (code: number) => void,
  action: () => Promise<number>,
): Promise<void> {
  try {
    exit(await action());
  } catch (thrown) {
    const end = endOf(thrown);
    if (json === true) stdout(`${JSON.stringify({ ok: false, error: { code: end.code, text: end.message } })}\n`);
    else stderr(`${end.code}: ${end.message}\n`);
    exit(end.exitCode);
  }
}

const UNAVAILABLE: ReadonlySet<string> = new Set(['opa_missing', 'fetch_failed', 'fetch_too_large']);

function endOf(thrown: unknown): CommandEnd {
  if (thrown instanceof CommandEnd) return thrown;
  if (!(thrown instanceof CountersignError)) throw thrown;
  if (thrown.code === 'policy_compile_failed') return new CommandEnd(EXIT_FINDINGS, thrown.code, thrown.message);
  return new CommandEnd(UNAVAILABLE.has(thrown.code) ? EXIT_UNAVAILABLE : EXIT_DATA, thrown.code, thrown.message);
}

/** Tells what was found; `more` goes into the JSON beside it, `summary` is the one line for people where nothing was. */
export function showFindings(
  { stdout, stderr }: PolicyParts,
  json: boolean | undefined,
  findings: readonly Finding[],
  more: Readonly<Record<string, unknown>>,
  summary: string,
): number {
  const ok = findings.length === 0;
  if (json === true) stdout(`${JSON.stringify({ ok, ...more, findings })}\n`);
  else {
    for (const finding of findings) stderr(`${findingText(finding)}\n`);
    stdout(`${ok ? summary : `${findings.length} findings; ${summary}`}\n`);
  }
  return ok ? EXIT_OK : EXIT_FINDINGS;
}

/** OPA as the options or the environment name it, and its name. */
export function opaOf({ opa }: { readonly opa?: string }): { readonly opa: Opa; readonly opaBin: string } {
  const opaBin = opa ?? readOpaBin() ?? 'opa';
  return { opa: createOpa(opaBin), opaBin };
}

/** Ends the command where the folder is none of a policy. */
export async function needPolicyFolder(directory: string): Promise<void> {
  if (!(await isPolicyFolder(directory)))
    throw new CommandEnd(EXIT_NO_INPUT, 'policy_folder_missing', `${directory} is no folder with a .manifest`);
}

/** Bytes of a file, or of standard input for `-`. */
export async function readInput(file: string, stdin: AsyncIterable<Uint8Array | string>): Promise<Buffer> {
  if (file === '-') return buffer(Readable.from(stdin));
  try {
    return await readFile(file);
  } catch (error) {
    throw new CommandEnd(EXIT_NO_INPUT, 'file_missing', `${file} could not be read (${codeOf(error)})`);
  }
}

/** The code of a failure of the file system. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

/** What an answer of the admin API that is no success means for the process. */
export function exitCodeOfStatus(status: number): number {
  if (status === 401 || status === 403) return EXIT_NO_PERMISSION;
  return status >= 500 || status === 429 || status < 400 ? EXIT_UNAVAILABLE : EXIT_DATA;
}

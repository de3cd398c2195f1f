import type { Command } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Finding } from '../contract/doctor.ts';
import { EXIT_CONFIG, EXIT_FINDINGS, EXIT_OK } from './exit-codes.ts';

/** Looks at all that a configuration needs, and changes nothing. Never rejects. */
export type Examine = (config: Config) => Promise<readonly Finding[]>;

export type DoctorCommandParts = {
  readonly examine: Examine;
  readonly stdout: (text: string) => void;
  readonly exit: (code: number) => void;
};

type DoctorOptions = { readonly config?: string; readonly json?: boolean; readonly strict?: boolean };

/** Adds `doctor`. */
export function addDoctorCommand(program: Command, { examine, stdout, exit }: DoctorCommandParts): void {
  program
    .command('doctor')
    .description(
      'look at all that the service needs, change nothing, and say what is wrong and what to do; exit codes: 0 it can start, 1 something failed, 78 the configuration is refused',
    )
    .option('--config <file>', 'YAML file with the configuration; otherwise COUNTERSIGN_CONFIG names it')
    .option('--strict', 'end with 1 for a warning too')
    .option('--json', 'print {"ok", "findings": [{"check", "subject", "status", "message", "remedy"}]}')
    .allowExcessArguments(false)
    .action(async ({ config: file, json = false, strict = false }: DoctorOptions) => {
      const loaded = load(file);
      const findings = 'refused' in loaded ? loaded.refused : [CONFIG_FINE, ...(await examine(loaded.config))];
      const ok = findings.every(({ status }) => status === 'ok' || (status === 'warning' && !strict));
      stdout(json ? `${JSON.stringify({ ok, findings })}\n` : textOf(findings));
      exit('refused' in loaded ? EXIT_CONFIG : ok ? EXIT_OK : EXIT_FINDINGS);
    });
}

const CONFIG_FINE: Finding = { check: 'config', subject: null, status: 'ok', message: 'every key and value is good', remedy: null };

function load(file: string | undefined): { readonly config: Config } | { readonly refused: readonly Finding[] } {
  try {
    return { config: loadConfig({ file }) };
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    const common = { check: 'config', status: 'failed' as const, remedy: 'docs/configuration.md has every key with its values' };
    const problems = thrown.problems.map(({ path, message }): Finding => ({ ...common, subject: path === '' ? null : path, message }));
    return { refused: problems.length > 0 ? problems : [{ ...common, subject: null, message: thrown.message }] };
  }
}

const MARKS = { ok: 'ok     ', warning: 'WARNING', failed: 'FAILED ' } as const;

function textOf(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ check, subject, status, message, remedy }) => [
    printable(`${MARKS[status]} ${check}${subject === null ? '' : ` ${subject}`}: ${message}`),
    ...(remedy === null ? [] : [printable(`        do: ${remedy}`)]),
  ]);
  const count = (wanted: Finding['status']): number => findings.filter(({ status }) => status === wanted).length;
  return `${lines.join('\n')}\n${count('failed')} failed, ${count('warning')} to look at, ${count('ok')} well\n`;
}

/** Names and texts out of files and answers, without what a terminal would obey. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

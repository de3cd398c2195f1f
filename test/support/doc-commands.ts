import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { OPA_BIN, PROJECT_ROOT } from '../decide/fixtures.ts';

/** A command of a page, and the lines that the page says it prints. */
export type ShownCommand = { readonly command: string; readonly output: readonly string[] };

/** The commands of a `console` block: each begins with `$ `. */
export function commandsOf(text: string): ShownCommand[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((entry) => {
      const [command = '', ...output] = entry.trimEnd().split('\n');
      return { command, output };
    });
}

/** Runs a line as a shell does, with `countersign` as the process that it is. */
export function runCommand(line: string, cwd: string): Promise<{ output: string; code: number }> {
  const countersign = `countersign() { ${JSON.stringify(process.execPath)} ${JSON.stringify(join(PROJECT_ROOT, 'src/main.ts'))} "$@"; }`;
  const script = `${countersign}\nexec 2>&1\n${line}`;
  return new Promise((done) => {
    const env = { ...process.env, COUNTERSIGN_POLICY_OPA_BIN: OPA_BIN };
    execFile('bash', ['-c', script], { cwd, env }, (error, output) => done({ output, code: Number(error?.code ?? 0) }));
  });
}

/**
 * The output as the page has it: `…` is anything in a line, and alone in a line any number of lines. How many rules and files the base pack has
 * moves with every rule of it: any number will do.
 */
export function outputPattern(output: readonly string[]): RegExp {
  const lines = output.map((line) =>
    line === '…'
      ? '(?:.*\\n)*?'
      : `${line
          .split('…')
          .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replace(/\d+(?= (rules|files))|(?<=^rules +)\d+/g, '\\d+'))
          .join('.*')}\\n`,
  );
  return new RegExp(`^${lines.join('')}$`);
}

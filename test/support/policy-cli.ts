import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { PolicyTools } from '../../src/authoring/tools.ts';
import { runProgram } from '../../src/cli/program.ts';
import { createPolicyTools } from '../../src/compose/policy-tools.ts';
import { systemClock } from '../../src/system-clock.ts';
import { OPA_BIN } from '../decide/fixtures.ts';

export const TOOLS: PolicyTools = createPolicyTools(systemClock);
const RUN_OPA = new Set(['check', 'test', 'build', 'inspect', 'diff', 'eval', 'bench']);

/** `countersign policy ARGS`, with the real opa and what the process itself hands in. */
export async function policyCli(args: readonly string[], stdin: string | Uint8Array = '') {
  let stdout = '';
  let stderr = '';
  const named = RUN_OPA.has(args[0] ?? '') && !args.includes('--opa') ? [...args, '--opa', OPA_BIN] : args;
  const code = await runProgram(['policy', ...named], {
    version: '1.2.3',
    serve: () => Promise.reject(new Error('not asked for')),
    geoip: { inspect: () => Promise.reject(new Error('not asked for')), update: () => Promise.reject(new Error('not asked for')) },
    checkList: () => Promise.reject(new Error('not asked for')),
    policy: TOOLS,
    stdin: Readable.from([stdin]),
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    randomBytes,
  });
  return { code, stdout, stderr };
}

/** The same with `--json`, and what it printed. */
export async function policyJson(args: readonly string[], stdin: string | Uint8Array = '') {
  const { code, stdout, stderr } = await policyCli([...args, '--json'], stdin);
  const said: unknown = JSON.parse(stdout);
  return { code, said: Object(said), stderr };
}

/** Findings as `file:line:column code`. */
export function placesOf(said: { readonly findings?: unknown }): string[] {
  const findings = Array.isArray(said.findings) ? said.findings : [];
  return findings.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`);
}

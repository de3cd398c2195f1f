import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonValue } from '../contract/json.ts';
import type { Finding } from './finding.ts';

/* Runs the real `opa`: it alone knows Rego. */

const OUTPUT_BYTES_MAX = 256 << 20;
const TIMEOUT_MS = 300_000;
const CHOICES_MAX = 24;

export type OpaRun = { readonly ok: boolean; readonly stdout: string; readonly stderr: string };

/**
 * Runs OPA in a folder; that it found something is an answer and no error.
 * @throws CountersignError opa_missing
 */
export type Opa = (parameters: readonly string[], cwd: string) => Promise<OpaRun>;

/** OPA by the path of its binary, or by a name on PATH. */
export function createOpa(binary: string): Opa {
  // a relative path is one of this process, not of the folder that OPA runs in
  const file = binary.includes('/') ? resolve(binary) : binary;
  return (parameters, cwd) =>
    new Promise((done, fail) => {
      execFile(file, parameters, { cwd, timeout: TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
        if (error !== null && error.code === 'ENOENT') fail(new CountersignError('opa_missing', { detail: binary, cause: error }));
        else done({ ok: error === null, stdout, stderr });
      });
    });
}

/** What `--format json` wrote, or null where it is no JSON. */
export function parseOutput(text: string): JsonValue | null {
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    // OPA ended before it wrote its report; its stderr says why
    return null;
  }
}

/** The errors of an OPA report, `{"errors": [{code, message, location}]}`; without one the whole run is one finding. */
export function findingsOf(run: OpaRun, file: string, what: string): Finding[] {
  if (run.ok) return [];
  const report = parseOutput(run.stderr) ?? parseOutput(run.stdout);
  const errors = isJsonObject(report) && Array.isArray(report['errors']) ? report['errors'] : [];
  const found = errors.filter(isJsonObject).map((error): Finding => {
    const location = isJsonObject(error['location']) ? error['location'] : {};
    return {
      file: typeof location['file'] === 'string' && location['file'] !== '' ? location['file'].replace(/^\.\//, '') : file,
      line: placeOf(location['row']),
      column: placeOf(location['col']),
      code: typeof error['code'] === 'string' ? error['code'] : 'rego_error',
      text: typeof error['message'] === 'string' ? `${error['message']}${choicesOf(error['details'])}` : what,
    };
  });
  if (found.length > 0) return found;
  const said = (run.stderr.trim() || run.stdout.trim()).split('\n')[0] ?? '';
  return [{ file, line: 1, column: 1, code: 'rego_error', text: `${what}: ${said}` }];
}

/** What could stand where a reference leads nowhere. */
function choicesOf(details: JsonValue | undefined): string {
  const names = isJsonObject(details) && Array.isArray(details['oneOf']) ? details['oneOf'].filter((one) => typeof one === 'string') : [];
  const more = names.length > CHOICES_MAX ? ', …' : '';
  return names.length === 0 ? '' : ` (there is: ${names.slice(0, CHOICES_MAX).join(', ')}${more})`;
}

/** OPA counts from 1 and says 0 for the end of a file. */
function placeOf(value: JsonValue | undefined): number {
  return typeof value === 'number' && value >= 1 ? value : 1;
}

import { CountersignError } from '../contract/errors.ts';
import type { Finding } from './finding.ts';

const PLACED = /(?:^|\s)([^\s:]+\.rego):(\d+): (rego_\w+): ([^\n]*)/g;

/** What OPA said of sources that do not compile, each at its line; null where the failure is another. */
export function compileFindings(error: unknown): Finding[] | null {
  if (!(error instanceof CountersignError) || error.code !== 'policy_compile_failed') return null;
  const { message } = error;
  const found = [...message.matchAll(PLACED)].map(([, file = '', line = '1', code = '', text = '']) => ({
    file,
    line: Number(line),
    column: 1,
    code,
    // the last of them ends with the bracket of the whole message
    text: message.endsWith(`${text}`) ? text.replace(/\)$/, '') : text,
  }));
  return found.length > 0 ? found : [{ file: '.manifest', line: 1, column: 1, code: error.code, text: message }];
}

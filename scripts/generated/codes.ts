import { CODES } from '../../src/contract/codes.ts';
import { code, opening, table } from './markdown.ts';

const ABOUT = [
  'Every failure of the service has one of these codes: in `code` of a problem body, in `error.code` of a decision, in `x-countersign-error` on gateway endpoints, in the logs and in the metrics.',
  'Refusals of a credential are no errors: they are states of a signal, which policies judge.',
  '',
  '`HTTP` is the status of the answer, or of the denied response that a gateway sends on; `gRPC` is the code inside `CheckResponse.status` (google.rpc.Code). The status of the call itself stays OK.',
];

/** The text of docs/codes.md. */
export function codesDoc(): string {
  const rows = Object.entries(CODES).map(([name, { http, rpc, text }]) => [code(name), String(http), String(rpc), text]);
  return `${[opening('Error codes', '`src/contract/codes.ts`', ABOUT), table(['code', 'HTTP', 'gRPC', 'text that may be shown'], rows)].join('\n\n')}\n`;
}

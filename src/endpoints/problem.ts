import type { ServerResponse } from 'node:http';
import { CODES, type ErrorCode } from '../contract/codes.ts';

/** problem+json (RFC 9457). `code` is the stable member; `field` names what was wrong and never holds a value. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly field?: string;
};

export const PROBLEM_TYPE = 'application/problem+json';

/** The problem of a code; `type` is a URN, since there is no page to point at that every installation could reach. */
export function problemOf(code: ErrorCode, field?: string): Problem {
  const problem = { type: `urn:countersign:error:${code}`, title: CODES[code].text, status: CODES[code].http, code };
  return field === undefined ? problem : { ...problem, field };
}

/** Answers with the problem of a code; does nothing where the answer has begun or the client is gone. */
export function sendProblem(
  response: ServerResponse,
  code: ErrorCode,
  options: { readonly field?: string | undefined; readonly headers?: Readonly<Record<string, string>> } = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const body = JSON.stringify(problemOf(code, options.field));
  response.writeHead(CODES[code].http, {
    'content-type': PROBLEM_TYPE,
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(body),
    ...options.headers,
  });
  response.end(body);
}

/** A whole HTTP/1.1 answer as text, for a connection whose request could not be parsed and that is closed with it. */
export function rawProblem(code: ErrorCode, reasonPhrase: string): string {
  const body = JSON.stringify(problemOf(code));
  const head = [
    `HTTP/1.1 ${CODES[code].http} ${reasonPhrase}`,
    `content-type: ${PROBLEM_TYPE}`,
    'cache-control: no-store',
    'connection: close',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

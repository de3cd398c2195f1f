import type { ServerResponse } from 'node:http';
import { CODES, type ErrorCode } from '../../contract/codes.ts';
import type { ClientResponse, Decision, NamedText } from '../../contract/decision.ts';
import { clientValue, isSettableName, upstreamValue } from '../header-values.ts';
import { HEADERS_TO_REMOVE } from './schema.ts';

/** Answers a question in the words of Envoy's HTTP service: 200 passes, a status of 500 and above is a failure that may pass, everything else is for the client. */
export type HttpCheckResponder = {
  /** An allow comes from `effect: allow` without an error and from nothing else. */
  decided(response: ServerResponse, decision: Decision): void;
  /** Denies what was refused at the border: never by a status that a failure mode could make a pass of. */
  refused(response: ServerResponse, code: ErrorCode, decisionId: string, field?: string): void;
  /** Says that no decision was made. */
  undecided(response: ServerResponse, code: ErrorCode, decisionId: string): void;
};

/** The status that is meant, where Envoy is told another one. */
const STATUS = 'x-countersign-status';
const DECISION = 'x-countersign-decision';
const DECISION_ID = 'x-countersign-decision-id';
const ERROR = 'x-countersign-error';
const FIELD = 'x-countersign-field';
const PROBLEM = 'application/problem+json';
const RETRY = { 'retry-after': '1' };

type Headers = Record<string, string | string[]>;
type Denial = {
  readonly id: string;
  readonly effect: 'deny' | 'step_up';
  readonly error: ErrorCode | null;
  /** True where a failure may be told as one. */
  readonly failed: boolean;
  readonly field?: string | undefined;
};

/**
 * @param errorsAs how "no decision could be made" is told: 503, which Envoy counts as an error, answers by `status_on_error` and passes where its
 * `failure_mode_allow` is set; or 403, which is a deny whatever Envoy's settings. A decided deny is never 500 or above.
 */
export function createHttpCheckResponder({ errorsAs }: { readonly errorsAs: 503 | 403 }): HttpCheckResponder {
  function deny(response: ServerResponse, told: ClientResponse, { id, effect, error, failed, field }: Denial): void {
    if (response.headersSent || response.destroyed) return;
    const headers = linesOf(told.headers, told.headersToAppend);
    if (told.text === undefined) headers['content-type'] ??= PROBLEM;
    headers['cache-control'] ??= 'no-store';
    headers[DECISION] = effect;
    headers[DECISION_ID] ??= id;
    if (error !== null) headers[ERROR] ??= error;
    // for whoever sets the gateway up: the name of the header that was wrong
    if (field !== undefined) headers[FIELD] = field;
    const meant = Number.isInteger(told.status) && told.status >= 300 && told.status <= 599 ? told.status : 403;
    const status = meant >= 500 && !(failed && errorsAs === 503) ? 403 : meant;
    if (status !== meant) headers[STATUS] = String(meant);
    send(response, status, headers, told.text ?? JSON.stringify(status === meant ? told.body : { ...told.body, status }));
  }

  return {
    decided(response, decision) {
      if (response.headersSent || response.destroyed) return;
      const { id, effect } = decision;
      if (effect === 'allow' && decision.error === null) {
        send(response, 200, allowed(decision), '');
        return;
      }
      const error = decision.error?.code ?? null;
      const told = decision.response ?? problem(error ?? 'internal_error', id);
      deny(response, told, { id, effect: effect === 'step_up' ? 'step_up' : 'deny', error, failed: error !== null });
    },
    refused: (response, code, id, field) => deny(response, problem(code, id), { id, effect: 'deny', error: code, failed: false, field }),
    undecided: (response, code, id) => deny(response, problem(code, id), { id, effect: 'deny', error: code, failed: true }),
  };
}

/** One line a name: of several Envoy would take the last one alone. Its allow-lists say which go upstream and which to the client. */
function allowed({ upstream }: Decision): Headers {
  const headers: Record<string, string> = {};
  const remove = upstream.headersToRemove.filter((name) => !Object.hasOwn(upstream.headersToSet, name) && isSettableName(name));
  for (const [name, value] of Object.entries(upstream.headersToSet)) {
    if (!isSettableName(name)) continue;
    // Envoy would set an empty value in place of removing the client's own
    if (value === '') remove.push(name);
    else headers[name] = upstreamValue(value);
  }
  for (const [name, value] of upstream.headersToAppend ?? []) {
    if (!isSettableName(name) || value === '') continue;
    const before = headers[name];
    headers[name] = before === undefined ? upstreamValue(value) : `${before}, ${upstreamValue(value)}`;
  }
  const answer: Headers = { 'cache-control': 'no-store', ...headers };
  for (const [name, value] of Object.entries(linesOf(upstream.responseHeadersToSet ?? {}, upstream.responseHeadersToAppend))) {
    // what the upstream is told goes before: it is what the upstream believes
    if (headers[name] === undefined) answer[name] = value;
  }
  if (remove.length > 0) answer[HEADERS_TO_REMOVE] = remove.join(',');
  return answer;
}

function linesOf(set: Readonly<Record<string, string>>, further: readonly NamedText[] = []): Headers {
  const headers: Headers = {};
  for (const [name, text] of Object.entries(set)) if (isSettableName(name)) headers[name] = clientValue(text);
  for (const [name, text] of further) if (isSettableName(name)) headers[name] = [...[headers[name] ?? []].flat(), clientValue(text)];
  return headers;
}

function send(response: ServerResponse, status: number, headers: Headers, body: string): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** A gateway's own 401 is a 403: the client must not take it for its challenge. */
function problem(code: ErrorCode, decisionId: string): ClientResponse {
  const { http, text } = CODES[code];
  const status = http === 401 ? 403 : http;
  const headers = code === 'overloaded' ? RETRY : {};
  return { status, headers, body: { type: 'about:blank', title: text, status, decision_id: decisionId } };
}

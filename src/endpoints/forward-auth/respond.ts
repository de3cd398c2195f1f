import type { ServerResponse } from 'node:http';
import { CODES, type ErrorCode } from '../../contract/codes.ts';
import type { ClientResponse, Decision, NamedText } from '../../contract/decision.ts';
import type { Dialect } from '../../contract/pep.ts';
import { clientValue, isSettableName, upstreamValue } from '../header-values.ts';

/** The status that the client is to get, where the gateway would not pass it on by itself. */
export const STATUS = 'x-countersign-status';
/** The body for the client, where the gateway does not hand on bodies. */
export const BODY = 'x-countersign-body';
const DECISION = 'x-countersign-decision';
const DECISION_ID = 'x-countersign-decision-id';
const ERROR = 'x-countersign-error';
const PROBLEM = 'application/problem+json';
/** What a gateway with a buffer of 4 KiB for all headers can hold. */
const BODY_MAX_CHARS = 2000;
const NOT_ASCII = /[^\x20-\x7e]/g;

type Headers = Record<string, string | string[]>;

/** An allow is 200 with the upstream's headers, which the recipe copies by name; everything else is what the client is to get. */
export function respondForwardAuth(response: ServerResponse, decision: Decision, dialect: Dialect): void {
  if (response.headersSent || response.destroyed) return;
  if (decision.effect === 'allow' && decision.error === null) {
    send(response, 200, allowed(decision, dialect), '');
    return;
  }
  const error = decision.error?.code ?? null;
  const told = decision.response ?? problem(error ?? 'internal_error', decision.id);
  const effect = decision.effect === 'step_up' ? 'step_up' : 'deny';
  deny(response, told, { id: decision.id, error, effect, dialect });
}

/** Denies a question that could not be read or answered; a gateway's own 401 is a 403, for the client must not take it for its challenge. */
export function refuseForwardAuth(response: ServerResponse, error: ErrorCode, id: string, dialect: Dialect | null, field?: string): void {
  if (response.headersSent || response.destroyed) return;
  deny(response, problem(error, id), { id, error, effect: 'deny', dialect, field });
}

type Denial = {
  readonly id: string;
  readonly error: ErrorCode | null;
  readonly effect: 'deny' | 'step_up';
  readonly dialect: Dialect | null;
  readonly field?: string | undefined;
};

function deny(response: ServerResponse, told: ClientResponse, { id, error, effect, dialect, field }: Denial): void {
  const headers = linesOf(told.headers, told.headersToAppend, clientValue);
  if (told.text === undefined) headers['content-type'] ??= PROBLEM;
  headers['cache-control'] ??= 'no-store';
  headers[DECISION] = effect;
  headers[DECISION_ID] ??= id;
  if (error !== null) headers[ERROR] ??= error;
  // for whoever sets the gateway up: the name of the header that was missing
  if (field !== undefined) headers['x-countersign-field'] = field;
  const body = told.text ?? JSON.stringify(told.body);
  let status = Number.isInteger(told.status) && told.status >= 300 && told.status <= 599 ? told.status : 403;
  if (dialect === 'nginx') {
    headers[STATUS] = String(status);
    const text = told.text === undefined ? body.replace(NOT_ASCII, escaped) : body;
    if (text.length <= BODY_MAX_CHARS && text.search(NOT_ASCII) === -1) headers[BODY] = text;
    // nginx makes a 500 of anything but 2xx, 401 and 403
    if (status !== 401) status = 403;
  }
  send(response, status, headers, body);
}

function allowed({ id, upstream }: Decision, dialect: Dialect): Headers {
  const set: Record<string, string> = {};
  const remove = upstream.headersToRemove.filter((name) => !Object.hasOwn(upstream.headersToSet, name) && isSettableName(name));
  for (const [name, value] of Object.entries(upstream.headersToSet)) {
    if (value !== '') set[name] = value;
    else if (isSettableName(name)) remove.push(name);
  }
  const headers = linesOf(set, upstream.headersToAppend, upstreamValue);
  if (dialect === 'haproxy') {
    // our script there copies whatever it is told to; a header for the client has a prefix, so that it is told apart
    headers['x-countersign-set'] = Object.keys(headers).join(',');
    if (remove.length > 0) headers['x-countersign-remove'] = remove.join(',');
  }
  for (const [name, value] of Object.entries(linesOf(upstream.responseHeadersToSet ?? {}, upstream.responseHeadersToAppend, clientValue))) {
    headers[dialect === 'haproxy' ? `x-countersign-response-${name}` : name] ??= value;
  }
  headers[DECISION] = 'allow';
  headers[DECISION_ID] ??= id;
  headers['cache-control'] ??= 'no-store';
  return headers;
}

function linesOf(
  set: Readonly<Record<string, string>>,
  further: readonly NamedText[] | undefined,
  value: (text: string) => string,
): Headers {
  const headers: Headers = {};
  for (const [name, text] of Object.entries(set)) if (isSettableName(name)) headers[name] = value(text);
  for (const [name, text] of further ?? []) {
    if (isSettableName(name)) headers[name] = [...[headers[name] ?? []].flat(), value(text)];
  }
  return headers;
}

function send(response: ServerResponse, status: number, headers: Headers, body: string): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function problem(code: ErrorCode, decisionId: string): ClientResponse {
  const { http, text } = CODES[code];
  const status = http === 401 ? 403 : http;
  return { status, headers: {}, body: { type: 'about:blank', title: text, status, decision_id: decisionId } };
}

/** JSON as ASCII: each UTF-16 unit of its own. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

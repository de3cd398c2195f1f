import type { ServerResponse } from 'node:http';
import type { AdminRefused, DataChanged, DataRead, KnownRevision, PushedList } from '../../contract/admin.ts';
import { CODES, type ErrorCode } from '../../contract/codes.ts';
import type { CandidateStatus } from '../../contract/rollout.ts';
import type { PolicyStatus } from '../../contract/status.ts';
import { PROBLEM_TYPE, problemOf } from '../problem.ts';

/** What one answer consists of. */
export type AdminAnswer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
};

/** The problem of a refusal; operators are shown its detail, which names places and never values. */
export function refusalAnswer({ refused, field, detail }: AdminRefused, headers: Readonly<Record<string, string>> = {}): AdminAnswer {
  const body = { ...problemOf(refused, field), ...(detail === undefined ? {} : { detail }) };
  return { status: CODES[refused].http, headers: { 'content-type': PROBLEM_TYPE, ...headers }, body };
}

/** Every policy, in the order of the configuration. */
export function policiesAnswer(statuses: readonly PolicyStatus[]): AdminAnswer {
  return { status: 200, body: { policies: statuses.map(shownPolicy) } };
}

/** One policy with the revisions that can be gone back to. */
export function policyAnswer(status: PolicyStatus, revisions: readonly KnownRevision[]): AdminAnswer {
  const shown = revisions.map(({ revision, activatedAt, active }) => ({ revision, activated_at: activatedAt, active }));
  return { status: 200, body: { ...shownPolicy(status), revisions: shown } };
}

/** After an activation, a rollback or a promotion. */
export function activatedAnswer(name: string, revision: string): AdminAnswer {
  return { status: 200, body: { name, revision } };
}

/** The candidate that nobody gets any more. */
export function withdrawnAnswer(name: string, revision: string | null): AdminAnswer {
  return { status: 200, body: { name, candidate: { revision, state: 'resting' } } };
}

/** The documents that were pushed, without their values. */
export function listAnswer({ policy, revision, dataRevision, documents }: PushedList): AdminAnswer {
  return { status: 200, body: { policy, revision, data_revision: dataRevision, documents } };
}

/** 201 where nothing was there before, with the tag of what is there now. */
export function changedAnswer(changed: DataChanged): AdminAnswer {
  const { policy, revision, dataRevision, etag, persisted, created } = changed;
  return { status: created ? 201 : 200, headers: { etag }, body: { policy, revision, data_revision: dataRevision, persisted } };
}

/** A document as it is, with its tag and the revision that decisions name. */
export function sendData(response: ServerResponse, { bytes, etag, revision }: DataRead): void {
  sendBytes(response, 200, { etag, 'x-countersign-revision': revision }, bytes);
}

/** Sends an answer; does nothing where the client is gone. */
export function sendAnswer(response: ServerResponse, { status, headers = {}, body }: AdminAnswer): void {
  sendBytes(response, status, headers, Buffer.from(JSON.stringify(body)));
}

/** The problem of a code and no more, for whoever is not known. */
export function sendRefusal(response: ServerResponse, code: ErrorCode, headers: Readonly<Record<string, string>> = {}): void {
  sendAnswer(response, refusalAnswer({ refused: code }, headers));
}

function sendBytes(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>, bytes: Uint8Array): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...headers,
    'content-length': bytes.byteLength,
  });
  response.end(bytes);
}

function shownCandidate({ state, revision, loadedAt, lastError, retryAt }: CandidateStatus): Record<string, unknown> {
  return { state, revision, loaded_at: loadedAt, last_error: lastError, ...shownRetry(retryAt) };
}

function shownRetry(retryAt: number | undefined): Record<string, unknown> {
  return retryAt === undefined ? {} : { retry_at: retryAt };
}

function shownPolicy(status: PolicyStatus): Record<string, unknown> {
  const { name, state, revision, activatedAt, rules, routes, lastError, retryAt, data, candidate } = status;
  return {
    name,
    state,
    revision,
    activated_at: activatedAt,
    rules,
    routes,
    last_error: lastError,
    ...shownRetry(retryAt),
    ...(data === undefined ? {} : { data_revision: data.revision }),
    ...(candidate === undefined ? {} : { candidate: shownCandidate(candidate) }),
  };
}

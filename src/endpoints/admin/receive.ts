import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { AdminRefused, DataCondition, DataEdit } from '../../contract/admin.ts';
import { parseJsonBody } from '../json-body.ts';
import { parseSimulateQuery, type SimulateQuery } from './decisions.ts';

/** What is done to a policy by POST. */
const POLICY_ACTIONS = ['rollback', 'promote', 'withdraw'] as const;
type PolicyAction = (typeof POLICY_ACTIONS)[number];

/** What an address of the admin API names. */
export type AdminTarget =
  | { readonly resource: 'policies' }
  | { readonly resource: 'policy' | PolicyAction; readonly name: string }
  | { readonly resource: 'revocations'; readonly query: string | undefined }
  | { readonly resource: 'revocation'; readonly id: string }
  | { readonly resource: 'decision'; readonly id: string }
  | ({ readonly resource: 'simulate' } & SimulateQuery)
  | { readonly resource: 'data'; readonly policy: string; readonly path: readonly string[] };

const PREFIX = '/admin/v1/';
const DEFAULT = 'default';
const FIELD_MAX = 128;

/** True for raw targets that are the admin API's to answer. */
export function isAdminTarget(target: string): boolean {
  return target.startsWith('/admin/') || target === '/admin';
}

/** Reads a raw target; null where it names nothing. A name is decoded once, and no spelling of a dot or a slash makes another path. */
export function parseTarget(target: string): AdminTarget | AdminRefused | null {
  if (!target.startsWith(PREFIX)) return null;
  const [path = '', query] = target.slice(PREFIX.length).split('?', 2);
  const [resource, ...names] = path.split('/').map(decoded);
  if (names.includes(null)) return { refused: 'data_path_invalid' };
  const read = names.filter((name) => name !== null);
  if (resource === 'data') return dataTarget(read, query);
  if (resource === 'revocations' && read.length === 0) return { resource, query };
  if (resource === 'revocations') return read.length === 1 && query === undefined ? { resource: 'revocation', id: read[0] ?? '' } : null;
  if (resource === 'simulate') return read.length === 0 ? simulateTarget(query) : null;
  if (resource === 'decisions') return read[0] && read.length === 1 && query === undefined ? { resource: 'decision', id: read[0] } : null;
  if (resource !== 'policies' || query !== undefined) return null;
  const [name, action, more] = read;
  if (name === undefined) return { resource: 'policies' };
  if (name === '' || more !== undefined) return null;
  if (action === undefined) return { resource: 'policy', name };
  const known = POLICY_ACTIONS.find((one) => one === action);
  return known === undefined ? null : { resource: known, name };
}

function simulateTarget(query: string | undefined): AdminTarget | AdminRefused {
  const parsed = parseSimulateQuery(query);
  return 'refused' in parsed ? parsed : { resource: 'simulate', ...parsed };
}

function dataTarget(path: readonly string[], query: string | undefined): AdminTarget | AdminRefused {
  if (path.some((name) => name === '' || name === '.' || name === '..')) return { refused: 'data_path_invalid' };
  const parameters = [...new URLSearchParams(query ?? '')];
  const [first] = parameters;
  if (parameters.length > 1 || (first !== undefined && first[0] !== 'policy')) return { refused: 'request_invalid', field: 'query' };
  // a tenant's data is that of the policy of its name
  const own = path[0] === 'tenants' && path[1] !== undefined ? path[1] : DEFAULT;
  return { resource: 'data', policy: first?.[1] ?? own, path };
}

function decoded(text: string): string | null {
  try {
    const name = decodeURIComponent(text);
    return name.isWellFormed() ? name : null;
  } catch {
    return null;
  }
}

const ETAG = /^"[\x21\x23-\x7e]{1,128}"$/;
const ETAGS_MAX = 16;

/** The condition of a change (RFC 9110 section 13.1), strong comparison; a change without one could undo another's unseen. */
export function parseCondition(headers: IncomingHttpHeaders): DataCondition | AdminRefused {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match !== undefined && noneMatch !== undefined) return { refused: 'request_invalid', field: 'if-none-match' };
  if (noneMatch !== undefined) return noneMatch.trim() === '*' ? { match: null } : { refused: 'request_invalid', field: 'if-none-match' };
  if (match === undefined) return { refused: 'precondition_required' };
  if (match.trim() === '*') return { match: '*' };
  const etags = match.split(',').map((one) => one.trim());
  if (etags.length > ETAGS_MAX || !etags.every((one) => ETAG.test(one))) return { refused: 'request_invalid', field: 'if-match' };
  return { match: etags };
}

/** Media types of each kind of body. */
const BODIES = {
  json: /^application\/json[ \t]*(?:;|$)/i,
  merge_patch: /^application\/merge-patch\+json[ \t]*(?:;|$)/i,
  json_patch: /^application\/json-patch\+json[ \t]*(?:;|$)/i,
  bundle: /^application\/gzip[ \t]*(?:;|$)/i,
} as const;
export type BodyKind = keyof typeof BODIES;

/** What a body is, of the kinds that are accepted; null where it is none of them, or encoded. */
export function bodyKindOf(headers: IncomingHttpHeaders, accepted: readonly BodyKind[]): BodyKind | null {
  const type = headers['content-type'];
  const encoding = headers['content-encoding'];
  if (type === undefined || (encoding !== undefined && encoding.toLowerCase() !== 'identity')) return null;
  return accepted.find((kind) => BODIES[kind].test(type)) ?? null;
}

/** The change that a body of a data request makes. */
export function editOf(kind: BodyKind, bytes: Uint8Array): DataEdit {
  return { kind: kind === 'merge_patch' || kind === 'json_patch' ? kind : 'put', bytes };
}

const Chosen = z.strictObject({ revision: z.string().min(1).max(256).nullable().default(null) });

/** The revision that is meant, null where none is said; an empty body says nothing. */
export function parseRevision(bytes: Uint8Array): { readonly revision: string | null } | AdminRefused {
  if (bytes.length === 0) return { revision: null };
  const parsed = parseJsonBody(bytes);
  if (!parsed.ok) return { refused: parsed.code, ...(parsed.field === undefined ? {} : { field: parsed.field }) };
  const checked = Chosen.safeParse(parsed.value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  return { refused: 'request_invalid', field: [...(issue?.path ?? []), ...unknown].join('.').slice(0, FIELD_MAX) };
}

import type { AdminRefused } from '../../contract/admin.ts';
import { isJsonObject, type JsonValue } from '../../contract/json.ts';
import {
  type ListedRevocation,
  REVOCATION_KINDS,
  type RevocationAdmin,
  type RevocationPage,
  type RevocationQuery,
  type RevocationsChanged,
  type RevocationsRefused,
} from '../../contract/revocations.ts';
import { JSON_LIMITS, parseJsonBody } from '../json-body.ts';
import type { Call } from './actions.ts';
import { type AdminAnswer, sendAnswer } from './respond.ts';

const PAGE = 100;
const PAGE_MAX = 1000;
/** Revocations of one call. */
const POSTED_MAX = 1000;
const MEMBERS_MAX = 8;
const LIMITS = { ...JSON_LIMITS, keysMax: POSTED_MAX * MEMBERS_MAX };
const RETRY = { 'retry-after': '1' };

type Tell = (operator: Call['operator'], action: string, fields: Readonly<Record<string, unknown>>) => void;

/** Does what a call asks of revocations. Each revocation that is made or taken back is a line of its own in the log. */
export function createRevocationActions(revocations: RevocationAdmin, tell: Tell) {
  async function change(call: Call, action: string, work: Promise<RevocationsChanged | RevocationsRefused>): Promise<void> {
    const done = await work;
    if ('refused' in done) {
      for (const revocation of done.unconfirmed ?? []) tell(call.operator, `${action}_unconfirmed`, { revocation });
      return call.refuse(done, done.refused === 'store_unavailable' ? RETRY : {});
    }
    const { persisted, shared } = done;
    for (const { before, after } of done.changes) {
      tell(call.operator, action, { revocation: (after ?? before)?.id, before: told(before), after: told(after), persisted, shared });
    }
    sendAnswer(call.response, changedAnswer(done));
  }

  return {
    async all(call: Call, query: string | undefined, bytes: Uint8Array): Promise<void> {
      if (call.kind === null) {
        const asked = parseQuery(query);
        return 'refused' in asked ? call.refuse(asked) : sendAnswer(call.response, pageAnswer(revocations.list(asked)));
      }
      const posted = parsePosted(bytes);
      if ('refused' in posted) return call.refuse(posted);
      return change(call, 'revocation_add', revocations.add(posted.values, call.operator));
    },

    async one(call: Call, id: string): Promise<void> {
      if (call.request.method === 'DELETE') return change(call, 'revocation_remove', revocations.remove(id));
      const found = revocations.read(id);
      return found === null
        ? call.refuse({ refused: 'revocation_unknown' })
        : sendAnswer(call.response, { status: 200, body: told(found) });
    },
  };
}

/** `limit`, `after` and `kind`, each at most once. */
function parseQuery(text: string | undefined): RevocationQuery | AdminRefused {
  const parameters = [...new URLSearchParams(text ?? '')];
  const given = new Map(parameters);
  const unknown = parameters.length !== given.size || [...given.keys()].some((name) => !['limit', 'after', 'kind'].includes(name));
  if (unknown) return { refused: 'request_invalid', field: 'query' };
  const limit = given.get('limit') ?? String(PAGE);
  if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > PAGE_MAX) return { refused: 'request_invalid', field: 'limit' };
  const kind = REVOCATION_KINDS.find((one) => one === given.get('kind')) ?? null;
  if (kind === null && given.has('kind')) return { refused: 'request_invalid', field: 'kind' };
  return { after: given.get('after') ?? null, limit: Number(limit), kind };
}

/** One revocation, or a list. */
function parsePosted(bytes: Uint8Array): { readonly values: readonly JsonValue[] } | AdminRefused {
  const parsed = parseJsonBody(bytes, LIMITS);
  if (!parsed.ok) return { refused: parsed.code, ...(parsed.field === undefined ? {} : { field: parsed.field }) };
  const { value } = parsed;
  if (isJsonObject(value)) return { values: [value] };
  if (!Array.isArray(value)) return { refused: 'request_invalid', detail: 'is neither a revocation nor a list' };
  if (value.length === 0 || value.length > POSTED_MAX) return { refused: 'request_invalid', detail: `must have 1 to ${POSTED_MAX} items` };
  return { values: value };
}

function pageAnswer({ total, revocations, next }: RevocationPage): AdminAnswer {
  return { status: 200, body: { total, revocations: revocations.map(told), next } };
}

/** 201 where something was revoked that was not before. */
function changedAnswer({ changes, persisted, shared }: RevocationsChanged): AdminAnswer {
  const created = changes.some(({ before }) => before === null);
  return {
    status: created ? 201 : 200,
    body: { revocations: changes.map(({ before, after }) => told(after ?? before)), persisted, shared },
  };
}

function told(revocation: ListedRevocation | null): Record<string, unknown> | null {
  if (revocation === null) return null;
  const { id, kind, members, reason, by, at, expiresAt } = revocation;
  return { id, kind, ...members, reason, by, at, expires_at: expiresAt };
}

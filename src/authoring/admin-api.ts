import { isJsonObject, type JsonObject } from '../contract/json.ts';
import type { AdminRequest, PolicyTools } from './tools.ts';

/* What commands ask of the admin API of a running service. */

export type AdminTarget = {
  /** Of the operations listener, `https://host:9090`. */
  readonly url: string;
  readonly token: string;
  readonly policy: string;
  readonly timeoutMs: number;
  readonly allowInsecureHttp: boolean;
};

/** The active revision afterwards, or what the service (or what stands before it) said instead: a problem of RFC 9457. */
export type AdminAnswer =
  | { readonly ok: true; readonly name: string; readonly revision: string }
  | { readonly ok: false; readonly status: number; readonly code: string; readonly text: string };

/** Activates a bundle. @throws CountersignError fetch_failed, fetch_too_large */
export function pushBundle(target: AdminTarget, bundle: Uint8Array, tools: Pick<PolicyTools, 'send'>): Promise<AdminAnswer> {
  return exchange(target, { method: 'PUT', path: '', type: 'application/gzip', body: bundle }, tools);
}

/** Goes back to a revision that was active before; null takes the one before the active one. @throws CountersignError fetch_failed, fetch_too_large */
export function rollBack(target: AdminTarget, revision: string | null, tools: Pick<PolicyTools, 'send'>): Promise<AdminAnswer> {
  const body = new TextEncoder().encode(JSON.stringify(revision === null ? {} : { revision }));
  return exchange(target, { method: 'POST', path: '/rollback', type: 'application/json', body }, tools);
}

/** Makes the candidate active; null takes it as it is now, a revision only if it is still that one. @throws CountersignError fetch_failed, fetch_too_large */
export function promote(target: AdminTarget, revision: string | null, tools: Pick<PolicyTools, 'send'>): Promise<AdminAnswer> {
  const body = new TextEncoder().encode(JSON.stringify(revision === null ? {} : { revision }));
  return exchange(target, { method: 'POST', path: '/promote', type: 'application/json', body }, tools);
}

/** Has nobody get the candidate any more; the revision is that of the candidate. @throws CountersignError fetch_failed, fetch_too_large */
export function withdraw(target: AdminTarget, tools: Pick<PolicyTools, 'send'>): Promise<AdminAnswer> {
  return exchange(target, { method: 'POST', path: '/withdraw', type: null, body: new Uint8Array() }, tools, (said) =>
    isJsonObject(said['candidate']) ? said['candidate'] : {},
  );
}

type Exchange = { readonly method: AdminRequest['method']; readonly path: string; readonly type: string | null; readonly body: Uint8Array };

async function exchange(
  target: AdminTarget,
  { method, path, type, body }: Exchange,
  tools: Pick<PolicyTools, 'send'>,
  revisionIn: (said: JsonObject) => JsonObject = (said) => said,
): Promise<AdminAnswer> {
  const { url, token, policy, timeoutMs, allowInsecureHttp } = target;
  const { status, bytes } = await tools.send({
    method,
    url: `${url.replace(/\/+$/, '')}/admin/v1/policies/${encodeURIComponent(policy)}${path}`,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, application/problem+json',
      ...(type === null ? {} : { 'content-type': type }),
    },
    body,
    timeoutMs,
    allowInsecureHttp,
  });
  const said = parse(bytes);
  const { name } = said;
  const { revision } = revisionIn(said);
  if (status >= 200 && status < 300 && typeof name === 'string' && typeof revision === 'string') return { ok: true, name, revision };
  const text = [said['title'], said['detail'], said['field']].filter((one) => typeof one === 'string' && one !== '');
  return {
    ok: false,
    status,
    code: typeof said['code'] === 'string' ? printable(said['code']) : 'admin_answer_unknown',
    text: text.length > 0 ? printable(text.join(': ')) : `status ${status}`,
  };
}

function parse(bytes: Uint8Array): JsonObject {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return isJsonObject(value) ? value : {};
  } catch {
    // no JSON: the status says what there is to say
    return {};
  }
}

/** Foreign text without what a terminal would obey. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 500);
}

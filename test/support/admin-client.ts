import { createHash } from 'node:crypto';

/** Operator tokens by role, for `operations.tokens`. */
export const OPERATORS = (['viewer', 'operator', 'admin'] as const).map((role) => ({
  name: `${role}-1`,
  role,
  tokenSha256: createHash('sha256').update(`${role}-token`).digest('hex'),
}));

export type AdminCall = {
  readonly method?: string;
  readonly role?: 'viewer' | 'operator' | 'admin';
  readonly type?: string;
  /** Sent as it is where it is text or bytes, else as JSON. */
  readonly body?: unknown;
  /** Null sends no condition. */
  readonly ifMatch?: string | null;
  readonly ifNoneMatch?: string;
};

export type AdminAnswer = {
  readonly status: number;
  readonly etag: string;
  readonly headers: Headers;
  readonly json: Record<string, unknown>;
};

/** Calls the admin API of a service. */
export function createAdminClient(port: number): (path: string, call?: AdminCall) => Promise<AdminAnswer> {
  return async (path, { method = 'GET', role = 'admin', type = 'application/json', body, ifMatch = '*', ifNoneMatch } = {}) => {
    const changes = method !== 'GET' && path.startsWith('data');
    const conditions =
      ifNoneMatch !== undefined ? { 'if-none-match': ifNoneMatch } : ifMatch === null || !changes ? {} : { 'if-match': ifMatch };
    const answer = await fetch(`http://127.0.0.1:${port}/admin/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${role}-token`, ...(body === undefined ? {} : { 'content-type': type }), ...conditions },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' || body instanceof Uint8Array ? new Uint8Array(Buffer.from(body)) : JSON.stringify(body) }),
    });
    return {
      status: answer.status,
      etag: answer.headers.get('etag') ?? '',
      headers: answer.headers,
      json: JSON.parse(await answer.text()),
    };
  };
}

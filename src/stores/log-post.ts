import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { CountersignError } from '../contract/errors.ts';
import { allowedUrl } from './http-fetch.ts';

/** One batch for a collector of logs. */
export type LogPost = {
  readonly url: string;
  /** JSON, packed by gzip. */
  readonly body: Buffer;
  /** Bearer token. */
  readonly token: string | null;
  /** PEM texts; `ca` takes the place of the system's. */
  readonly tls: { readonly ca: string | null; readonly cert: string | null; readonly key: string | null };
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly allowInsecureHttp: boolean;
  readonly signal: AbortSignal;
};

export type LogPostAnswer = {
  readonly status: number;
  /** Of `retry-after` in seconds; null where it says nothing, or a date. */
  readonly retryAfterMs: number | null;
};

/** Posts a batch; fails with `fetch_failed`, whose detail holds no part of the address. An answer of any status is an answer. */
export type PostLogs = (post: LogPost) => Promise<LogPostAnswer>;

/** Never follows a redirect, which could take the credentials elsewhere. The body of the answer is not read. */
export const postLogs: PostLogs = (post) => {
  const target = allowedUrl(post.url, post.allowInsecureHttp);
  return new Promise((resolve, reject) => {
    let late = false;
    const fail = (thrown: unknown): void => {
      end();
      reject(new CountersignError('fetch_failed', { detail: late ? 'timeout' : reasonOf(thrown), cause: thrown }));
    };
    const { tls, token, body } = post;
    const common = {
      method: 'POST',
      agent: false,
      headers: {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'content-length': body.length,
        'user-agent': 'countersign',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
    } as const;
    const secure = {
      ...common,
      ...(tls.ca === null ? {} : { ca: tls.ca }),
      ...(tls.cert === null ? {} : { cert: tls.cert }),
      ...(tls.key === null ? {} : { key: tls.key }),
    };
    const request = target.protocol === 'https:' ? httpsRequest(target, secure) : httpRequest(target, common);
    const abort = (): void => void request.destroy(new Error('ended'));
    const timer = setTimeout(() => {
      late = true;
      abort();
    }, post.timeoutMs);
    const end = (): void => {
      clearTimeout(timer);
      post.signal.removeEventListener('abort', abort);
    };
    post.signal.addEventListener('abort', abort, { once: true });
    request.once('response', (response) => {
      end();
      const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
      resolve({ status: response.statusCode ?? 0, retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null });
      response.destroy();
    });
    // node drops a connection that switches protocols without a response, an error or an end: whoever waits would wait for ever
    request.once('upgrade', (_response, socket) => {
      socket.destroy();
      fail(new Error('upgrade'));
    });
    request.on('error', fail);
    if (post.signal.aborted) abort();
    request.end(body);
  });
};

/** What can be said of a failed connection without an address. */
function reasonOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return /CERT|SSL|TLS|ISSUER|SIGNED/.test(code) ? 'certificate' : 'connection';
}

import { CountersignError } from '../contract/errors.ts';
import { allowedUrl, readBounded } from './http-fetch.ts';

/** One exchange that changes something. */
export type HttpSendRequest = {
  readonly method: 'PUT' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** For the whole exchange, body included. */
  readonly timeoutMs: number;
  /** Plain http to other hosts than loopback. */
  readonly allowInsecureHttp: boolean;
};

/** What came back, whatever its status. */
export type HttpSendAnswer = {
  readonly status: number;
  readonly contentType: string | null;
  readonly bytes: Buffer<ArrayBuffer>;
  /** `retry-after` where it was given in seconds. */
  readonly retryAfterMs?: number;
};

/**
 * Sends a body with headers of the caller, and never follows a redirect, which would hand a credential on.
 * @throws CountersignError fetch_failed, fetch_too_large; `detail` holds no part of the address
 */
export async function httpSend(request: HttpSendRequest, answerBytesMax: number): Promise<HttpSendAnswer> {
  const { method, url, headers, body, timeoutMs, allowInsecureHttp } = request;
  const target = allowedUrl(url, allowInsecureHttp);
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const sent = new Uint8Array(body);
    const response = await fetch(target, { method, headers, body: sent, redirect: 'manual', credentials: 'omit', signal: timeout });
    const bytes = await readBounded(response, answerBytesMax);
    const answer = { status: response.status, contentType: response.headers.get('content-type'), bytes };
    const retryAfter = response.headers.get('retry-after');
    return retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? { ...answer, retryAfterMs: Number(retryAfter) * 1000 } : answer;
  } catch (thrown) {
    if (thrown instanceof CountersignError) throw thrown;
    throw new CountersignError('fetch_failed', { detail: timeout.aborted ? 'timeout' : 'connection', cause: thrown });
  }
}

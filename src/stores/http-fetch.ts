import { isIPv4 } from 'node:net';
import { CountersignError } from '../contract/errors.ts';

/** One bounded GET. */
export type HttpFetchOptions = {
  /** For the whole exchange, body included. */
  readonly timeoutMs: number;
  /** Of the body after content decoding. */
  readonly bytesMax: number;
  /** Plain http to other hosts than loopback. */
  readonly allowInsecureHttp?: boolean;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the exchange early, for example at shutdown. */
  readonly signal?: AbortSignal;
};

/** A body that came with status 200. */
export type HttpDocument = { readonly bytes: Buffer; readonly contentType: string | null };

/**
 * GETs a document. Fails with `fetch_failed` (address not allowed, connection, timeout, any status but 200, redirects included)
 * or `fetch_too_large`; `detail` says which, and holds no part of the address.
 */
export type HttpFetch = (url: string, options: HttpFetchOptions) => Promise<HttpDocument>;

/** The process's HTTP client for configured documents: key sets, metadata. Never follows a redirect, never sends a credential. */
export const httpFetch: HttpFetch = async (url, options) => {
  const target = allowedUrl(url, options.allowInsecureHttp ?? false);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  try {
    const response = await fetch(target, {
      signal,
      redirect: 'manual',
      credentials: 'omit',
      headers: { accept: 'application/json', ...options.headers },
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new CountersignError('fetch_failed', { detail: `status ${response.status}` });
    }
    return { bytes: await readBounded(response, options.bytesMax), contentType: response.headers.get('content-type') };
  } catch (thrown) {
    if (thrown instanceof CountersignError) throw thrown;
    throw new CountersignError('fetch_failed', { detail: timeout.aborted ? 'timeout' : 'connection', cause: thrown });
  }
};

/** True for names and addresses of this machine: plain http never leaves it. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'));
}

/** The address where it may be asked: https, or plain http to this machine or where that is allowed; fails with `fetch_failed`. */
export function allowedUrl(url: string, allowInsecureHttp: boolean): URL {
  const parsed = URL.parse(url);
  if (parsed === null) throw new CountersignError('fetch_failed', { detail: 'not a URL' });
  if (parsed.username !== '' || parsed.password !== '') throw new CountersignError('fetch_failed', { detail: 'credentials in the URL' });
  const plain = parsed.protocol === 'http:' && (allowInsecureHttp || isLoopbackHost(parsed.hostname));
  if (parsed.protocol !== 'https:' && !plain) throw new CountersignError('fetch_failed', { detail: 'neither https nor loopback' });
  return parsed;
}

/** The body, up to its bound; fails with `fetch_too_large`. */
export async function readBounded(response: Response, bytesMax: number): Promise<Buffer<ArrayBuffer>> {
  const announced = Number(response.headers.get('content-length') ?? '0');
  if (announced > bytesMax) {
    await response.body?.cancel();
    throw new CountersignError('fetch_too_large');
  }
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of response.body ?? []) {
    total += chunk.byteLength;
    // leaving the loop cancels the stream, so an endless body costs no more than the bound
    if (total > bytesMax) throw new CountersignError('fetch_too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, total);
}

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
export const httpFetch: HttpFetch = (url, options) => exchange(url, options, (response) => documentOf(response, options));

/** What a server gave with a document, to ask by later whether it is still the current one (RFC 9110 section 13). */
export type HttpValidators = { readonly etag: string | null; readonly lastModified: string | null };

/** A document with its validators. */
export type HttpRevision = HttpDocument & { readonly validators: HttpValidators };

/** GETs a document as `HttpFetch` does, or gives null where the server says that what has these validators is still the current one. */
export type HttpFetchChanged = (url: string, options: HttpFetchOptions, known: HttpValidators | null) => Promise<HttpRevision | null>;

/** Longer validators are not kept: the document is fetched whole each time. */
const VALIDATOR_MAX = 512;

/** `httpFetch` by `if-none-match` and `if-modified-since`. */
export const httpFetchChanged: HttpFetchChanged = (url, options, known) => {
  const headers: Record<string, string> = { ...options.headers };
  if (known !== null && known.etag !== null) headers['if-none-match'] = known.etag;
  if (known !== null && known.lastModified !== null) headers['if-modified-since'] = known.lastModified;
  const conditional = 'if-none-match' in headers || 'if-modified-since' in headers;
  return exchange(url, { ...options, headers }, async (response) => {
    if (response.status === 304 && conditional) {
      await response.body?.cancel();
      return null;
    }
    const validators = { etag: validatorOf(response, 'etag'), lastModified: validatorOf(response, 'last-modified') };
    return { ...(await documentOf(response, options)), validators };
  });
};

/** A document, with unix milliseconds by the server's clock (`Date`, whole seconds); null where it did not say. */
export type HttpDated = HttpDocument & { readonly dateMs: number | null };

/** `httpFetch` that tells the time of the server too. */
export function httpFetchDated(url: string, options: HttpFetchOptions): Promise<HttpDated> {
  return exchange(url, options, async (response) => {
    const dateMs = Date.parse(response.headers.get('date') ?? '');
    return { ...(await documentOf(response, options)), dateMs: Number.isFinite(dateMs) ? dateMs : null };
  });
}

async function exchange<T>(url: string, options: HttpFetchOptions, take: (response: Response) => Promise<T>): Promise<T> {
  const target = allowedUrl(url, options.allowInsecureHttp ?? false);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  try {
    const headers = { accept: 'application/json', ...options.headers };
    return await take(await fetch(target, { signal, redirect: 'manual', credentials: 'omit', headers }));
  } catch (thrown) {
    if (thrown instanceof CountersignError) throw thrown;
    throw new CountersignError('fetch_failed', { detail: timeout.aborted ? 'timeout' : 'connection', cause: thrown });
  }
}

async function documentOf(response: Response, { bytesMax }: HttpFetchOptions): Promise<HttpDocument> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new CountersignError('fetch_failed', { detail: `status ${response.status}` });
  }
  return { bytes: await readBounded(response, bytesMax), contentType: response.headers.get('content-type') };
}

function validatorOf({ headers }: Response, name: string): string | null {
  const value = headers.get(name);
  return value !== null && value.length <= VALIDATOR_MAX ? value : null;
}

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

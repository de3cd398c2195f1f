import { CountersignError } from '../contract/errors.ts';
import { allowedUrl, readBounded } from './http-fetch.ts';

/** One bounded POST of a form. */
export type FormPostOptions = {
  /** For the whole exchange, body included. */
  readonly timeoutMs: number;
  /** Of the body after content decoding. */
  readonly bytesMax: number;
  /** Plain http to other hosts than loopback. */
  readonly allowInsecureHttp: boolean;
  /** Ends the exchange early, for example at shutdown. */
  readonly signal: AbortSignal;
};

/** What came back, whatever its status. */
export type FormAnswer = {
  readonly status: number;
  readonly contentType: string | null;
  readonly bytes: Buffer<ArrayBuffer>;
};

/**
 * POSTs a form with headers of the caller. Fails with `fetch_failed` (address not allowed, connection, timeout) or `fetch_too_large`; `detail` says
 * which, and holds no part of the address or of the form.
 */
export type FormPost = (
  url: string,
  form: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  options: FormPostOptions,
) => Promise<FormAnswer>;

/** The process's HTTP client for endpoints that it has a credential at. Never follows a redirect, which would hand the credential on. */
export const formPost: FormPost = async (url, { headers, body }, options) => {
  const target = allowedUrl(url, options.allowInsecureHttp);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  try {
    const response = await fetch(target, {
      method: 'POST',
      redirect: 'manual',
      credentials: 'omit',
      signal: AbortSignal.any([timeout, options.signal]),
      headers,
      body,
    });
    const bytes = await readBounded(response, options.bytesMax);
    const { status } = response;
    return { status, contentType: response.headers.get('content-type'), bytes };
  } catch (thrown) {
    if (thrown instanceof CountersignError) throw thrown;
    throw new CountersignError('fetch_failed', { detail: timeout.aborted ? 'timeout' : 'connection', cause: thrown });
  }
};

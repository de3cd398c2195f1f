import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { CountersignError } from '../contract/errors.ts';
import { allowedUrl } from './http-fetch.ts';

/** One question to a bundle server. */
export type BundleQuestion = {
  /** Of the bundle that is known. */
  readonly etag: string | null;
  /** How long the server may wait for a change; null: not at all. */
  readonly waitMs: number | null;
  /** For the whole exchange, body included. */
  readonly timeoutMs: number;
  readonly bytesMax: number;
  readonly allowInsecureHttp: boolean;
  /** Bearer token. */
  readonly token: string | null;
  /** PEM texts; `ca` takes the place of the system's. */
  readonly tls: { readonly ca: string | null; readonly cert: string | null; readonly key: string | null };
  readonly signal: AbortSignal;
};

export type BundleAnswer = {
  /** Null where the known one is still the current one. */
  readonly found: { readonly bytes: Buffer; readonly etag: string | null } | null;
  /** Whether the server says that it lets requests wait; null where it says nothing. */
  readonly waits: boolean | null;
};

/** Asks a bundle server; fails with `fetch_failed` or `fetch_too_large`, whose detail holds no part of the address. */
export type FetchBundle = (url: string, question: BundleQuestion) => Promise<BundleAnswer>;

/** OPA's content type of servers that let requests wait. */
const WAITING_TYPE = 'application/vnd.openpolicyagent.bundles';
const ETAG_MAX = 512;

/** Never follows a redirect: it could take the credentials elsewhere. Each question is a connection of its own, so that none goes stale. */
export const fetchBundle: FetchBundle = async (url, question) => {
  const target = allowedUrl(url, question.allowInsecureHttp);
  // a controller of its own, let go of at the end: `AbortSignal.any` would leave something behind on the long-lived signal with each question
  const ending = new AbortController();
  let late = false;
  const end = (): void => ending.abort();
  const timer = setTimeout(() => {
    late = true;
    end();
  }, question.timeoutMs);
  question.signal.addEventListener('abort', end, { once: true });
  try {
    if (question.signal.aborted) end();
    const response = await send(target, question, ending.signal);
    return await take(response, question);
  } catch (thrown) {
    if (thrown instanceof CountersignError) throw thrown;
    throw new CountersignError('fetch_failed', { detail: late ? 'timeout' : reasonOf(thrown), cause: thrown });
  } finally {
    clearTimeout(timer);
    question.signal.removeEventListener('abort', end);
  }
};

function send(target: URL, question: BundleQuestion, signal: AbortSignal): Promise<IncomingMessage> {
  const { etag, token, waitMs, tls } = question;
  const prefer = waitMs === null ? 'modes=snapshot' : `modes=snapshot;wait=${Math.ceil(waitMs / 1000)}`;
  const headers: Record<string, string> = { accept: '*/*', prefer, 'user-agent': 'countersign' };
  if (etag !== null) headers['if-none-match'] = etag;
  if (token !== null) headers['authorization'] = `Bearer ${token}`;
  const common = { headers, signal, agent: false } as const;
  return new Promise((resolve, reject) => {
    const secure = {
      ...common,
      ...(tls.ca === null ? {} : { ca: tls.ca }),
      ...(tls.cert === null ? {} : { cert: tls.cert }),
      ...(tls.key === null ? {} : { key: tls.key }),
    };
    const request = target.protocol === 'https:' ? httpsRequest(target, secure, resolve) : httpRequest(target, common, resolve);
    request.on('error', reject);
    request.end();
  });
}

async function take(response: IncomingMessage, { etag, bytesMax }: BundleQuestion): Promise<BundleAnswer> {
  const { statusCode, headers } = response;
  const type = headers['content-type'];
  const waits = type === undefined ? null : type.split(';')[0]?.trim().toLowerCase() === WAITING_TYPE;
  if (statusCode === 304 && etag !== null) {
    response.resume();
    return { found: null, waits };
  }
  if (statusCode !== 200) {
    response.destroy();
    throw new CountersignError('fetch_failed', { detail: `status ${statusCode}` });
  }
  const bytes = await readBounded(response, bytesMax);
  const given = headers.etag;
  return { found: { bytes, etag: given !== undefined && given !== '' && given.length <= ETAG_MAX ? given : null }, waits };
}

async function readBounded(response: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const announced = Number(response.headers['content-length'] ?? '0');
  const chunks: Buffer[] = [];
  let total = 0;
  try {
    if (announced > bytesMax) throw new CountersignError('fetch_too_large');
    for await (const chunk of response) {
      if (!Buffer.isBuffer(chunk)) continue;
      total += chunk.length;
      if (total > bytesMax) throw new CountersignError('fetch_too_large');
      chunks.push(chunk);
    }
  } finally {
    response.destroy();
  }
  if (!response.complete) throw new CountersignError('fetch_failed', { detail: 'the body was cut' });
  return Buffer.concat(chunks, total);
}

/** What can be said of a failed connection without an address. */
function reasonOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return /CERT|SSL|TLS|ISSUER|SIGNED/.test(code) ? 'certificate' : 'connection';
}

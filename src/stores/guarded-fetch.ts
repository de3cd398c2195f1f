import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from './public-address.ts';
import type { ResolveHost } from './resolve-host.ts';

/** Why there is no document; each names what was wrong and no part of the address. */
export type GuardedFailure =
  | 'url_not_allowed'
  | 'name_unknown'
  | 'address_not_allowed'
  | 'redirect'
  | 'status'
  | 'content_type'
  | 'content_encoding'
  | 'too_large'
  // these may pass
  | 'status_retry'
  | 'resolution'
  | 'connection'
  | 'timeout';

export type GuardedAnswer = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly failure: GuardedFailure };

/** GETs a document that a stranger named; `types` are the media types that are accepted, without parameters. Never rejects. */
export type GuardedFetch = (url: string, types: readonly string[]) => Promise<GuardedAnswer>;

export type GuardedFetchOptions = {
  /** For the whole exchange, name resolution and body included. */
  readonly timeoutMs: number;
  /** Of the body, which must not be encoded. */
  readonly bytesMax: number;
  readonly ports: readonly number[];
  /** For tests and development: this machine too, by plain http and at any port. */
  readonly allowLoopback: boolean;
  /** Certificates of CAs in PEM besides those of the system; for tests. */
  readonly ca?: string;
};

const ADDRESSES_MAX = 16;
const HEADER_BYTES_MAX = 16_384;
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

class Refused extends Error {
  readonly failure: GuardedFailure;
  constructor(failure: GuardedFailure) {
    super(failure);
    this.failure = failure;
  }
}

/**
 * The guard against requests that a stranger makes us send (server-side request forgery): https to a name at an allowed port; all addresses of the
 * name must be public ones, and the connection goes to those that were looked at, so that a second answer of the name server changes nothing; no
 * redirect, no credential, no proxy, no cookie; time and size are bounded.
 */
export function createGuardedFetch(options: GuardedFetchOptions, resolveHost: ResolveHost): GuardedFetch {
  const { timeoutMs, bytesMax, allowLoopback, ports, ca } = options;

  async function get(url: string, types: readonly string[], signal: AbortSignal): Promise<Buffer> {
    const target = allowedTarget(url);
    const addresses = await addressesOf(target, signal);
    const response = await exchange(target, addresses, types, signal);
    try {
      judgeHead(response, types);
      return await readBounded(response);
    } finally {
      response.destroy();
    }
  }

  function allowedTarget(url: string): URL {
    const target = URL.parse(url);
    if (target === null || target.username !== '' || target.password !== '') throw new Refused('url_not_allowed');
    if (isLoopback(target)) return target;
    const named = target.hostname.includes('.') && isIP(target.hostname) === 0 && !target.hostname.startsWith('[');
    const port = target.port === '' ? 443 : Number(target.port);
    if (target.protocol !== 'https:' || !named || !ports.includes(port)) throw new Refused('url_not_allowed');
    return target;
  }

  function isLoopback({ protocol, hostname }: URL): boolean {
    if (!allowLoopback || (protocol !== 'https:' && protocol !== 'http:')) return false;
    return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
  }

  async function addressesOf(target: URL, signal: AbortSignal): Promise<readonly string[]> {
    if (isLoopback(target)) return target.hostname === 'localhost' ? LOOPBACK : [target.hostname.replace(/^\[|\]$/g, '')];
    const addresses = await resolveHost(target.hostname, signal).catch(() => {
      throw new Refused('resolution');
    });
    if (addresses === null) throw new Refused('name_unknown');
    // one private address among public ones is how a name is turned against us
    if (addresses.length > ADDRESSES_MAX || !addresses.every(isPublicAddress)) throw new Refused('address_not_allowed');
    return addresses;
  }

  function exchange(target: URL, addresses: readonly string[], types: readonly string[], signal: AbortSignal): Promise<IncomingMessage> {
    const send = target.protocol === 'http:' ? requestHttp : requestHttps;
    return new Promise((resolve, reject) => {
      const request = send(
        target,
        {
          agent: false,
          lookup: pinned(addresses),
          signal,
          maxHeaderSize: HEADER_BYTES_MAX,
          headers: { accept: types.join(', '), 'accept-encoding': 'identity', 'user-agent': 'countersign' },
          ...(ca === undefined ? {} : { ca }),
        },
        resolve,
      );
      request.once('error', reject);
      // node drops a connection that switches protocols without a response, an error or an end: whoever waits would wait for ever
      request.once('upgrade', (_response, socket) => {
        socket.destroy();
        reject(new Refused('status'));
      });
      signal.addEventListener('abort', () => reject(new Refused('timeout')), { once: true });
      request.end();
    });
  }

  function judgeHead({ statusCode = 0, headers }: IncomingMessage, types: readonly string[]): void {
    if (statusCode >= 300 && statusCode < 400) throw new Refused('redirect');
    if (statusCode === 429 || statusCode >= 500) throw new Refused('status_retry');
    if (statusCode !== 200) throw new Refused('status');
    const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    if (!types.includes(type)) throw new Refused('content_type');
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw new Refused('content_encoding');
    if (Number(headers['content-length'] ?? 0) > bytesMax) throw new Refused('too_large');
  }

  async function readBounded(response: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let total = 0;
    for await (const chunk of response) {
      if (!(chunk instanceof Buffer)) throw new Refused('connection');
      total += chunk.length;
      if (total > bytesMax) throw new Refused('too_large');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, total);
  }

  return async (url, types) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      return { ok: true, bytes: await get(url, types, timeout) };
    } catch (thrown) {
      if (timeout.aborted) return { ok: false, failure: 'timeout' };
      return { ok: false, failure: thrown instanceof Refused ? thrown.failure : 'connection' };
    }
  };
}

/** Answers for the one name with the addresses that were looked at. */
function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, { all: wantsAll }, callback) => {
    const [first] = all;
    if (first === undefined) callback(new Error('no address'), '', 0);
    else if (wantsAll === true) callback(null, all);
    else callback(null, first.address, first.family);
  };
}

import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from './public-address.ts';
import type { ResolveHost } from './resolve-host.ts';

/** Why there is no answer; each names what was wrong and no part of the address. */
export type ExchangeFailure =
  | 'name_unknown'
  | 'resolution'
  | 'address_not_allowed'
  | 'certificate'
  | 'connection'
  | 'timeout'
  | 'stopped'
  | 'redirect'
  | 'content_encoding'
  | 'too_large';

export type ExchangeAnswer =
  | { readonly ok: true; readonly status: number; readonly contentType: string | null; readonly bytes: Buffer }
  | { readonly ok: false; readonly failure: ExchangeFailure };

export type ExchangeRequest = {
  readonly method: 'GET' | 'POST';
  /** Path and query, percent-encoded. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
};

export type GuardedExchangeOptions = {
  /** Scheme, host and port; no request goes anywhere else. */
  readonly origin: string;
  /** Addresses that may be spoken to beside public ones: blocks, or true for those of private networks and of this machine. */
  readonly allowPrivate: { readonly host: boolean; readonly blocks: readonly string[] };
  /** For the whole exchange, name resolution and body included. */
  readonly timeoutMs: number;
  /** Of the body, which must not be encoded. */
  readonly bytesMax: number;
  /** Certificates of CAs in PEM in place of those of the system; null: those of the system. */
  readonly ca: string | null;
};

/** Speaks to one origin. */
export interface GuardedExchange {
  /** Never rejects. */
  send(request: ExchangeRequest): Promise<ExchangeAnswer>;
  stop(): void;
}

/** Makes them; handed to the parts that need one. */
export type CreateGuardedExchange = (options: GuardedExchangeOptions) => GuardedExchange;

/** What an operator means by a private host. Link-local addresses are not among them: cloud metadata is there. */
const PRIVATE = new BlockList();
/** Cloud metadata within the blocks of private networks: Alibaba's and, over IPv6, Amazon's and Google's. Only who names the address means it. */
const METADATA = new BlockList();
METADATA.addAddress('100.100.100.200', 'ipv4');
METADATA.addSubnet('fd00:ec2::', 32, 'ipv6');
METADATA.addSubnet('fd20:ce::', 32, 'ipv6');
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  PRIVATE.addSubnet(net, bits, 'ipv4');
}
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addAddress('::1', 'ipv6');

const ADDRESSES_MAX = 64;
const HEADER_BYTES_MAX = 16_384;
const FREE_SOCKETS_MAX = 16;
const FREE_SOCKET_MS = 15_000;
const TLS_TROUBLE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|HOSTNAME_MISMATCH|ERR_SSL_)/;

class Refused extends Error {
  readonly failure: ExchangeFailure;
  constructor(failure: ExchangeFailure) {
    super(failure);
    this.failure = failure;
  }
}

/**
 * The guard for endpoints that an operator names: all addresses of the name must be public ones or allowed, and the connection goes to those that
 * were looked at, so that a second answer of the name server changes nothing; no redirect, no proxy, no cookie; time and size are bounded. Connections
 * are kept for the next request.
 */
export function createGuardedExchange(options: GuardedExchangeOptions, resolveHost: ResolveHost): GuardedExchange {
  const { timeoutMs, bytesMax, ca } = options;
  const origin = new URL(options.origin);
  const hostname = origin.hostname.replace(/^\[|\]$/g, '');
  const allowed = addressRule(options.allowPrivate);
  const stopping = new AbortController();
  const kept = { keepAlive: true, maxFreeSockets: FREE_SOCKETS_MAX, timeout: FREE_SOCKET_MS };
  const secure = origin.protocol === 'https:';
  const agent = secure ? new HttpsAgent({ ...kept, ...(ca === null ? {} : { ca }) }) : new HttpAgent(kept);

  /** Judges what the name leads to, and hands on that and nothing else. */
  const lookup: LookupFunction = (_hostname, { all }, callback) => {
    addressesOf(AbortSignal.timeout(timeoutMs)).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined) callback(new Refused('name_unknown'), '', 0);
        else if (all === true)
          callback(
            null,
            addresses.map((address) => ({ address, family: isIP(address) })),
          );
        else callback(null, first, isIP(first));
      },
      (thrown: unknown) => callback(thrown instanceof Refused ? thrown : new Refused('resolution'), '', 0),
    );
  };

  async function addressesOf(signal: AbortSignal): Promise<readonly string[]> {
    const addresses = hostname === 'localhost' ? ['127.0.0.1', '::1'] : await resolveHost(hostname, signal);
    if (addresses === null) throw new Refused('name_unknown');
    // one private address among public ones is how a name is turned against us
    if (addresses.length > ADDRESSES_MAX || !addresses.every(allowed)) throw new Refused('address_not_allowed');
    return addresses;
  }

  function begin({ method, target, headers, body }: ExchangeRequest, signal: AbortSignal, again: boolean): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = (secure ? requestHttps : requestHttp)(
        {
          agent,
          lookup,
          signal,
          method,
          protocol: origin.protocol,
          hostname,
          port: origin.port === '' ? (secure ? 443 : 80) : Number(origin.port),
          path: target,
          maxHeaderSize: HEADER_BYTES_MAX,
          headers: {
            accept: 'application/json',
            'accept-encoding': 'identity',
            'user-agent': 'countersign',
            ...headers,
            ...(body === null ? {} : { 'content-length': Buffer.byteLength(body) }),
          },
        },
        resolve,
      );
      sent.once('error', (thrown) => {
        // a kept connection may have been closed just now; on a new one it is a failure
        if (sent.reusedSocket && again && codeOf(thrown) === 'ECONNRESET') resolve(begin({ method, target, headers, body }, signal, false));
        else reject(thrown);
      });
      // node drops a connection that switches protocols without a response, an error or an end: whoever waits would wait for ever
      sent.once('upgrade', (_response, socket) => {
        socket.destroy();
        reject(new Refused('connection'));
      });
      sent.end(body ?? undefined);
    });
  }

  async function exchange(request: ExchangeRequest, signal: AbortSignal): Promise<ExchangeAnswer> {
    // no look-up is made for an address that stands in the URL
    if (isIP(hostname) !== 0 && !allowed(hostname)) throw new Refused('address_not_allowed');
    const response = await begin(request, signal, true);
    try {
      const { statusCode: status = 0, headers } = response;
      if (status < 200) throw new Refused('connection');
      if (status >= 300 && status < 400) throw new Refused('redirect');
      if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw new Refused('content_encoding');
      if (Number(headers['content-length'] ?? 0) > bytesMax) throw new Refused('too_large');
      return { ok: true, status, contentType: headers['content-type'] ?? null, bytes: await readBounded(response, bytesMax) };
    } finally {
      // what was read to its end leaves its connection to the next
      if (!response.complete) response.destroy();
    }
  }

  return {
    async send(request) {
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        return await exchange(request, AbortSignal.any([timeout, stopping.signal]));
      } catch (thrown) {
        if (stopping.signal.aborted) return { ok: false, failure: 'stopped' };
        if (timeout.aborted) return { ok: false, failure: 'timeout' };
        if (thrown instanceof Refused) return { ok: false, failure: thrown.failure };
        return { ok: false, failure: TLS_TROUBLE.test(codeOf(thrown)) ? 'certificate' : 'connection' };
      }
    },
    stop() {
      stopping.abort();
      agent.destroy();
    },
  };
}

function addressRule({ host, blocks }: GuardedExchangeOptions['allowPrivate']): (address: string) => boolean {
  const listed = new BlockList();
  for (const block of blocks) {
    const [net = '', bits] = block.split('/');
    const family = isIP(net) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) listed.addAddress(net, family);
    else listed.addSubnet(net, Number(bits), family);
  }
  return (address) => {
    if (isPublicAddress(address)) return true;
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (isIP(address) === 0 || address.includes('%')) return false;
    return listed.check(address, family) || (host && PRIVATE.check(address, family) && !METADATA.check(address, family));
  };
}

async function readBounded(response: IncomingMessage, bytesMax: number): Promise<Buffer> {
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

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}

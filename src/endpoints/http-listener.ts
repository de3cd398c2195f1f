import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CODES, type ErrorCode } from '../contract/codes.ts';
import { CountersignError } from '../contract/errors.ts';
import type { Listener } from '../contract/lifecycle.ts';
import type { Logger } from '../contract/stages.ts';
import type { Admission } from './admission.ts';
import { rawProblem, sendProblem } from './problem.ts';
import { followTls, readTls, type TlsFiles } from './tls-files.ts';

export type HttpListenerOptions = {
  /** For log lines: `http`, `operations`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | null;
  /** Bytes of request line and headers together; more is 431. */
  readonly headerMaxBytes: number;
  /** Requests that are being answered at once; more is 503 `overloaded`. */
  readonly inFlightMax: number;
  /** Gives turns, turns away what has waited too long, and counts. Left out: everything is handled at once. */
  readonly admission?: Pick<Admission, 'enter' | 'crowded'> | undefined;
  /** A request (header block, and body with it) that is not whole by then is 408. */
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
  /** Told the code of what was refused here: too many at once, a header block too large or too late, bytes that are no HTTP. */
  readonly onRefused?: ((code: ErrorCode) => void) | undefined;
  /** May answer one of too many requests in the words of its protocol; what it leaves open is answered by the problem. */
  readonly onOverloaded?: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
};

/** Longer than the idle time of the usual gateways (60 s), so that it is they who close an idle connection. */
const KEEP_ALIVE_MS = 75_000;
/** A late request is noticed within this time. */
const CHECK_MS = 500;
/** How long a client whose request could not be parsed may take to read why. */
const LINGER_MS = 500;

/**
 * One HTTP/1.1 socket on `node:http` or `node:https`: errors of the parser answered by our problems, a bound on requests in flight,
 * no exception that ends the process, and the drain of the contract.
 */
export function createHttpListener(options: HttpListenerOptions): Listener {
  const { logger } = options;
  const sockets = new Set<Socket>();
  const latest = new WeakMap<Duplex, ServerResponse>();
  let server: Server | null = null;
  let going = false;
  let inFlight = 0;
  let whenIdle: (() => void) | null = null;
  let unfollow: (() => void) | null = null;

  function onClose(): void {
    inFlight--;
    if (inFlight === 0) whenIdle?.();
  }

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    inFlight++;
    response.on('close', onClose);
    response.on('error', onStreamError);
    request.on('error', onStreamError);
    latest.set(request.socket, response);
    const crowded = inFlight > options.inFlightMax;
    if (crowded) options.admission?.crowded();
    // one with a body has its turn when that is there
    if (crowded || options.admission === undefined || hasBody(request)) answer(request, response, crowded);
    else options.admission.enter((late) => answer(request, response, late));
  }

  function answer(request: IncomingMessage, response: ServerResponse, refused: boolean): void {
    // nobody is there any more to be answered
    if (response.destroyed) return;
    try {
      if (going) response.setHeader('connection', 'close');
      if (refused) {
        options.onRefused?.('overloaded');
        options.onOverloaded?.(request, response);
        sendProblem(response, 'overloaded', { headers: { 'retry-after': '1' } });
      } else {
        options.handle(request, response);
      }
    } catch (cause) {
      logger.error('http_handler_failed', { listener: options.name, cause });
      sendProblem(response, 'internal_error');
    }
  }

  function onStreamError(cause: unknown): void {
    logger.debug('http_stream_error', { listener: options.name, cause });
  }

  function onConnection(socket: Socket): void {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', onStreamError);
  }

  function onClientError(cause: Error & { code?: string }, socket: Duplex): void {
    logger.debug('http_client_error', { listener: options.name, error: cause.code ?? cause.name });
    const response = latest.get(socket);
    // this request has its answer, or a part of it: more of ours would be read as a part of it, or as the answer to nothing
    const begun = response?.headersSent === true && !(response.writableFinished && response.req.complete);
    if (!socket.writable || begun || cause.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const code = codeOfParserError(cause.code);
    options.onRefused?.(code);
    socket.end(rawProblem(code, STATUS_CODES[CODES[code].http] ?? ''));
    // closing with unread bytes would reset the connection before the client has read the answer
    socket.resume();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }

  function open(): Server {
    const base = {
      maxHeaderSize: options.headerMaxBytes,
      // one sweep over all connections, where a timer a request would cost each of them
      headersTimeout: options.requestTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, options.requestTimeoutMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Node's own 400 has no body of ours; a request without Host is answered by the handler like one with a wrong Host
      requireHostHeader: false,
    };
    const opened = options.tls === null ? createServer(base, onRequest) : openTls(options.tls, base);
    // the default would drop the 2,001st header silently, an Origin for example; the block's size is the bound
    opened.maxHeadersCount = 0;
    opened.on('connection', onConnection);
    opened.on('clientError', onClientError);
    opened.on('tlsClientError', (cause) => logger.debug('http_tls_error', { listener: options.name, error: cause.message }));
    return opened;
  }

  function openTls(files: TlsFiles, base: object): Server {
    const read = tlsOptions(files);
    const opened = createTlsServer({ ...base, ...read, ALPNProtocols: ['http/1.1'] }, onRequest);
    unfollow = followTls(opened, files, read, { listener: options.name, logger });
    return opened;
  }

  return {
    async start() {
      const opened = open();
      server = opened;
      await new Promise<void>((resolve, reject) => {
        opened.once('error', (cause) => reject(new CountersignError('listen_failed', { field: options.name, cause })));
        opened.listen(options.port, options.host, resolve);
      });
      opened.on('error', (cause) => logger.error('http_server_error', { listener: options.name, cause }));
      const address = opened.address();
      if (address === null || typeof address === 'string') throw new CountersignError('listen_failed', { field: options.name });
      return { host: address.address, port: address.port };
    },

    notice() {
      going = true;
    },
    openRequests: () => inFlight,

    async stop(boundMs) {
      going = true;
      unfollow?.();
      const closing = server;
      if (closing === null || !closing.listening) return;
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
      if (inFlight > 0) {
        await new Promise<void>((resolve) => {
          const bound = setTimeout(resolve, boundMs);
          whenIdle = () => {
            clearTimeout(bound);
            // one turn of the loop, so that the last answer is handed to the kernel
            setImmediate(resolve);
          };
        });
        if (inFlight > 0) logger.warn('http_drain_cut', { listener: options.name, in_flight: inFlight });
      }
      // what is left has no request: idle, half a header block, a port scanner, a TLS handshake that never ended (TRAPS 9)
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function tlsOptions(files: TlsFiles) {
  try {
    return readTls(files);
  } catch (cause) {
    throw new CountersignError('listen_failed', { field: 'tls', cause });
  }
}

function codeOfParserError(code: string | undefined): ErrorCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'body_timeout';
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 'body_too_large';
  return 'request_invalid';
}

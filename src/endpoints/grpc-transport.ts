import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { CountersignError } from '../contract/errors.ts';
import type { Listener } from '../contract/lifecycle.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import { answerUnimplemented, type CallContext, GrpcCall, type GrpcMethod, type GrpcPeer, type PeerEvidence } from './grpc-call.ts';
import { isGrpcContentType } from './grpc-status.ts';
import { followTls, readTls, type TlsFiles } from './tls-files.ts';

export type GrpcTransportOptions = {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | null;
  /** By `:path`. */
  readonly methods: ReadonlyMap<string, GrpcMethod>;
  readonly peerCertificate: (socket: TLSSocket) => PeerEvidence | null;
  readonly onNotice: () => void;
  readonly onStop: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** A connection's receive window: node leaves it at 64 KiB, which holds up bodies of megabytes. */
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
const STREAM_WINDOW_BYTES = 1024 * 1024;
/** Bytes of unfinished messages over all connections; beyond it calls are answered `overloaded`. */
const HELD_BYTES_MAX = 128 * 1024 * 1024;
const STREAMS_MAX = 2_048;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** While draining, it is looked this often whether any stream is left; the pause also lets the last answers and GOAWAY leave. */
const SWEEP_MS = 20;

const SERVER_SETTINGS = {
  // Envoy resets every check that times out; by default node takes 1,000 resets in a row for an attack and cuts the connection.
  streamResetBurst: 1_000_000,
  streamResetRate: 1_000_000,
  // The default of 10 MB a session refuses streams as soon as a few large bodies are checked at once.
  maxSessionMemory: 256,
  // The default of 128 resets the stream of a call with more metadata: an RPC failure, which passes under failure_mode_allow.
  maxHeaderListPairs: 4_096,
  settings: { initialWindowSize: STREAM_WINDOW_BYTES, maxConcurrentStreams: STREAMS_MAX },
};

/**
 * A gRPC server over node:http2: h2c, or TLS with ALPN h2. It knows methods by their path and no service.
 * No byte that a peer sends may end the process: each session, stream and socket has its error handler.
 */
export function createGrpcTransport(options: GrpcTransportOptions): Listener {
  const { methods, logger } = options;
  const context: CallContext = {
    monotonic: () => options.clock.monotonic(),
    logger,
    budget: { heldBytes: 0, bytesMax: HELD_BYTES_MAX },
  };
  /** Each with the number of its open streams. */
  const sessions = new Map<ServerHttp2Session, { open: number }>();
  // Sockets of port scanners or of clients without ALPN never become a session, and would hold up the drain.
  const sockets = new Set<Socket>();
  let server: Http2Server | Http2SecureServer | null = null;
  let unfollow: (() => void) | null = null;

  function onSocket(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', (error) => logger.debug('grpc_socket_error', { cause: error }));
    socket.on('close', () => sockets.delete(socket));
  }

  function onSession(session: ServerHttp2Session): void {
    session.on('error', (error) => logger.debug('grpc_session_error', { cause: error }));
    session.on('close', () => sessions.delete(session));
    try {
      openSession(session);
    } catch (cause) {
      // A connection that is gone already, or a certificate that cannot be read.
      logger.warn('grpc_session_refused', { cause });
      session.destroy();
    }
  }

  function openSession(session: ServerHttp2Session): void {
    const streams = { open: 0 };
    sessions.set(session, streams);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    const { socket } = session;
    const certificate = socket instanceof TLSSocket ? options.peerCertificate(socket) : null;
    const peer: GrpcPeer = { certificate, pepToken: undefined, pep: null };
    const onStreamClosed = () => {
      streams.open -= 1;
    };
    session.on('stream', (stream, headers) => {
      streams.open += 1;
      stream.on('close', onStreamClosed);
      onStream(stream, headers, peer);
    });
  }

  function onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: GrpcPeer): void {
    // Envoy resets a check that timed out: an error event of the stream, and no fault of ours.
    stream.on('error', (error) => logger.debug('grpc_stream_error', { cause: error }));
    try {
      if (headers[':method'] !== 'POST' || !isGrpcContentType(headers['content-type'])) {
        stream.resume();
        stream.respond({ ':status': 415 }, { endStream: true });
        return;
      }
      const method = methods.get(headers[':path'] ?? '');
      if (method === undefined) answerUnimplemented(stream);
      else new GrpcCall(stream, headers, peer, method, context);
    } catch (thrown) {
      logger.error('grpc_stream_failed', { cause: thrown });
      stream.destroy();
    }
  }

  function open(): Http2Server | Http2SecureServer {
    if (options.tls === null) return createServer(SERVER_SETTINGS);
    const read = readTls(options.tls);
    const opened = createSecureServer({
      ...SERVER_SETTINGS,
      ...read,
      ALPNProtocols: ['h2'],
      allowHTTP1: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    unfollow = followTls(opened, options.tls, read, { listener: 'grpc', logger });
    return opened;
  }

  return {
    start: () =>
      new Promise((resolve, reject) => {
        const refuse = (cause: unknown) => reject(new CountersignError('listen_failed', { field: 'grpc', cause }));
        try {
          server = open();
        } catch (cause) {
          refuse(cause);
          return;
        }
        const opened = server;
        opened.on('connection', onSocket);
        opened.on('secureConnection', onSocket);
        opened.on('session', onSession);
        opened.on('sessionError', (error) => logger.debug('grpc_session_error', { cause: error }));
        opened.on('tlsClientError', (error) => logger.debug('grpc_tls_refused', { cause: error }));
        opened.on('unknownProtocol', (socket: Socket) => socket.destroy());
        opened.once('error', refuse);
        opened.listen(options.port, options.host, () => {
          opened.off('error', refuse);
          opened.on('error', (error) => logger.error('grpc_listener_error', { cause: error }));
          const address = opened.address();
          if (address === null || typeof address === 'string') refuse(address);
          else resolve({ host: address.address, port: address.port });
        });
      }),
    notice: () => options.onNotice(),
    openRequests() {
      let open = 0;
      for (const streams of sessions.values()) open += streams.open;
      return open;
    },
    stop: (boundMs) =>
      new Promise((resolve) => {
        if (server === null) {
          resolve();
          return;
        }
        const cut = () => {
          for (const session of sessions.keys()) session.destroy();
          for (const socket of sockets) socket.destroy();
        };
        // A graceful close waits for the peer to close as well: without a bound where it is a port scanner.
        let idleSweeps = 0;
        const sweep = setInterval(() => {
          const busy = [...sessions.values()].some(({ open }) => open > 0);
          idleSweeps = busy ? 0 : idleSweeps + 1;
          if (idleSweeps === 2) cut();
        }, SWEEP_MS);
        const bound = setTimeout(cut, boundMs);
        unfollow?.();
        options.onStop();
        server.close(() => {
          clearInterval(sweep);
          clearTimeout(bound);
          resolve();
        });
        // GOAWAY: no new streams, those that are open come to their end.
        for (const session of sessions.keys()) session.close();
      }),
  };
}

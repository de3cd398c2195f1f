import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';

/** All that one RPC gave back; nothing is judged here. */
export type GrpcAnswer = {
  readonly httpStatus: number;
  /** From the trailers, or from the headers of a Trailers-Only answer; null where none came. */
  readonly grpcStatus: number | null;
  readonly grpcMessage: string | null;
  /** Bytes of each message, without their prefix. */
  readonly messages: readonly Buffer[];
  readonly trailersOnly: boolean;
  /** The RST_STREAM code; 0 where the stream ended well. */
  readonly resetCode: number;
};

export type CallOptions = {
  readonly metadata?: OutgoingHttpHeaders;
  /** Leaves the request open: neither END_STREAM nor more bytes. */
  readonly halfOpen?: boolean;
};

/** A gRPC client over node:http2 that can also say what no client should: every byte of a request is the test's own. */
export interface GrpcClient {
  readonly session: ClientHttp2Session;
  /** One unary call with a well-formed message. */
  unary(path: string, message: Uint8Array, metadata?: OutgoingHttpHeaders): Promise<GrpcAnswer>;
  /** One call with arbitrary DATA. */
  raw(path: string, data: readonly Uint8Array[], options?: CallOptions): Promise<GrpcAnswer>;
  /** Opens a call and leaves everything to the test. */
  open(path: string, metadata?: OutgoingHttpHeaders): ClientHttp2Stream;
  close(): Promise<void>;
}

/** The five bytes of prefix and the message (PROTOCOL-HTTP2.md). */
export function frame(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** Connects to `http://host:port` (h2c) or `https://host:port`; rejects where the connection cannot be made. */
export async function connectGrpc(url: string, tls: SecureClientSessionOptions = {}): Promise<GrpcClient> {
  const session = connect(url, tls);
  await new Promise<void>((resolve, reject) => {
    session.once('connect', () => resolve());
    session.once('error', reject);
    session.once('close', () => reject(new Error('closed before it was connected')));
  });
  session.on('error', () => {});

  const open = (path: string, metadata: OutgoingHttpHeaders = {}): ClientHttp2Stream =>
    session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...metadata });

  const raw = (path: string, data: readonly Uint8Array[], { metadata = {}, halfOpen = false }: CallOptions = {}): Promise<GrpcAnswer> => {
    const stream = open(path, metadata);
    const answer = readAnswer(stream);
    for (const part of data) stream.write(part);
    if (!halfOpen) stream.end();
    return answer;
  };

  return {
    session,
    unary: (path, message, metadata = {}) => raw(path, [frame(message)], { metadata }),
    raw,
    open,
    close: () =>
      new Promise((resolve) => {
        if (session.closed || session.destroyed) resolve();
        else session.close(() => resolve());
      }),
  };
}

/** Resolves when the stream is closed, however it was. */
export function readAnswer(stream: ClientHttp2Stream): Promise<GrpcAnswer> {
  return new Promise((resolve) => {
    let headers: Readonly<Record<string, unknown>> = {};
    let trailers: Readonly<Record<string, unknown>> = {};
    const chunks: Buffer[] = [];
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => {});
    stream.on('close', () => {
      const status = trailers['grpc-status'] ?? headers['grpc-status'];
      const message = trailers['grpc-message'] ?? headers['grpc-message'];
      resolve({
        httpStatus: Number(headers[':status'] ?? 0),
        grpcStatus: status === undefined ? null : Number(status),
        grpcMessage: message === undefined ? null : decodeURIComponent(String(message)),
        messages: readFrames(Buffer.concat(chunks)),
        trailersOnly: headers['grpc-status'] !== undefined,
        resetCode: stream.rstCode ?? 0,
      });
    });
  });
}

/** The complete messages at the beginning of `bytes`. */
export function readFrames(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    messages.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return messages;
}

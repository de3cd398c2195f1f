import type { IncomingHttpHeaders, ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2';
import { constants } from 'node:http2';
import type { Pep } from '../contract/pep.ts';
import type { Logger } from '../contract/stages.ts';
import type { HeldBytes } from './admission.ts';
import { frameMessage, type Incoming, MessageReader } from './grpc-framing.ts';
import { failureTrailers, GRPC_STATUS, type GrpcStatus, OK_TRAILERS, RESPONSE_HEADERS, trailersOnly } from './grpc-status.ts';
import { parseGrpcTimeout } from './grpc-timeout.ts';

/** Milliseconds that an answer must be ahead of the caller's own timeout: after it the answer would be thrown away. */
const TIMEOUT_MARGIN_MS = 10;

/** What a client certificate says about the calling gateway (the evidence of `pep-auth.ts`). */
export type PeerEvidence = { readonly uris: readonly string[]; readonly dns: readonly string[]; readonly sha256: string };

/** One connection: what is known of the calling gateway, so that it is authenticated once and not at each call. */
export type GrpcPeer = {
  /** From the TLS handshake; null without a client certificate. */
  readonly certificate: PeerEvidence | null;
  /** The token that `pep` was found by; undefined before the first call. */
  pepToken: string | null | undefined;
  /** Of the look-up that `pep` is from. */
  pepGeneration?: number | undefined;
  pep: Pep | null;
};

/** One method of a gRPC service. Neither function may throw for any bytes; what they throw all the same ends as `failed`. */
export interface GrpcMethod {
  readonly messageMaxBytes: number;
  /** Milliseconds from the headers on after which `expire` is called; less where `grpc-timeout` wants it. Null: no bound. */
  readonly boundMs: number | null;
  /** Called with the headers; false means that the message is thrown away as it comes. */
  accepts(call: GrpcCall): boolean;
  /** Called once, when the request has come to its end. */
  receive(call: GrpcCall, incoming: Incoming): void;
  /** Called when the time is up before an answer was given. */
  expire(call: GrpcCall): void;
  /** Called when one of the others threw. */
  failed(call: GrpcCall, thrown: unknown): void;
}

/** Nobody reads a date of an RPC. */
const RESPOND_OPTIONS: ServerStreamResponseOptions & { sendDate: boolean } = { waitForTrailers: true, sendDate: false };

function sendOkTrailers(this: ServerHttp2Stream): void {
  this.sendTrailers(OK_TRAILERS);
  if (!this.readableEnded) setImmediate(closeUnread, this);
}

/** One RPC on one stream, from its headers to its trailers. It answers at most once, whoever comes first. */
export class GrpcCall {
  readonly headers: IncomingHttpHeaders;
  readonly peer: GrpcPeer;
  /** On the injected clock's monotonic scale. */
  readonly arrivedAtMs: number;
  /** Milliseconds from `arrivedAtMs` by which an answer must be given. */
  readonly limitMs: number;
  /** Id of the question once it was read: the method's own mark, null until then. */
  questionId: string | null = null;
  readonly #stream: ServerHttp2Stream;
  readonly #reader: MessageReader;
  readonly #logger: Logger;
  readonly #context: CallContext;
  #timer: NodeJS.Timeout | null = null;
  #answered = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: GrpcPeer, method: GrpcMethod, context: CallContext) {
    this.#stream = stream;
    this.headers = headers;
    this.peer = peer;
    this.arrivedAtMs = context.monotonic();
    this.#logger = context.logger;
    this.#context = context;
    this.#reader = new MessageReader(method.messageMaxBytes, context.budget);
    const timeout = headers['grpc-timeout'];
    const callerMs = parseGrpcTimeout(typeof timeout === 'string' ? timeout : undefined);
    const boundMs = method.boundMs ?? Number.POSITIVE_INFINITY;
    this.limitMs = callerMs === null ? boundMs : Math.max(0, Math.min(boundMs, callerMs - TIMEOUT_MARGIN_MS));
    if (method.boundMs !== null) this.#timer = setTimeout(expireCall, this.limitMs, this, method);
    this.#listen(method);
  }

  /** True once an answer was given or can no longer be given. */
  get over(): boolean {
    return this.#answered || this.#stream.destroyed || this.#stream.closed;
  }

  /** Calls that are open now on all connections, this one with them. */
  get openCalls(): number {
    return this.#context.open;
  }

  /** True while the request is known to be longer than the method takes. */
  get tooLarge(): boolean {
    return this.#reader.tooLarge;
  }

  /** Answers with one message and the RPC status OK. */
  reply(message: Uint8Array): void {
    this.#answer(() => {
      this.#stream.respond(RESPONSE_HEADERS, RESPOND_OPTIONS);
      this.#stream.on('wantTrailers', sendOkTrailers);
      this.#stream.end(frameMessage(message));
    });
  }

  /** Answers with an RPC status and no message. */
  fail(status: GrpcStatus, text: string): void {
    this.#answer(() => {
      this.#stream.respond(trailersOnly(status, text), { endStream: true });
      if (!this.#stream.readableEnded) setImmediate(closeUnread, this.#stream);
    });
  }

  /** Opens a stream of messages; the caller ends it by `finish`. Null where the stream is gone. */
  openStream(): MessageStream | null {
    const stream = this.#stream;
    let opened = false;
    this.#answer(() => {
      stream.respond(RESPONSE_HEADERS, RESPOND_OPTIONS);
      opened = true;
    });
    if (!opened) return null;
    let trailers = OK_TRAILERS;
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    return {
      write: (message) => {
        if (!stream.destroyed && !stream.closed) stream.write(frameMessage(message));
      },
      finish: (status, text) => {
        if (stream.destroyed || stream.closed) return;
        trailers = failureTrailers(status, text);
        stream.end();
      },
      onClose: (listener) => stream.on('close', listener),
    };
  }

  #listen(method: GrpcMethod): void {
    const stream = this.#stream;
    stream.on('data', (chunk: Buffer) => this.#reader.push(chunk));
    stream.on('end', () => this.#run(method, () => method.receive(this, this.#reader.end())));
    stream.on('close', () => {
      this.#clearTimer();
      this.#reader.discard();
    });
    this.#run(method, () => {
      if (!method.accepts(this)) this.#reader.discard();
    });
  }

  #run(method: GrpcMethod, work: () => void): void {
    try {
      work();
    } catch (thrown) {
      method.failed(this, thrown);
    }
  }

  /** The time is up: called by the timer. */
  expire(method: GrpcMethod): void {
    this.#timer = null;
    if (this.over) return;
    this.#run(method, () => method.expire(this));
  }

  #answer(write: () => void): void {
    if (this.over) return;
    this.#answered = true;
    this.#clearTimer();
    this.#reader.discard();
    try {
      write();
    } catch (thrown) {
      this.#logger.warn('grpc_answer_failed', { cause: thrown });
      this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  }

  #clearTimer(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** What all calls of one listener share. */
export type CallContext = {
  readonly monotonic: () => number;
  readonly logger: Logger;
  readonly budget: HeldBytes;
  /** Open streams of all connections. */
  open: number;
};

/** The server's side of a server-streaming RPC. */
export type MessageStream = {
  write(message: Uint8Array): void;
  finish(status: GrpcStatus, text: string): void;
  onClose(listener: () => void): void;
};

function expireCall(call: GrpcCall, method: GrpcMethod): void {
  call.expire(method);
}

/**
 * After an answer before the end of the request: what still comes is of no use and must not keep the stream (RFC 9113 8.1).
 * Not before the trailers have left, since a reset overtakes them.
 */
function closeUnread(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
}

/** The answer to a method that is not served (gRPC: UNIMPLEMENTED, Trailers-Only). */
export function answerUnimplemented(stream: ServerHttp2Stream): void {
  stream.resume();
  stream.respond(trailersOnly(GRPC_STATUS.unimplemented, 'The method is not served here'), { endStream: true });
}

import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { FailureCode } from './outcome.ts';
import type { Answered } from './read-answer.ts';

/** Of the connection to Countersign, as `node:tls` takes them. */
export type TlsSettings = {
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /** The application's own certificate and key, where it is known by them. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
};

export type ExchangeOptions = {
  readonly url: URL;
  readonly tls: TlsSettings;
  readonly connectionsMax: number;
  readonly answerBytesMax: number;
  /** Milliseconds on a scale that never goes back. */
  readonly monotonic: () => number;
};

/** One call: everything that ends it without an answer has a code. */
export type Call = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** From now to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
};
export type NoAnswer = { readonly failure: FailureCode; readonly detail: string | null };

/** Connections to Countersign that are kept. */
export interface Exchange {
  /** Never rejects. */
  post(call: Call): Promise<Answered | NoAnswer>;
  close(): void;
}

/** Below the 75 s of Countersign, so that it is we who let an idle connection go. */
const IDLE_MS = 30_000;
/** What the kernel says of a kept connection that the other side had closed meanwhile: the question was not read. */
const GONE = new Set(['ECONNRESET', 'EPIPE']);

/** Over `node:http` or `node:https`, by the scheme of the URL. */
export function createExchange(options: ExchangeOptions): Exchange {
  const { url, monotonic, connectionsMax, answerBytesMax } = options;
  const secure = url.protocol === 'https:';
  const settings = { keepAlive: true, maxSockets: connectionsMax, maxFreeSockets: connectionsMax, timeout: IDLE_MS };
  const { ca, cert, key, servername } = options.tls;
  const agent = secure
    ? new TlsAgent({
        ...settings,
        ...(ca === undefined ? {} : { ca: [ca].flat() }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(servername === undefined ? {} : { servername }),
      })
    : new PlainAgent(settings);
  const base = `${url.origin}${url.pathname.replace(/\/$/, '')}`;

  function open({ path, headers, body }: Call): ClientRequest {
    const target = `${base}${path}`;
    const sent = { method: 'POST', agent, headers: { ...headers, 'content-length': String(body.length) } };
    return secure ? tlsRequest(target, sent) : plainRequest(target, sent);
  }

  /** @param again whether a kept connection that turns out to be closed is replaced by a new one */
  function attempt(call: Call, untilMs: number, again: boolean): Promise<Answered | NoAnswer> {
    return new Promise((resolve) => {
      const request = open(call);
      let ended = false;
      const timer = setTimeout(() => end({ failure: 'timeout', detail: null }), Math.max(0, untilMs - monotonic()));
      const onAbort = (): void => end({ failure: 'aborted', detail: null });

      function end(outcome: Answered | NoAnswer | Promise<Answered | NoAnswer>): void {
        if (ended) return;
        ended = true;
        clearTimeout(timer);
        call.signal?.removeEventListener('abort', onAbort);
        if ('failure' in outcome) request.destroy();
        resolve(outcome);
      }

      call.signal?.addEventListener('abort', onAbort);
      request.on('error', (cause) => {
        const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : null;
        const stale = again && request.reusedSocket && code !== null && GONE.has(code);
        end(stale ? attempt(call, untilMs, false) : { failure: 'unreachable', detail: code });
      });
      request.on('response', (response) => collect(response, answerBytesMax, end));
      request.end(call.body);
    });
  }

  return {
    async post(call) {
      if (call.signal?.aborted === true) return { failure: 'aborted', detail: null };
      return attempt(call, monotonic() + call.timeoutMs, true);
    },
    close: () => agent.destroy(),
  };
}

function collect(response: IncomingMessage, bytesMax: number, end: (outcome: Answered | NoAnswer) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > bytesMax) end({ failure: 'answer_too_large', detail: null });
    else chunks.push(chunk);
  });
  response.on('end', () => {
    const { statusCode = 0, headers } = response;
    end({ status: statusCode, contentType: headers['content-type'] ?? '', bytes: Buffer.concat(chunks) });
  });
  // half of an answer is none
  response.on('error', () => end({ failure: 'unreachable', detail: 'cut' }));
}

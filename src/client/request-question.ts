import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Question } from './question.ts';

/** A request as Node.js has it, with what Express adds. */
export type HttpRequest = IncomingMessage & { readonly originalUrl?: string; readonly protocol?: string };

/**
 * The question about a request: its target as it came, all its headers, its peer, and what was verified of a client certificate. Which of it counts is
 * what this application is trusted for (`peps[].trusts`).
 */
export function questionOf(request: HttpRequest): Question {
  const { socket } = request;
  const secure = socket instanceof TLSSocket;
  const { host } = request.headers;
  const ip = socket.remoteAddress;
  const port = socket.remotePort;
  return {
    request: {
      method: request.method ?? '',
      scheme: request.protocol ?? (secure ? 'https' : 'http'),
      ...(host === undefined ? {} : { host }),
      path: request.originalUrl ?? request.url ?? '',
      headers: linesOf(request.rawHeaders),
    },
    ...(ip === undefined ? {} : { source: { ip, ...(port === undefined ? {} : { port }) } }),
    ...(secure ? tlsOf(socket) : {}),
  };
}

/** Names as they came, since `x_api_key` is another one than `x-api-key`; the values of one name in order. */
function linesOf(raw: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const lines = new Map<string, string[]>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    const values = lines.get(name);
    const value = textOf(raw[at + 1] ?? '');
    if (values === undefined) lines.set(name, [value]);
    else values.push(value);
  }
  return Object.fromEntries(lines);
}

/** Node.js reads bytes as Latin-1; what was UTF-8 becomes it again. */
function textOf(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value;
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : value;
}

function tlsOf(socket: TLSSocket): Pick<Question, 'tls' | 'certificate'> {
  const { servername } = socket;
  const version = socket.getProtocol();
  // one that was not verified against a CA of the application proves nothing
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  return {
    tls: {
      ...(typeof servername === 'string' && servername !== '' ? { sni: servername } : {}),
      ...(version === null ? {} : { version }),
    },
    ...(certificate === undefined ? {} : { certificate: { pem: certificate.toString() } }),
  };
}

import { connect } from 'node:net';
import { type LoadConnection, nowNs, type OnAnswer } from './connection.ts';
import type { Effect, Question } from './questions.ts';

type Flight = { readonly question: Question; readonly sentAtNs: number };

/** An HTTP/1.1 client of only what a load needs: one request in flight a connection, keep-alive, no header parsing but for the body's length. */
export async function openHttp(
  port: number,
  path: string,
  extraHeaders: string,
  onAnswer: OnAnswer,
  onFailure: (why: string) => void,
): Promise<LoadConnection> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  let flight: Flight | null = null;
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', (error) => onFailure(String(error)));
  socket.on('close', () => {
    if (flight !== null) onFailure('the connection was closed with a request in flight');
  });
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const body = wholeBody(bytes);
    if (body === null) {
      rest = Buffer.from(bytes);
      return;
    }
    rest = bytes.subarray(bytes.length);
    const done = flight;
    flight = null;
    if (done !== null) onAnswer(done.question, done.sentAtNs, bodyEffect(body), bytes);
  });
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n${extraHeaders}content-length: `;
  return {
    ask(question) {
      flight = { question, sentAtNs: nowNs() };
      const start = Buffer.from(`${head}${question.body.length}\r\n\r\n`, 'latin1');
      socket.write(Buffer.concat([start, question.body]));
    },
    close() {
      flight = null;
      socket.destroy();
    },
  };
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** The body of the one answer in these bytes, or null where it is not whole yet; by Content-Length, else chunked. */
function wholeBody(bytes: Buffer): Buffer | null {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return null;
  const head = bytes.toString('latin1', 0, end);
  const length = /content-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return bytes.length >= end + 4 + Number(length) ? bytes.subarray(end + 4) : null;
  return bytes.subarray(bytes.length - 5).equals(LAST_CHUNK) ? bytes.subarray(end + 4) : null;
}

const ALLOW = [Buffer.from('"decision":"allow"'), Buffer.from('"result":"allow"')] as const;
const DENY = [Buffer.from('"decision":"deny"'), Buffer.from('"result":"deny"')] as const;
const STEP_UP = [Buffer.from('"decision":"step_up"'), Buffer.from('"result":"step_up"')] as const;

/** Countersign says `"decision":"…"`, OPA's data API `"result":"…"`. */
function bodyEffect(body: Buffer): Effect | 'unknown' {
  if (ALLOW.some((text) => body.includes(text))) return 'allow';
  if (DENY.some((text) => body.includes(text))) return 'deny';
  return STEP_UP.some((text) => body.includes(text)) ? 'step_up' : 'unknown';
}

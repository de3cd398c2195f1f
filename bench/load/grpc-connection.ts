import { connect, type Socket } from 'node:net';
import { checkResponseEffect } from './check-response.ts';
import { type LoadConnection, nowNs, type OnAnswer } from './connection.ts';
import type { Question } from './questions.ts';

const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;
const ACK = 0x1;
const WINDOW_START = 65_535;
const WINDOW_OURS = 1 << 30;

type Waiting = { readonly question: Question; readonly askedAtNs: number };
type Flight = Waiting & { body: Buffer };

/**
 * A gRPC client of only what a load needs: HTTP/2 frames (RFC 9113) written straight to a socket, with a header block made once.
 * Response headers are not decoded: an answer counts as one when its DATA holds a CheckResponse; what else came is `unknown`.
 */
export async function openGrpc(port: number, path: string, onAnswer: OnAnswer, onFailure: (why: string) => void): Promise<LoadConnection> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', (error) => onFailure(String(error)));
  const headers = headerBlock(port, path);
  const flights = new Map<number, Flight>();
  const waiting: Waiting[] = [];
  const out: Buffer[] = [];
  let streamId = 1;
  let window = WINDOW_START;
  let received = 0;
  let flushing = false;

  const flush = (): void => {
    flushing = false;
    socket.write(out.length === 1 && out[0] !== undefined ? out[0] : Buffer.concat(out));
    out.length = 0;
  };
  const write = (bytes: Buffer): void => {
    out.push(bytes);
    if (!flushing) {
      flushing = true;
      setImmediate(flush);
    }
  };
  const send = ({ question, askedAtNs }: Waiting): boolean => {
    const size = question.body.length + 5;
    if (size > window) return false;
    window -= size;
    write(requestFrames(streamId, headers, question.body));
    flights.set(streamId, { question, askedAtNs, body: EMPTY });
    streamId += 2;
    return true;
  };
  const ask = (question: Question): void => {
    const asked = { question, askedAtNs: nowNs() };
    if (waiting.length > 0 || !send(asked)) waiting.push(asked);
  };
  const onFrame = (type: number, flags: number, stream: number, payload: Buffer): void => {
    if (type === FRAME.data) {
      received += payload.length;
      if (received > WINDOW_OURS / 2) {
        write(frame(FRAME.windowUpdate, 0, 0, uint32(received)));
        received = 0;
      }
      const flight = flights.get(stream);
      if (flight !== undefined) flight.body = flight.body.length === 0 ? payload : Buffer.concat([flight.body, payload]);
    } else if (type === FRAME.windowUpdate) {
      if (stream === 0) window += payload.readUInt32BE(0);
      while (waiting[0] !== undefined && send(waiting[0])) waiting.shift();
    } else if (type === FRAME.settings) {
      if ((flags & ACK) === 0) write(frame(FRAME.settings, ACK, 0, EMPTY));
    } else if (type === FRAME.ping) {
      if ((flags & ACK) === 0) write(frame(FRAME.ping, ACK, 0, Buffer.from(payload)));
    } else if (type === FRAME.reset || type === FRAME.goAway) {
      onFailure(`frame ${type} on stream ${stream}: ${payload.toString('latin1')}`);
    }
    if ((type === FRAME.headers || type === FRAME.data) && (flags & END_STREAM) !== 0) {
      const flight = flights.get(stream);
      flights.delete(stream);
      if (flight !== undefined) onAnswer(flight.question, flight.askedAtNs, checkResponseEffect(flight.body), flight.body);
    }
  };
  readFrames(socket, onFrame);
  write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0, OUR_SETTINGS), frame(FRAME.windowUpdate, 0, 0, uint32(WINDOW_OURS))]));
  return { ask, close: () => socket.destroy() };
}

const EMPTY = Buffer.alloc(0);
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** INITIAL_WINDOW_SIZE 1 GiB. */
const OUR_SETTINGS = Buffer.from([0, 4, 0x40, 0, 0, 0]);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(9 + payload.length);
  writeHead(bytes, 0, payload.length, type, flags, stream);
  payload.copy(bytes, 9);
  return bytes;
}

function writeHead(bytes: Buffer, at: number, length: number, type: number, flags: number, stream: number): void {
  bytes.writeUIntBE(length, at, 3);
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  bytes.writeUInt32BE(stream, at + 5);
}

/** HEADERS and DATA of one request; the message must fit into one frame of 16 KiB. */
function requestFrames(stream: number, headers: Buffer, message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(9 + headers.length + 9 + 5 + message.length);
  writeHead(bytes, 0, headers.length, FRAME.headers, END_HEADERS, stream);
  headers.copy(bytes, 9);
  const data = 9 + headers.length;
  writeHead(bytes, data, 5 + message.length, FRAME.data, END_STREAM, stream);
  bytes[data + 9] = 0;
  bytes.writeUInt32BE(message.length, data + 10);
  message.copy(bytes, data + 14);
  return bytes;
}

/** HPACK (RFC 7541): `:method POST` and `:scheme http` by the static table, the rest as literals without indexing, as long as 126 bytes. */
function headerBlock(port: number, path: string): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
  const literal = (name: string, value: string): Buffer => Buffer.concat([Buffer.from([0]), text(name), text(value)]);
  return Buffer.concat([
    Buffer.from([0x83, 0x86]),
    Buffer.concat([Buffer.from([0x04]), text(path)]),
    Buffer.concat([Buffer.from([0x01]), text(`127.0.0.1:${port}`)]),
    literal('content-type', 'application/grpc'),
    literal('te', 'trailers'),
    literal('grpc-timeout', '5000m'),
  ]);
}

function readFrames(socket: Socket, onFrame: (type: number, flags: number, stream: number, payload: Buffer) => void): void {
  let rest: Buffer = EMPTY;
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (at + 9 <= bytes.length) {
      const length = bytes.readUIntBE(at, 3);
      if (at + 9 + length > bytes.length) break;
      onFrame(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, bytes.readUInt32BE(at + 5) & 0x7fffffff, bytes.subarray(at + 9, at + 9 + length));
      at += 9 + length;
    }
    rest = at === bytes.length ? EMPTY : Buffer.from(bytes.subarray(at));
  });
}

import type { Ask } from './workload.ts';

/**
 * An `envoy.service.auth.v3.CheckRequest` as Envoy 1.40 sends it, written by hand: the bench does not trust the schema of the service
 * that it measures. Field numbers: STANDARDS C2.
 */
export function encodeCheckRequest(ask: Ask, certificatePem: string | null): Buffer {
  const seconds = Math.floor(Date.now() / 1000);
  const headers: (readonly [string, string])[] = [
    [':authority', ask.host],
    [':path', ask.path],
    [':method', ask.method],
    [':scheme', 'https'],
    ...ask.headers,
  ];
  const http = Buffer.concat([
    text(1, ask.id),
    text(2, ask.method),
    ...headers.map(([name, value]) => message(3, text(1, name), text(2, value))),
    text(4, ask.path),
    text(5, ask.host),
    text(6, 'https'),
    text(10, 'HTTP/2'),
  ]);
  return message(
    1,
    message(1, socketAddress(ask.ip, 40_312), ...(certificatePem === null ? [] : [text(5, encodeURIComponent(certificatePem))])), // source
    message(2, socketAddress('192.0.2.10', 8443)), // destination
    message(4, message(1, number(1, seconds), number(2, 123_456_789)), message(2, http)), // request: time, http
    message(11), // metadata_context
  );
}

function socketAddress(address: string, port: number): Buffer {
  return message(1, message(1, text(2, address), number(3, port)));
}

function message(field: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value, 'utf8'));
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  return Buffer.from([...bytes, left]);
}

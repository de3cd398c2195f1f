import type { Effect } from './questions.ts';

const STEP_UP = Buffer.from('step_up');

/**
 * The effect that a gRPC message with an `envoy.service.auth.v3.CheckResponse` shows: `status.code` 0 is allow; else `step_up` in it
 * (the dynamic metadata's `decision`) tells the two others apart.
 */
export function checkResponseEffect(body: Buffer): Effect | 'unknown' {
  if (body.length < 5 || body[0] !== 0) return 'unknown';
  let code: number | null = null;
  for (let at = 5; at < body.length; ) {
    const tag = body[at] ?? 0;
    if ((tag & 0x07) !== 2) return 'unknown'; // every top-level field of a CheckResponse is a message
    const [length, next] = varint(body, at + 1);
    if (tag === 0x0a) code = statusCode(body.subarray(next, next + length));
    at = next + length;
  }
  if (code === null) return 'unknown';
  if (code === 0) return 'allow';
  return body.includes(STEP_UP) ? 'step_up' : 'deny';
}

function statusCode(status: Buffer): number {
  return status[0] === 0x08 ? varint(status, 1)[0] : 0;
}

function varint(bytes: Buffer, start: number): [number, number] {
  let value = 0;
  let shift = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at + 1];
    shift += 7;
  }
  return [value, bytes.length];
}

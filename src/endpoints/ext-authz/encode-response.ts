import type { CheckResponseMessage, DeniedMessage, HeaderOption, OkMessage, ProtoStruct, ProtoValue } from './schema.ts';

/**
 * The wire form of a CheckResponse (protobuf encoding: tag, length, bytes), written by hand since every answer passes here: a general
 * encoder takes three times as long. It is written from the end to the front, so that a length is known when it is its turn.
 * `test/endpoints/ext-authz/encode-response.test.ts` holds it to the general encoder, byte for byte.
 */
export function encodeCheckResponse(message: CheckResponseMessage): Uint8Array {
  used = 0;
  if ('errorResponse' in message) denied(5, message.errorResponse);
  struct(4, message.dynamicMetadata);
  if ('okResponse' in message) allowed(3, message.okResponse);
  if ('deniedResponse' in message) denied(2, message.deniedResponse);
  const start = used;
  number(1, message.status.code);
  close(1, start);
  return Buffer.from(space.subarray(space.length - used));
}

function allowed(field: number, { headers, headersToRemove, responseHeadersToAdd }: OkMessage): void {
  const start = used;
  headerOptions(6, responseHeadersToAdd);
  for (let index = headersToRemove.length - 1; index >= 0; index -= 1) textAlways(5, headersToRemove[index] ?? '');
  headerOptions(2, headers);
  close(field, start);
}

function denied(field: number, { status, headers, body }: DeniedMessage): void {
  const start = used;
  text(3, body);
  headerOptions(2, headers);
  const inner = used;
  number(1, status.code);
  close(1, inner);
  close(field, start);
}

function headerOptions(field: number, options: readonly HeaderOption[]): void {
  for (let index = options.length - 1; index >= 0; index -= 1) {
    const option = options[index];
    if (option === undefined) continue;
    const start = used;
    number(3, option.appendAction);
    const inner = used;
    text(2, option.header.value);
    text(1, option.header.key);
    close(1, inner);
    close(field, start);
  }
}

function struct(field: number, { fields }: ProtoStruct): void {
  const start = used;
  for (let index = fields.length - 1; index >= 0; index -= 1) {
    const entry = fields[index];
    if (entry === undefined) continue;
    const inner = used;
    if (entry.value !== null) value(2, entry.value);
    text(1, entry.key);
    close(1, inner);
  }
  close(field, start);
}

function value(field: number, { numberValue, stringValue, boolValue, structValue, listValue }: ProtoValue): void {
  const start = used;
  if (listValue != null) {
    const inner = used;
    for (let index = listValue.values.length - 1; index >= 0; index -= 1) {
      const item = listValue.values[index];
      if (item !== undefined) value(1, item);
    }
    close(6, inner);
  } else if (structValue != null) struct(5, structValue);
  else if (boolValue !== undefined) numberAlways(4, boolValue ? 1 : 0);
  else if (stringValue !== undefined) textAlways(3, stringValue);
  else if (numberValue !== undefined) double(2, numberValue);
  close(field, start);
}

const SPACE_BYTES = 16_384;
/** A tag and the longest length. */
const HEAD_BYTES = 6;
const SHORT_CHARS = 64;

/** One message at a time, since encoding never waits: its last `used` bytes. */
let space = Buffer.allocUnsafeSlow(SPACE_BYTES);
let used = 0;

function reserve(bytes: number): void {
  if (used + bytes <= space.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * (space.length + bytes));
  space.copy(larger, larger.length - used, space.length - used);
  space = larger;
}

/** Puts tag and length before what was written since `start`. All field numbers here fit into a tag of one byte. */
function close(field: number, start: number): void {
  const length = used - start;
  reserve(HEAD_BYTES);
  varint(length);
  used += 1;
  space[space.length - used] = (field << 3) | 2;
}

/** A field of type int32, never negative here; 0 is left out (proto3, implicit presence). */
function number(field: number, amount: number): void {
  if (amount !== 0) numberAlways(field, amount);
}

/** A member of a oneof. */
function numberAlways(field: number, amount: number): void {
  reserve(HEAD_BYTES);
  varint(amount);
  used += 1;
  space[space.length - used] = field << 3;
}

function double(field: number, amount: number): void {
  reserve(9);
  used += 9;
  space[space.length - used] = (field << 3) | 1;
  space.writeDoubleLE(amount, space.length - used + 1);
}

/** A field of type string; the empty one is left out. */
function text(field: number, content: string): void {
  if (content !== '') textAlways(field, content);
}

/** A member of a oneof or of a list. */
function textAlways(field: number, content: string): void {
  const start = used;
  if (content.length > SHORT_CHARS || !shortAscii(content)) {
    const bytes = Buffer.byteLength(content, 'utf8');
    reserve(bytes);
    used += bytes;
    space.write(content, space.length - used, 'utf8');
  }
  close(field, start);
}

/** Writes a short text if it is ASCII: cheaper than a call into the runtime. */
function shortAscii(content: string): boolean {
  const { length } = content;
  reserve(length);
  const at = space.length - used - length;
  for (let index = 0; index < length; index += 1) {
    const code = content.charCodeAt(index);
    if (code > 0x7f) return false;
    space[at + index] = code;
  }
  used += length;
  return true;
}

function varint(amount: number): void {
  let size = 1;
  for (let rest = amount >>> 7; rest > 0; rest >>>= 7) size += 1;
  used += size;
  const at = space.length - used;
  let rest = amount;
  for (let index = 0; index < size - 1; index += 1) {
    space[at + index] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  space[at + size - 1] = rest;
}

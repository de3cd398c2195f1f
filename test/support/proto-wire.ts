/** Protobuf's wire format by hand, so that no test trusts the schema or the library of the code under test. */

/** One field of a decoded message; a length-delimited one keeps its bytes. */
export type WireField = { readonly field: number; readonly value: number | Buffer };

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left >= 0x80n; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}

/** A length-delimited field: string, bytes or message. */
export function delimited(field: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part)));
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

export function integer(field: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

export function double(field: number, value: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeDoubleLE(value);
  return Buffer.concat([varint(field * 8 + 1), body]);
}

/** All fields in the order of the wire; throws for what is not a message. */
export function readWire(bytes: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const readVarint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('the message is cut');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < bytes.length) {
    const tag = readVarint();
    const kind = tag & 7;
    const field = tag >>> 3;
    if (kind === 0) fields.push({ field, value: readVarint() });
    else if (kind === 1) {
      fields.push({ field, value: bytes.readDoubleLE(at) });
      at += 8;
    } else if (kind === 2) {
      const length = readVarint();
      if (at + length > bytes.length) throw new Error('the message is cut');
      fields.push({ field, value: bytes.subarray(at, at + length) });
      at += length;
    } else throw new Error(`wire type ${kind}`);
  }
  return fields;
}

export function messagesOf(fields: readonly WireField[], field: number): WireField[][] {
  return buffersOf(fields, field).map(readWire);
}

export function messageOf(fields: readonly WireField[], field: number): WireField[] | null {
  return messagesOf(fields, field)[0] ?? null;
}

export function textsOf(fields: readonly WireField[], field: number): string[] {
  return buffersOf(fields, field).map((bytes) => bytes.toString('utf8'));
}

export function textOf(fields: readonly WireField[], field: number): string {
  return textsOf(fields, field)[0] ?? '';
}

export function numberOf(fields: readonly WireField[], field: number): number {
  const found = fields.find((one) => one.field === field)?.value;
  return typeof found === 'number' ? found : 0;
}

function buffersOf(fields: readonly WireField[], field: number): Buffer[] {
  return fields.flatMap((one) => (one.field === field && Buffer.isBuffer(one.value) ? [one.value] : []));
}

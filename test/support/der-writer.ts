/* DER (X.690) of the few forms that certificates and revocation lists need. */

export function der(tag: number, content: Buffer | readonly number[]): Buffer {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content);
  const size = bytes.length;
  const length =
    size < 0x80
      ? [size]
      : size < 0x100
        ? [0x81, size]
        : size < 0x10000
          ? [0x82, size >> 8, size & 0xff]
          : [0x83, size >> 16, (size >> 8) & 0xff, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
}

export function sequence(...items: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(items));
}

export function oid(arcs: readonly number[]): Buffer {
  const [first = 0, second = 0, ...rest] = arcs;
  return der(0x06, [first * 40 + second, ...rest.flatMap(base128)]);
}

function base128(arc: number): number[] {
  const out = [arc & 0x7f];
  for (let left = arc >>> 7; left > 0; left >>>= 7) out.unshift(0x80 | (left & 0x7f));
  return out;
}

export function bits(bytes: Buffer, unused: number): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([unused]), bytes]));
}

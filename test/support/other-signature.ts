import { bits, der, sequence } from './der-writer.ts';

/** Orders of the curves of FIPS 186-5. */
const ORDERS: Readonly<Record<string, bigint>> = {
  'P-256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  'P-384': 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  'P-521':
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
};

/** A certificate with the signature (r, n - s) for (r, s): whoever holds it can make it, and every verifier takes it. */
export function derOfOtherSignature(certificate: Buffer, curve: string): Buffer {
  const [body, algorithm, signature] = itemsOf(certificate);
  const [r, s] = itemsOf(contentOf(signature).subarray(1));
  const other = (ORDERS[curve] ?? 0n) - BigInt(`0x${contentOf(s).toString('hex')}`);
  return sequence(body, algorithm, bits(sequence(r, integer(other)), 0));
}

function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return der(0x02, (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.alloc(1), bytes]));
}

function headerOf(bytes: Buffer): { readonly start: number; readonly end: number } {
  const first = bytes.readUInt8(1);
  const more = first < 0x80 ? 0 : first & 0x7f;
  const start = 2 + more;
  return { start, end: start + (more === 0 ? first : bytes.readUIntBE(2, more)) };
}

function contentOf(bytes: Buffer): Buffer {
  const { start, end } = headerOf(bytes);
  return bytes.subarray(start, end);
}

/** The first three items of a sequence, whole. */
function itemsOf(bytes: Buffer): [Buffer, Buffer, Buffer] {
  const content = contentOf(bytes);
  const items: Buffer[] = [];
  for (let at = 0; at < content.length; ) {
    const end = at + headerOf(content.subarray(at)).end;
    items.push(content.subarray(at, end));
    at = end;
  }
  const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = items;
  return [first, second, third];
}

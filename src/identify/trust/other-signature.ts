import { hash } from 'node:crypto';
import { type Element, sequenceOf, TAG } from '../../formats/der.ts';
import type { Certificate } from '../certificate.ts';

/** Orders of P-256, P-384 and P-521 (FIPS 186-5). */
const ORDERS = [
  0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
];
/** Of 1.2.840.10045.4, the signatures by ECDSA. */
const ECDSA = '2a8648ce3d04';

const known = new WeakMap<Certificate, readonly string[]>();

/**
 * The SHA-256 (lower-case hex) of what else a certificate signed by ECDSA may look like: beside (r, s) the signature (r, n - s) is as good, and whoever
 * holds a certificate that is refused by its hash can show the other one. One for each curve, since the issuer's is not known; none for RSA and EdDSA,
 * whose signatures have one form.
 */
export function otherSha256Of(certificate: Certificate): readonly string[] {
  const before = known.get(certificate);
  if (before !== undefined) return before;
  const made = certificate.signatureAlgorithm.startsWith(ECDSA) ? compute(certificate.x509.raw) : [];
  known.set(certificate, made);
  return made;
}

function compute(der: Buffer): readonly string[] {
  const [body, algorithm, signature] = sequenceOf(der) ?? [];
  if (body === undefined || algorithm === undefined || signature?.tag !== TAG.bitString) return [];
  const pair = der.subarray(signature.start + 1, signature.end);
  const [r, s] = sequenceOf(pair) ?? [];
  if (r === undefined || s?.tag !== TAG.integer || s.end === s.start) return [];
  const value = BigInt(`0x${pair.toString('hex', s.start, s.end)}`);
  return ORDERS.filter((order) => value > 0n && value < order).map((order) => {
    const other = Buffer.concat([wholeOf(pair, r), encode(TAG.integer, positive(order - value))]);
    const bits = Buffer.concat([Buffer.alloc(1), encode(TAG.sequence, other)]);
    return hash(
      'sha256',
      encode(TAG.sequence, Buffer.concat([wholeOf(der, body), wholeOf(der, algorithm), encode(TAG.bitString, bits)])),
      'hex',
    );
  });
}

function wholeOf(der: Buffer, { at, end }: Element): Buffer {
  return der.subarray(at, end);
}

/** X.690 section 8.3: as few bytes as can be, the highest bit clear. */
function positive(value: bigint): Buffer {
  const hex = value.toString(16);
  const even = hex.padStart(hex.length + (hex.length % 2), '0');
  return Buffer.from(even.charCodeAt(0) >= 0x38 ? `00${even}` : even, 'hex');
}

function encode(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x1_00 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

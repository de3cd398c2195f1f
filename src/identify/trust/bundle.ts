import { CountersignError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import { parseStrictJson } from '../../formats/strict-json.ts';
import { type Certificate, readCertificate } from '../certificate.ts';

export const BUNDLE_BYTES_MAX = 1_048_576;
const CERTIFICATES_MAX = 500;
const JSON_LIMITS = { depthMax: 8, keysMax: 10_000 };
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The certificates of a trust bundle: PEM, or a SPIFFE bundle (SPIFFE Trust Domain and Bundle section 4), of which the keys of use `x509-svid` count.
 * All of it is sound or none of it is used; an empty one is an accident. Fails with `trust_bundle_invalid`.
 */
export function parseTrustBundle(bytes: Buffer): readonly Certificate[] {
  const text = bytes.toString('utf8').trimStart();
  const inputs = text.startsWith('{') ? spiffeBundle(bytes) : pemBundle(text);
  if (inputs.length === 0) throw invalid('no certificate');
  if (inputs.length > CERTIFICATES_MAX) throw invalid('too many certificates');
  return inputs.map((input) => {
    const certificate = readCertificate(input);
    if (certificate === null) throw invalid('a certificate is malformed');
    return certificate;
  });
}

function pemBundle(text: string): readonly string[] {
  const blocks = text.match(PEM_BLOCK) ?? [];
  // a block that is cut off must not be left out in silence
  if (blocks.length !== text.split('-----BEGIN ').length - 1) throw invalid('not all of it is certificates');
  return blocks;
}

function spiffeBundle(bytes: Buffer): readonly Buffer[] {
  const parsed = parseStrictJson(bytes, JSON_LIMITS);
  const keys = parsed.ok && isJsonObject(parsed.value) ? parsed.value['keys'] : undefined;
  if (!Array.isArray(keys)) throw invalid('no list of keys');
  return keys.flatMap((key: JsonValue) => {
    if (!isJsonObject(key)) throw invalid('a key is no object');
    // section 4.2.2: a key without a known use is not for us; those of jwt-svid must have a kid
    if (key['use'] === 'jwt-svid' && !isText(key['kid'])) throw invalid('a JWT key has no kid');
    return key['use'] === 'x509-svid' ? [certificateOf(key)] : [];
  });
}

/** Section 4.2.2: exactly one certificate. */
function certificateOf(key: JsonObject): Buffer {
  const chain = key['x5c'];
  const [only, second] = Array.isArray(chain) ? chain : [];
  if (!isText(only) || second !== undefined) throw invalid('a key has not exactly one certificate');
  return Buffer.from(only, 'base64');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function invalid(detail: string): CountersignError {
  return new CountersignError('trust_bundle_invalid', { detail });
}

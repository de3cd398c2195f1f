import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { readAuthorization } from '../../src/identify/authorization.ts';
import { readConfirmation } from '../../src/identify/confirmation.ts';
import { readProofKey } from '../../src/identify/dpop-key.ts';
import { parseProof } from '../../src/identify/dpop-proof.ts';
import { parseKeyRing } from '../../src/identify/keys-jwk.ts';
import { parseSpiffeId } from '../../src/identify/spiffe-id.ts';
import { parseStrictObject } from '../../src/identify/strict-json.ts';
import { normalPath, parseTargetUri } from '../../src/identify/target-uri.ts';
import { readClaims } from '../../src/identify/token-claims.ts';
import { parseTokenText } from '../../src/identify/token-text.ts';
import { createProofKey, makeProof } from '../../test/support/dpop.ts';
import { base64url, casesOf, filled, type HostileCase } from './case.ts';

/* Credentials of a client: authorization, tokens with their claims, key sets, proofs. Their caps stand before these parsers, and are left out. */

const HEADER = base64url('{"alg":"ES256","kid":"k1"}');
const inPayload = (text: (bytes: number) => string) => (bytes: number) =>
  `${HEADER}.${base64url(text(Math.floor(bytes * 0.75) - 40))}.AAAA`;
const inHeader = (text: (bytes: number) => string) => (bytes: number) => `${base64url(text(Math.floor(bytes * 0.75) - 16))}.e30.AAAA`;

/** The claims of a text, read once: the parser of JSON has its own cases. */
function claimsOf(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isJsonObject(value)) throw new Error('no claims');
  return value;
}

const claimTexts: Readonly<Record<string, (bytes: number) => string>> = {
  'scopes of one letter': filled('{"scope":"', (index) => `${index.toString(36)} `, '"}'),
  'blanks in scope': filled('{"scope":"', ' ', '"}'),
  'a long list of audiences': filled('{"aud":["a"', ',"a"', ']}'),
  'actors within each other': (bytes) => `{"act":${'{"act":'.repeat(bytes / 8)}{}${'}'.repeat(bytes / 8)}}`,
  'a long jti': filled('{"jti":"', 'j', '"}'),
};

const keySet = (key: string) => JSON.stringify({ keys: [JSON.parse(key)] });
const algorithms = new Set(['ES256', 'RS256']);
const proofHeader = (await makeProof(await createProofKey(), {})).split('.')[0] ?? '';
const proofOf = (text: (bytes: number) => string) => (bytes: number) =>
  `${proofHeader}.${base64url(text(Math.floor((bytes - proofHeader.length) * 0.75)))}.AAAA`;
const proof = (text: string) => parseProof(text, algorithms, new Map());

function ringOf(text: string): unknown {
  try {
    return parseKeyRing(JSON.parse(text), algorithms, null);
  } catch (thrown) {
    // a typed refusal
    return thrown;
  }
}

export const tokenCases: readonly HostileCase[] = [
  ...casesOf('authorization', (text) => readAuthorization([text]), {
    commas: filled('Bearer ', ',a'),
    'blanks after a comma': filled('Bearer ,', ' '),
    'a name and blanks, and no credential': filled('Bearer ,a', ' ', '='),
    'names without a credential': filled('Bearer ', ',aa', ' ='),
    'blanks before the token': filled('bearer ', ' '),
  }),
  ...casesOf('token text', parseTokenText, {
    dots: filled('a', '.a'),
    'what is not base64url': filled('', '+/=', ''),
    'names in the header': inHeader(filled('{"alg":"ES256"', (index) => `,"${index}":0`, '}')),
    'escapes in the payload': inPayload(filled('{"a":"', '\\u0041', '"}')),
    'a long signature': (bytes) => `${HEADER}.e30.${'A'.repeat(bytes - HEADER.length - 5)}`,
  }),
  ...casesOf('claims', (text) => parseStrictObject(Buffer.from(text)), claimTexts),
  ...Object.entries(claimTexts).map(
    ([input, text]): HostileCase => ({
      parser: 'claims, their types',
      input,
      make(bytes) {
        const claims = claimsOf(text(bytes));
        return () => [readClaims(claims, 8, 'countersign'), readConfirmation(claims)];
      },
    }),
  ),
  ...casesOf('DPoP proof', proof, {
    dots: filled(proofHeader, '.'),
    'names in the payload': proofOf(filled('{"jti":"a"', (index) => `,"${index}":0`, '}')),
    'escapes in an identifier': proofOf(filled('{"jti":"', '\\n', '"}')),
    'a long signature': (bytes) => `${proofHeader}.e30.${'A'.repeat(bytes - proofHeader.length - 5)}`,
  }),
  ...casesOf('DPoP key', (text) => readProofKey(text, algorithms), {
    'a huge modulus': (bytes) =>
      base64url(filled('{"typ":"dpop+jwt","alg":"RS256","jwk":{"kty":"RSA","e":"AQAB","n":"', 'z', '"}}')(bytes * 0.75)),
    'names in the key': (bytes) =>
      base64url(filled('{"typ":"dpop+jwt","alg":"RS256","jwk":{"kty":"RSA","e":"AQAB"', (index) => `,"${index}":"z"`, '}}')(bytes * 0.75)),
  }),
  ...casesOf(
    'URI of a proof',
    parseTargetUri,
    {
      'dot segments': filled('https://a/', '../'),
      'escaped letters': filled('https://a/', '%41'),
      'a host of dots': filled('https://', '.', '/'),
      'a port of digits, and what is none': filled('https://a:', '1', '\\'),
      'slashes, and what is none': filled('https://a', '/', '"'),
    },
    [8192, 16_384],
  ),
  ...casesOf('path of a request, normal', normalPath, { 'dot segments': filled('', '/a/..'), 'escaped dots': filled('', '/%2e') }),
  ...casesOf(
    'SPIFFE id',
    parseSpiffeId,
    {
      segments: filled('spiffe://td', '/a'),
      'segments, and a blank': filled('spiffe://td', '/a', ' '),
      'one segment, and a blank': filled('spiffe://td/', 'a', ' '),
      'a trust domain without an end': filled('spiffe://', 'a.', '!'),
    },
    [1024, 2048],
  ),
  ...casesOf('JWK set', ringOf, {
    'a huge modulus': (bytes) => keySet(filled('{"kty":"RSA","e":"AQAB","n":"', 'z', '"}')(bytes)),
    'names in a key': (bytes) => keySet(filled('{"kty":"EC"', (index) => `,"${index}":"a"`, '}')(bytes)),
    'empty keys': filled('{"keys":[{}', ',{}', ']}'),
    'keys that are none': filled('{"keys":[0', ',0', ']}'),
  }),
];

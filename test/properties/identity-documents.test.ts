import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CountersignError } from '../../src/contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/contract/json.ts';
import { readAuthorization } from '../../src/identify/authorization.ts';
import { readConfirmation } from '../../src/identify/confirmation.ts';
import { issuerOf } from '../../src/identify/jwt-svid.ts';
import { createKeySet, KEY_TIMING, selectKey } from '../../src/identify/keys.ts';
import { createKeyLoader } from '../../src/identify/keys-document.ts';
import { parseKeyRing } from '../../src/identify/keys-jwk.ts';
import { readClaims } from '../../src/identify/token-claims.ts';
import { parseTrustBundle } from '../../src/identify/trust/bundle.ts';
import { readRevocationList } from '../../src/identify/trust/crl-der.ts';
import { parseDenied, parseDeniedFile } from '../../src/identify/trust/denied.ts';
import { readDocumentFile } from '../../src/stores/read-file.ts';
import { createSigningKey, createTestClock, issuerOptions, silentLogger } from '../identify/fixtures.ts';
import { createAuthority } from '../support/certificates.ts';

/* What an authorization server, a CA and a file say, and what stands in a header: read or refused with a typed error, and nothing else. */

const root = createAuthority();
const keys = await Promise.all((['RS256', 'ES256', 'EdDSA'] as const).map((algorithm) => createSigningKey(algorithm, algorithm)));
const ALGORITHMS = new Set(['RS256', 'PS256', 'ES256', 'EdDSA']);

/** The result, or the code of a `CountersignError`; everything else is thrown on. */
async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return 'read';
  } catch (thrown) {
    if (thrown instanceof CountersignError) return thrown.code;
    throw thrown;
  }
}

/** A JWK whose members are changed, left out or added to. */
const jwk = fc
  .tuple(
    fc.constantFrom(...keys.map((key) => key.jwk), {}),
    fc.dictionary(
      fc.constantFrom('kty', 'crv', 'n', 'e', 'x', 'y', 'd', 'k', 'kid', 'use', 'alg', 'key_ops', 'x5c'),
      fc.oneof(
        fc.jsonValue({ maxDepth: 2 }),
        fc.constantFrom(
          'RSA',
          'EC',
          'OKP',
          'oct',
          'P-256',
          'P-521',
          'Ed25519',
          'X25519',
          'AQAB',
          'AA',
          'sig',
          'enc',
          'RS256',
          'HS256',
          'none',
        ),
        fc.base64String(),
      ),
      { maxKeys: 4 },
    ),
  )
  .map(([base, more]) => ({ ...base, ...more }));

describe('a key set', () => {
  const entry = fc.oneof(jwk, fc.jsonValue());
  const document = fc.oneof(fc.jsonValue(), fc.record({ keys: fc.oneof(fc.array(entry, { maxLength: 6 }), fc.jsonValue()) }));

  test('is usable keys or keys_invalid, and no key is for an algorithm that is not allowed', async () => {
    await fc.assert(
      fc.asyncProperty(document, fc.constantFrom('jwt', 'jwt_svid'), async (any, kind) => {
        const code = await codeOf(() => {
          const ring = parseKeyRing(any, ALGORITHMS, null, kind);
          expect(ring.keys.length).toBeGreaterThan(0);
          for (const key of ring.keys) {
            for (const name of key.checks.keys()) expect(ALGORITHMS.has(name)).toBe(true);
            // any bytes are a signature that is wrong, of each key that was read
            for (const check of key.checks.values()) expect(check(Buffer.from('x'), Buffer.alloc(64, 7))).toBe(false);
          }
          for (const kid of [null, 'ES256', '__proto__']) selectKey(ring, 'ES256', kid);
        });
        expect(['read', 'keys_invalid']).toContain(code);
      }),
      { numRuns: 1000 },
    );
  });

  test('of any bytes leaves the last good keys in use', async () => {
    let bytes = Buffer.from(JSON.stringify({ keys: [keys[1]?.jwk] }));
    const set = createKeySet({
      issuer: 'https://as.example',
      kind: 'jwt',
      algorithms: ALGORITHMS,
      refreshMs: 60_000,
      load: async () => bytes,
      clock: createTestClock(),
      logger: silentLogger,
      timing: { ...KEY_TIMING, backoffMs: [0], cooldownMs: 0 },
    });
    await set.start();
    const good = Buffer.from(bytes);
    const damaged = fc.tuple(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length)).map(([at, byte, length]) => {
      const copy = Buffer.from(good);
      copy[at] = byte;
      return copy.subarray(0, length);
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, fc.uint8Array().map(Buffer.from), fc.constant(Buffer.from('['.repeat(100_000)))), async (any) => {
        bytes = any;
        await set.renew('other');
        expect(set.ring?.keys.length).toBe(1);
        expect(['ready', 'stale']).toContain(set.status().state);
      }),
    );
    set.stop();
  });

  test('behind metadata: any of it is an address to ask or a typed error', async () => {
    const issuer = 'https://as.example/tenant';
    const metadata = fc.oneof(
      fc.record(
        {
          issuer: fc.oneof(fc.constant(issuer), fc.jsonValue()),
          jwks_uri: fc.oneof(
            fc.constantFrom('https://as.example/keys', 'https://elsewhere.example/k', 'http://127.0.0.1/k', 'file:///k', ''),
            fc.jsonValue(),
          ),
        },
        { requiredKeys: [] },
      ),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          metadata.map((value) => JSON.stringify(value)),
          fc.string(),
        ),
        async (text) => {
          const asked: string[] = [];
          const load = createKeyLoader(issuerOptions({ issuer, discovery: true }), {
            httpFetch: async (url) => {
              asked.push(url);
              return { bytes: Buffer.from(text), contentType: null };
            },
            readFile: readDocumentFile,
            clock: createTestClock(),
          });
          expect(['read', 'keys_invalid']).toContain(await codeOf(() => load(new AbortController().signal)));
          // nobody but the issuer itself says where its keys are
          if (!text.includes(issuer)) expect(asked.every((url) => url.startsWith('https://as.example/'))).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('claims', () => {
  const names = [
    'iss',
    'sub',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'scope',
    'scp',
    'cnf',
    'act',
    'amr',
    'acr',
    'client_id',
    'authorization_details',
  ];
  const claims = fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 4 })).map((value): JsonObject => objectOf(value));

  test('of any values are read or have a code, and what is read has the types that the contract says', () => {
    fc.assert(
      fc.property(claims, (any) => {
        const read = readClaims(any, 8, 'countersign');
        const confirmation = readConfirmation(any);
        if (typeof read === 'string') return;
        for (const list of [read.audience, read.scopes, read.amr]) expect(list.every((one) => typeof one === 'string')).toBe(true);
        for (const time of [read.expiresAt, read.issuedAt, read.notBefore]) expect(time === null || Number.isFinite(time)).toBe(true);
        if (confirmation !== null && typeof confirmation !== 'string') expect(isJsonObject(any['cnf'])).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('name an issuer that is configured, or none', () => {
    const text = fc.oneof(
      fc.constantFrom('https://as.example', 'spiffe://td.example', 'spiffe://td.example/a', 'spiffe://other/a'),
      fc.string(),
    );
    const issuers = new Map([
      ['https://as.example', { options: issuerOptions() }],
      ['spiffe://td.example', { options: issuerOptions({ kind: 'jwt_svid', issuer: 'spiffe://td.example' }) }],
    ]);
    fc.assert(
      fc.property(fc.record({ iss: fc.oneof(text, fc.jsonValue()), sub: fc.oneof(text, fc.jsonValue()) }, { requiredKeys: [] }), (any) => {
        const found = issuerOf(objectOf(any), issuers);
        if (typeof found === 'string') return;
        expect([...issuers.values()]).toContain(found);
        // a trust domain vouches for its own names only
        if (found.options.kind === 'jwt_svid') expect(any.sub).toMatch(/^spiffe:\/\/td\.example\/./);
      }),
    );
  });
});

test('the authorization header: one token, which is text of the header behind its scheme, or a code', () => {
  const scheme = fc.constantFrom('Bearer', 'bearer', 'DPoP', 'dPoP', 'Basic', 'Bearer,', ',Bearer', '');
  const value = fc.tuple(scheme, fc.string({ unit: fc.constantFrom(...' \t,;="ab.-_\0é') })).map(([name, rest]) => `${name} ${rest}`);
  fc.assert(
    fc.property(fc.array(fc.oneof(value, fc.string({ unit: 'binary' })), { maxLength: 3 }), (values) => {
      const offer = readAuthorization(values);
      if (!('token' in offer)) return;
      expect(values).toHaveLength(1);
      expect(values[0]?.toLowerCase().startsWith(`${offer.scheme.toLowerCase()} `)).toBe(true);
      expect(values[0]?.endsWith(offer.token)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

describe('documents of an operator', () => {
  test('a SPIFFE bundle of any keys is certificates or trust_bundle_invalid', async () => {
    const x5c = fc.oneof(fc.constant([root.der.toString('base64')]), fc.array(fc.base64String()), fc.jsonValue());
    const key = fc.record(
      { use: fc.constantFrom('x509-svid', 'jwt-svid', 'sig'), x5c, kid: fc.oneof(fc.string(), fc.jsonValue()) },
      { requiredKeys: [] },
    );
    const bundle = fc.oneof(fc.record({ keys: fc.array(fc.oneof(key, fc.jsonValue())) }), fc.dictionary(fc.string(), fc.jsonValue()));
    await fc.assert(
      fc.asyncProperty(bundle, async (any) => {
        expect(['read', 'trust_bundle_invalid']).toContain(await codeOf(() => parseTrustBundle(Buffer.from(JSON.stringify(any)))));
      }),
      { numRuns: 500 },
    );
  });

  test('every refused certificate comes back, however it is written, and the file says the same as its lines', async () => {
    const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: 1, maxLength: 40 });
    const line = hex.map((text) => ({ text: `serial ${text}`, canonical: text.toLowerCase().replace(/^0+(?=.)/, '') }));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.boolean(), async (lines, end, commented) => {
        const text = lines.map((one) => `${one.text}${commented ? ' # x' : ''}`).join(end);
        const entries = await parseDeniedFile(Buffer.from(text));
        expect([...entries.serials].sort()).toEqual([...new Set(lines.map(({ canonical }) => canonical))].sort());
        expect(parseDenied(text.split('\n'))).toEqual(entries);
      }),
    );
  });

  test('every revoked serial comes back, and no other', async () => {
    const serial = fc.bigInt({ min: 1n, max: 2n ** 159n - 1n }).map((value) => value.toString(16));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(serial, { maxLength: 30 }), async (serials) => {
        const signedForm = serials.map((one) => (one.length % 2 === 0 && Number.parseInt(one[0] ?? '0', 16) >= 8 ? `00${one}` : one));
        const list = await readRevocationList(root.crl({ revoked: signedForm }));
        expect([...list.serials].sort()).toEqual([...serials].sort());
      }),
    );
  });
});

function objectOf(value: unknown): JsonObject {
  const copy: JsonValue = JSON.parse(JSON.stringify(value));
  return isJsonObject(copy) ? copy : {};
}

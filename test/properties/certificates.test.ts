import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CountersignError } from '../../src/contract/errors.ts';
import { parseFieldDictionary, parseFieldItem, parseFieldList } from '../../src/formats/structured-fields.ts';
import { createCertificateReader } from '../../src/identify/certificate-offers.ts';
import { parseTrustBundle } from '../../src/identify/trust/bundle.ts';
import { readRevocationList } from '../../src/identify/trust/crl-der.ts';
import { parseDenied } from '../../src/identify/trust/denied.ts';
import { createBoundedCache } from '../../src/stores/bounded-cache.ts';
import { createAuthority } from '../support/certificates.ts';

const root = createAuthority();
const leaf = root.client({ commonName: 'a', uris: ['spiffe://td.example/agent/a'] });
const list = root.crl({ revoked: ['0102', 'aabb'] });
const reader = createCertificateReader({ entriesMax: 0 }, createBoundedCache);

/** Good bytes with some of them changed, or cut off. */
const damaged = (good: Buffer) =>
  fc.tuple(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(good.length)).map(([changes, length]) => {
    const copy = Buffer.from(good);
    for (const [at, byte] of changes) copy[at] = byte;
    return copy.subarray(0, length);
  });

async function typed(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    if (!(thrown instanceof CountersignError)) throw thrown;
  }
}

describe('foreign bytes are read or refused, and nothing else happens', () => {
  test('a certificate header in each form', () => {
    const texts = fc.oneof(
      fc.string(),
      damaged(leaf.der).map((der) => `:${der.toString('base64')}:`),
      damaged(leaf.der).map((der) => der.toString('base64')),
      damaged(Buffer.from(encodeURIComponent(leaf.pem))).map((text) => text.toString('latin1')),
    );
    fc.assert(
      fc.property(fc.constantFrom('rfc9440', 'pem_escaped', 'der_base64'), texts, fc.option(texts), (form, header, chain) => {
        const { signal, certificate } = reader.read([{ form, header, chain }]);
        expect(signal.status === 'present').toBe(certificate !== null);
      }),
      { numRuns: 1000 },
    );
  });

  test('a revocation list', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged(list), fc.uint8Array().map(Buffer.from)), (bytes) => typed(() => readRevocationList(bytes))),
      { numRuns: 1000 },
    );
  });

  test('a trust bundle and a list of refused certificates', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(damaged(Buffer.from(root.pem)), fc.json().map(Buffer.from), fc.uint8Array().map(Buffer.from)),
        async (bytes) => {
          await typed(() => parseTrustBundle(bytes));
          await typed(() => parseDenied(bytes.toString('latin1').split('\n')));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a structured field', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...':?"\\;,=()*@%-.01aZ \t\0é') }), (text) => {
        for (const parse of [parseFieldItem, parseFieldList, parseFieldDictionary]) expect(() => parse(text)).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });
});

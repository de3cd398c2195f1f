import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../src/identify/certificate.ts';
import { readExtensions } from '../../src/identify/certificate-der.ts';
import { parseSpiffeId } from '../../src/identify/spiffe-id.ts';
import { parseStrictObject } from '../../src/identify/strict-json.ts';
import { parseTokenText } from '../../src/identify/token-text.ts';
import { parseXfcc } from '../../src/identify/xfcc.ts';
import { createBench, createSigningKey, identityOptions, issuerOptions, keysAtHand, makeToken } from '../identify/fixtures.ts';
import { createAuthority } from '../support/certificates.ts';

const key = await createSigningKey('k1');
const token = await makeToken(key);
const leaf = createAuthority().client({ commonName: 'a', uris: ['spiffe://td.example/agent/a'] });

/** JSON as it may be written: values whose text has every kind of character. */
const jsonObject = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 5 }), { maxKeys: 8 });

describe('strict JSON', () => {
  test('reads every sound object as JSON.parse does', () => {
    fc.assert(
      fc.property(jsonObject, fc.constantFrom(undefined, 1), (object, indent) => {
        fc.pre(!Object.hasOwn(object, '__proto__'));
        const text = JSON.stringify(object, null, indent);
        fc.pre(!text.includes('"__proto__"'));
        expect(parseStrictObject(Buffer.from(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  test('refuses a repeated name at any level, however it is spelt', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'grapheme-ascii' }),
        fc.jsonValue(),
        fc.nat(5),
        fc.boolean(),
        (name, value, depth, escaped) => {
          const again = escaped
            ? `"${[...name].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
            : JSON.stringify(name);
          let text = `{${JSON.stringify(name)}:${JSON.stringify(value)},${again}:1}`;
          for (let level = 0; level < depth; level++) text = `{"a":[${text}]}`;
          expect(parseStrictObject(Buffer.from(text))).toBeNull();
        },
      ),
    );
  });

  test.each([
    '{"a":1e400}',
    '{"a":"\\ud800"}',
    '{"\\udc00":1}',
    '{"__proto__":{}}',
    '[]',
    '"a"',
    '',
    '\ufeff{}',
    `{"a":${'['.repeat(33)}${']'.repeat(33)}}`,
  ])('refuses %s', (text) => {
    expect(parseStrictObject(Buffer.from(text))).toBeNull();
  });

  test('never throws on bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => parseStrictObject(Buffer.from(bytes)) !== undefined));
  });
});

describe('tokens', () => {
  const bench = createBench(
    identityOptions([issuerOptions({ jwksUrl: 'https://as.example/jwks' })], {
      keyWaitMs: 1,
      verificationBudget: { failuresPerMinute: 1_000_000, addressesMax: 10 },
    }),
    keysAtHand([key.jwk]),
  );

  test('any text is judged, and none is accepted', async () => {
    await bench.identifier.start();
    bench.identifier.stop();
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.base64String(), { maxLength: 6 }).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (any) => {
        expect(await bench.judge(any)).toMatch(/^invalid /);
      }),
    );
  });

  test('a good token with any one character changed is refused', async () => {
    await bench.identifier.start();
    bench.identifier.stop();
    const change = fc.record({ at: fc.nat(token.length - 1), char: fc.constantFrom(...'ABCxyz019-_.=+/ \n\0') });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, char }) => {
        fc.pre(token[at] !== char);
        expect(await bench.judge(token.slice(0, at) + char + token.slice(at + 1))).toMatch(/^invalid /);
      }),
      { numRuns: 500 },
    );
    expect(await bench.judge(token)).toBe('present');
  });

  test('what is taken apart is the text, byte for byte', () => {
    const text = parseTokenText(token);
    if (typeof text === 'string') return expect.fail(text);
    expect(`${text.signingInput.toString()}.${text.signature.toString('base64url')}`).toBe(token);
  });
});

describe('x-forwarded-client-cert', () => {
  const quoted = (value: string): string => `"${value.replace(/["\\]/g, '\\$&')}"`;
  const pairs = fc.array(fc.tuple(fc.constantFrom('By', 'URI', 'DNS', 'uri', 'Other'), fc.string({ unit: 'binary', maxLength: 30 })), {
    minLength: 1,
    maxLength: 5,
  });

  test('every quoted value comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(pairs, { minLength: 1, maxLength: 4 }), (elements) => {
        const header = elements.map((element) => element.map(([name, value]) => `${name}=${quoted(value)}`).join(';')).join(',');
        expect(parseXfcc(header)).toEqual(elements.map((element) => element.map(([name, value]) => [name.toLowerCase(), value])));
      }),
    );
  });

  test('never throws, and a pair cannot be hidden by text behind a quote', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'Uri="\\;, \tx') }), (header) => parseXfcc(header) !== undefined));
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: fc.constantFrom(...'Uri="x') }), (tail) => {
        expect(parseXfcc(`URI="a"${tail}`)).toBeNull();
      }),
    );
  });
});

describe('certificates', () => {
  test('never throws on any change of the DER, and never reads beyond it', () => {
    fc.assert(
      fc.property(fc.nat(leaf.der.length - 1), fc.nat(255), fc.nat(leaf.der.length), (at, byte, length) => {
        const changed = Buffer.from(leaf.der);
        changed[at] = byte;
        readExtensions(changed.subarray(0, length));
        const body = changed.toString('base64');
        const value = parseCertificate(`-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`);
        for (const uri of value?.uris ?? []) expect(uri.length).toBeLessThan(leaf.der.length);
      }),
      { numRuns: 500 },
    );
  });

  test('a SPIFFE id comes back from its parts, and no other text does', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'spiffe:/ab.-_A%?#@ \0') }), (tail) => {
        const text = `spiffe://${tail}`;
        const id = parseSpiffeId(text);
        if (id !== null) expect(`spiffe://${id.trustDomain}${id.path}`).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });
});

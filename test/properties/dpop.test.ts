import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseProof } from '../../src/identify/dpop-proof.ts';
import { isPlainUri, normalPath, parseTargetUri } from '../../src/identify/target-uri.ts';
import { bindingOf, createDpopBench, proof, withProof } from '../identify/bound.ts';

const bench = await createDpopBench({}, { verificationBudget: { failuresPerMinute: 1_000_000, addressesMax: 10 } });
const good = await proof();
const judge = async (text: string): Promise<string> => bindingOf(await bench.identify(withProof(text)));
const NO_KEYS = { get: () => undefined, set: () => undefined };

describe('proofs', () => {
  test('any text is judged, and none is accepted', async () => {
    const part = fc.oneof(
      fc.base64String(),
      fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 4 }).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (any) => {
        expect(await judge(any)).toMatch(/^invalid dpop_/);
      }),
    );
  });

  test('a header or claims of any values are read or refused, never thrown at', () => {
    const [header = '', payload = '', signature = ''] = good.split('.');
    const object = fc.dictionary(fc.constantFrom('typ', 'alg', 'jwk', 'jti', 'htm', 'htu', 'iat', 'ath', 'nonce', 'kid'), fc.jsonValue());
    const changed = (encoded: string) =>
      object.map((more) =>
        Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(encoded, 'base64url').toString()), ...more })).toString('base64url'),
      );
    fc.assert(
      fc.property(changed(header), changed(payload), (head, claims) => {
        const read = parseProof(`${head}.${claims}.${signature}`, new Set(['ES256']), NO_KEYS);
        if (typeof read === 'string') return;
        expect(typeof read.jti).toBe('string');
        if (head !== header || claims !== payload) expect(read.isSigned()).toBe(false);
      }),
    );
  });

  test('a good proof with any one character changed is refused', async () => {
    const change = fc.record({ at: fc.nat(good.length - 1), char: fc.constantFrom(...'ABCxyz019-_.=+/, \n\0') });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, char }) => {
        fc.pre(good[at] !== char);
        expect(await judge(good.slice(0, at) + char + good.slice(at + 1))).toMatch(/^invalid dpop_/);
      }),
      { numRuns: 500 },
    );
    expect(await judge(good)).toBe('matched');
    expect(await judge(good)).toBe('invalid dpop_replayed');
  });
});

describe('target URIs', () => {
  const path = fc.string({ unit: fc.constantFrom(...'/a.%~27fF-_'), maxLength: 20 }).map((text) => `/${text}`);

  test('normalising is done once: a normal path is its own normal form', () => {
    fc.assert(
      fc.property(path, (text) => {
        const normal = normalPath(text);
        expect(normal.startsWith('/')).toBe(true);
        // an escape that comes out of unescaping is another path, and is left alone by the same rule
        fc.pre(!/%25/i.test(text));
        expect(normalPath(normal).length).toBeLessThanOrEqual(normal.length);
      }),
    );
  });

  test('agrees with the URL parser wherever that parser changes nothing but dots, case and port', () => {
    const host = fc.constantFrom('api.example', 'API.example', 'a-b.example', '127.0.0.1');
    const plain = fc.string({ unit: fc.constantFrom(...'/a.b-_~'), maxLength: 15 }).map((text) => `/${text}`);
    fc.assert(
      fc.property(
        fc.constantFrom('http', 'https'),
        host,
        fc.constantFrom('', ':80', ':443', ':8443'),
        plain,
        (scheme, name, port, text) => {
          const url = new URL(`${scheme}://${name}${port}${text}`);
          expect(parseTargetUri(`${scheme}://${name}${port}${text}?q#f`)).toEqual({ origin: url.origin, path: url.pathname });
        },
      ),
    );
  });

  test('what is the very URI without a look at its parts is the same with one', () => {
    const origin = fc.constantFrom('https://api.example', 'http://api.example:8443', 'https://[2001:db8::1]', 'https://127.0.0.1:444');
    const anyPath = fc.string({ unit: fc.oneof(fc.constantFrom(...'/a.%2e?#"<>\\;=@:'), fc.string({ unit: 'binary', maxLength: 1 })) });
    let plain = 0;
    fc.assert(
      fc.property(
        origin,
        fc.oneof(
          path,
          anyPath.map((text) => `/${text}`),
          anyPath,
        ),
        (at, text) => {
          if (!isPlainUri(`${at}${text}`, { origin: at, path: text })) return;
          plain++;
          expect(parseTargetUri(`${at}${text}`)).toEqual({ origin: at, path: text });
        },
      ),
      {
        examples: [
          ['https://api.example', '/'],
          ['https://api.example', '/orders/42;v=1:@!$&()*+,'],
        ],
      },
    );
    expect(plain).toBeGreaterThan(1);
    for (const other of ['/a?b', '/a#b', '/%41', '/a/../b', '/a\\b', '/a"b', '/<a>', '/a\n', '', 'a']) {
      expect(isPlainUri(`https://a${other}`, { origin: 'https://a', path: other }), other).toBe(false);
    }
    expect(isPlainUri('https://a/x', { origin: 'https://b', path: '/x' })).toBe(false);
    expect(isPlainUri('https://a/y', { origin: 'https://a', path: '/x' })).toBe(false);
  });

  test('any text is read or refused, and what is read has a host of the plain kind', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.webUrl(),
          fc.string().map((text) => `https://${text}`),
        ),
        (text) => {
          const read = parseTargetUri(text);
          if (read !== null) expect(read.origin).toMatch(/^https?:\/\/(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(:[0-9]+)?$/);
        },
      ),
    );
  });
});

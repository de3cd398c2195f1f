import fc from 'fast-check';
import { parseDictionary } from 'structured-headers';
import { describe, expect, test } from 'vitest';
import { hasRepeatedNames, memberText, parseFieldDictionary } from '../../src/formats/structured-fields.ts';
import { judgeDigest } from '../../src/identify/signature/content-digest.ts';
import { publishedKeys, withThumbprints } from '../../src/identify/signature/jwks.ts';
import { agentOf, parseSignatureAgent } from '../../src/identify/signature/signature-agent.ts';
import { parseSignatures } from '../../src/identify/signature/signature-fields.ts';
import { isPublicAddress } from '../../src/stores/public-address.ts';
import {
  AGENT,
  botOptions,
  botRequest,
  createSignatureBench,
  directoryOf,
  profileOptions,
  signedRequest,
  signer,
} from '../identify/signature/signed.ts';

const UNBOUNDED = { verificationBudget: { failuresPerMinute: 1_000_000, addressesMax: 10 } };
const bench = await createSignatureBench({ profiles: [profileOptions()], webBotAuth: botOptions() }, directoryOf([signer.jwk]), UNBOUNDED);

/** Texts near to a structured field. */
const near = fc
  .array(
    fc.constantFrom(
      'sig1',
      'a',
      '=',
      '(',
      ')',
      '"',
      '"@method"',
      '"@authority"',
      '"x-a";bs',
      ';',
      ',',
      ' ',
      ':',
      ':AA==:',
      'created',
      '=1',
      '?1',
      '@1',
      '%"',
      '\\',
      '1.5',
      'é',
      '\n',
      '\0',
    ),
    { maxLength: 24 },
  )
  .map((parts) => parts.join(''));
const anyText = fc.oneof(fc.string({ unit: 'binary' }), near);

describe('any text', () => {
  test('as signature and input is judged, never thrown at, and never accepted', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anyText, anyText, async (input, signature, agent) => {
        const facts = botRequest({ agentHeader: agent, offer: { input: [input], signature: [signature] } });
        expect(await bench.judge(facts)).toMatch(/^(invalid|absent) signature_/);
      }),
    );
  });

  test('as an agent is read or refused; what would be fetched is https to a name with a dot', () => {
    const url = fc.oneof(
      anyText,
      fc.webUrl(),
      fc.ipV4().map((ip) => `https://${ip}`),
      fc.ipV6().map((ip) => `https://[${ip}]`),
    );
    fc.assert(
      fc.property(url, fc.constantFrom('directory', 'jwks_uri', 'cimd'), (uri, type) => {
        for (const entry of parseSignatureAgent(`a="${uri}";type=${type}`) ?? []) {
          const agent = agentOf(entry, false);
          if (agent === null) continue;
          const target = new URL(agent.documentUrl);
          expect([target.protocol, target.username, target.hash]).toEqual(['https:', '', '']);
          expect(target.hostname).toMatch(/^[^.]+(\.[^.]+)+\.?$/);
          expect(target.hostname).toBe(agent.host);
        }
      }),
    );
  });

  test('as a digest is judged, and never matches', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 3 }), fc.uint8Array(), (lines, body) => {
        expect(['unchecked', 'signature_digest_invalid', 'signature_digest_mismatch']).toContain(judgeDigest(lines, body));
      }),
    );
  });

  test('as an address is none of a host', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(isPublicAddress(text)).toBe(false);
      }),
    );
  });
});

test('any JSON as a key set gives keys or none', () => {
  const entry = fc.dictionary(
    fc.constantFrom('kty', 'crv', 'x', 'y', 'n', 'e', 'd', 'k', 'alg', 'use', 'key_ops', 'kid', 'nbf', 'exp'),
    fc.oneof(fc.jsonValue(), fc.constantFrom('OKP', 'EC', 'RSA', 'Ed25519', 'P-256', 'AQAB')),
  );
  const document = fc.oneof(
    fc.jsonValue(),
    fc.record({ keys: fc.array(fc.oneof(entry, fc.constant(signer.jwk), fc.jsonValue()), { maxLength: 4 }) }),
  );
  fc.assert(
    fc.property(document, (any) => {
      const keys = publishedKeys(any, new Set(['EdDSA', 'ES256', 'PS512']));
      for (const [thumbprint] of keys ?? []) expect(thumbprint).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(withThumbprints(Buffer.from(JSON.stringify(any))).length).toBeGreaterThan(0);
    }),
  );
});

describe('a good signature', () => {
  const facts = signedRequest();
  const [input = '', signature = ''] = [facts.signature?.input[0], facts.signature?.signature[0]];
  const change = (of: string) => fc.record({ at: fc.nat(of.length - 1), char: fc.constantFrom(...'abXYZ019-_+/="();:,@ \n') });
  const changed = (of: string, { at, char }: { at: number; char: string }) => of.slice(0, at) + char + of.slice(at + 1);

  test('with any one character of its input changed is refused', async () => {
    await fc.assert(
      fc.asyncProperty(change(input), async (one) => {
        fc.pre(input[one.at] !== one.char);
        const offered = signedRequest({ offer: { input: [changed(input, one)] } });
        expect(await bench.judge(offered)).toMatch(/^(invalid|absent) /);
      }),
      { numRuns: 500 },
    );
  });

  test('with any one character of the signature changed is refused', async () => {
    await fc.assert(
      fc.asyncProperty(change(signature), async (one) => {
        fc.pre(signature[one.at] !== one.char);
        const offered = signedRequest({ offer: { signature: [changed(signature, one)] } });
        expect(await bench.judge(offered)).toMatch(/^(invalid|absent) /);
      }),
      { numRuns: 500 },
    );
    expect(await bench.judge(facts)).toBe('present');
  });

  test('of a bot with any one character of its agent changed is refused', async () => {
    const header = `sig1="${AGENT}"`;
    await fc.assert(
      fc.asyncProperty(change(header), async (one) => {
        const agentHeader = changed(header, one);
        fc.pre(header !== agentHeader);
        expect(await bench.judge(botRequest({ agentHeader }))).toMatch(/^(invalid|unavailable) /);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a dictionary', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'sig1');
  const bare = fc.constantFrom('1', '"x,y;z"', '"a\\"b,"', ':AA==:', 'tok', '?0', '%"a%2c\\"', '%";"');
  const parameters = fc.array(fc.tuple(key, bare), { maxLength: 3 }).map((all) => ({
    names: all.map(([name]) => name),
    text: all.map(([name, value]) => `;${name}=${value}`).join(''),
  }));
  const member = fc.tuple(key, bare, parameters);

  test('names something twice exactly where its text does', () => {
    fc.assert(
      fc.property(fc.array(member, { minLength: 1, maxLength: 5 }), (members) => {
        const text = members.map(([name, value, more]) => `${name}=${value}${more.text}`).join(', ');
        const parsed = parseFieldDictionary(text);
        fc.pre(parsed !== null);
        const repeated = (names: readonly string[]) => new Set(names).size !== names.length;
        const twice = repeated(members.map(([name]) => name)) || members.some(([, , more]) => repeated(more.names));
        if (parsed !== null) expect(hasRepeatedNames(text, parsed)).toBe(twice);
      }),
      { numRuns: 2000 },
    );
  });

  test('of signatures is signed as it is written in canonical form', () => {
    const item = fc.tuple(fc.constantFrom('"@method"', '"x-a"', '"x-b";key="a"', '"x-c";sf'), parameters);
    fc.assert(
      fc.property(fc.uniqueArray(item, { selector: ([name]) => name, maxLength: 4 }), (items) => {
        const list = `(${items.map(([name]) => name).join(' ')});created=1;keyid="k"`;
        const offer = { input: [`sig=${list}`], signature: ['sig=:AA==:'], hidden: new Map(), body: null };
        const parsed = parseSignatures(offer, 8192, () => true);
        expect(typeof parsed === 'string' ? parsed : parsed[0]?.signed).toBe(list);
        const member = parseDictionary(`sig=${list}`).get('sig');
        expect(member === undefined ? null : memberText(member)).toBe(list);
      }),
    );
  });
});

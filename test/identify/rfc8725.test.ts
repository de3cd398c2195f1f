import { createHmac, createPublicKey, sign } from 'node:crypto';
import type { JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import {
  type Bench,
  CLAIMS,
  type Claims,
  codeOf,
  createBench,
  createSigningKey,
  identityOptions,
  issuerOptions,
  keysAtHand,
  makeToken,
  NOW,
  type SigningKey,
  tokenOf,
} from './fixtures.ts';

/* The attacks of RFC 8725 section 2 and of USER-ASKS B, each against an issuer with an RSA, an EC and an Edwards key. */

const rsa = await createSigningKey('rsa', 'RS256');
const ec = await createSigningKey('ec', 'ES256');
const ed = await createSigningKey('ed', 'EdDSA');
const attacker = await createSigningKey('ec', 'ES256');
const asked: string[] = [];
const budget = { failuresPerMinute: 1_000_000, addressesMax: 10 };

async function start(keys: readonly SigningKey[] = [rsa, ec, ed]): Promise<Bench> {
  const options = issuerOptions({ jwksUrl: 'https://as.example/jwks' });
  const bench = createBench(
    identityOptions([options], { keyWaitMs: 1, verificationBudget: budget }),
    keysAtHand(
      keys.map(({ jwk }) => jwk),
      asked,
    ),
  );
  await bench.identifier.start();
  bench.identifier.stop();
  return bench;
}

const bench = await start();
const b64 = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const unsigned = (header: Claims, claims: unknown = CLAIMS): string => `${b64({ typ: 'at+jwt', ...header })}.${b64(claims)}`;
const pemOf = (jwk: JWK): string => createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'pem', type: 'spki' }).toString();

/** Signed by a key of the issuer over a header and a payload as they are written here. */
function signed(header: string, payload: string): string {
  const input = `${b64(header)}.${b64(payload)}`;
  return `${input}.${sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

test('the tokens that the attacks begin with are good', async () => {
  for (const key of [rsa, ec, ed]) expect(await bench.judge(await makeToken(key))).toBe('present');
  expect(await bench.judge(signed('{"alg":"ES256","kid":"ec","typ":"at+jwt"}', JSON.stringify(CLAIMS)))).toBe('present');
});

describe('no signature', () => {
  test.each(['none', 'None', 'NONE', 'nOnE', 'none ', ''])('alg %j', async (alg) => {
    for (const signature of ['', 'AA', b64(Buffer.alloc(64).toString())]) {
      expect(await bench.judge(`${unsigned({ alg, kid: 'ec' })}.${signature}`)).toBe('invalid algorithm_not_allowed');
    }
  });

  test('a good token without its signature, or with one that is empty or all zeros', async () => {
    for (const [key, length] of [
      [rsa, 256],
      [ec, 64],
      [ed, 64],
    ] as const) {
      const input = (await makeToken(key)).replace(/\.[^.]*$/, '');
      expect(await bench.judge(input)).toBe('invalid token_malformed');
      expect(await bench.judge(`${input}.`)).toBe('invalid signature_invalid');
      expect(await bench.judge(`${input}.${Buffer.alloc(length).toString('base64url')}`)).toBe('invalid signature_invalid');
    }
  });

  test.each([
    ['r = 0', 0n, 1n],
    ['s = 0', 1n, 0n],
    ['r = n', 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n, 1n],
    [
      'r = s = n',
      0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
      0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    ],
  ])('of ECDSA with %s', async (_, r, s) => {
    const bytes = Buffer.from(r.toString(16).padStart(64, '0') + s.toString(16).padStart(64, '0'), 'hex');
    expect(await bench.judge(`${unsigned({ alg: 'ES256', kid: 'ec' })}.${bytes.toString('base64url')}`)).toBe('invalid signature_invalid');
  });

  test('of ECDSA in DER, or of another length', async () => {
    const input = unsigned({ alg: 'ES256', kid: 'ec' });
    const inDer = sign('sha256', Buffer.from(input), ec.privateKey);
    const plain = sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' });
    expect(await bench.judge(`${input}.${plain.toString('base64url')}`)).toBe('present');
    for (const bytes of [inDer, plain.subarray(1), Buffer.concat([Buffer.alloc(1), plain]), Buffer.concat([plain, Buffer.alloc(2)])]) {
      expect(await bench.judge(`${input}.${bytes.toString('base64url')}`)).toBe('invalid signature_invalid');
    }
  });
});

describe('a public key is never a shared secret', () => {
  test.each(['HS256', 'HS384', 'HS512'])('%s by what everybody can fetch', async (alg) => {
    for (const { jwk, kid } of [rsa, ec, ed]) {
      for (const secret of [pemOf(jwk), pemOf(jwk).trim(), JSON.stringify(jwk), jwk.n ?? jwk.x ?? '']) {
        const input = unsigned({ alg, kid });
        const mac = createHmac(alg.replace('HS', 'sha'), secret).update(input).digest('base64url');
        expect(await bench.judge(`${input}.${mac}`)).toBe('invalid algorithm_not_allowed');
      }
    }
  });

  test('one algorithm by the key of another', async () => {
    for (const [key, kid] of [
      [ec, 'rsa'],
      [rsa, 'ec'],
      [ed, 'ec'],
      [ec, 'ed'],
    ] as const) {
      expect(await bench.judge(await makeToken(key, {}, { kid }))).toBe('invalid key_algorithm_mismatch');
    }
  });
});

describe('a token says nothing of where its key is', () => {
  test.each<[string, (key: SigningKey) => Claims]>([
    ['jwk', ({ jwk }) => ({ jwk })],
    ['jku', () => ({ jku: 'https://attacker.example/jwks' })],
    ['x5u', () => ({ x5u: 'https://attacker.example/cert.pem' })],
    ['x5c', () => ({ x5c: ['MIIB'] })],
  ])('by %s: its own key does not count, and a good token is not the worse for it', async (_, parameter) => {
    const before = asked.length;
    expect(await bench.judge(await makeToken(attacker, {}, parameter(attacker)))).toBe('invalid signature_invalid');
    expect(await bench.judge(await makeToken(ec, {}, parameter(attacker)))).toBe('present');
    expect(asked.length).toBe(before);
  });

  test.each([
    '../../../dev/null',
    "ec' OR '1'='1",
    'https://attacker.example/k',
    '__proto__',
    'constructor',
    'toString',
    '',
    'EC',
    'ec\u0000',
    'ec ',
  ])('kid %j is a name that is looked up and nothing else', async (kid) => {
    expect(await bench.judge(await makeToken(attacker, {}, { kid }))).toBe('invalid kid_unknown');
  });

  test.each([[7], [null], [['ec']], [{ kid: 'ec' }]])('kid %j is none', async (kid) => {
    expect(await bench.judge(signed(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid }), JSON.stringify(CLAIMS)))).toBe(
      'invalid token_malformed',
    );
  });
});

describe('every parser reads the same token', () => {
  const payload = JSON.stringify(CLAIMS);
  const header = '{"alg":"ES256","kid":"ec","typ":"at+jwt"}';

  test.each<[string, string, string]>([
    ['a name twice in the payload', header, `${payload.slice(0, -1)},"sub":"admin"}`],
    ['a name twice, once escaped', header, `${payload.slice(0, -1)},"s\\u0075b":"admin"}`],
    ['a name twice, deep down', header, `${payload.slice(0, -1)},"x":{"y":[{"z":1,"z":2}]}}`],
    ['alg twice', '{"alg":"none","alg":"ES256","kid":"ec","typ":"at+jwt"}', payload],
    ['kid twice', '{"alg":"ES256","kid":"rsa","kid":"ec","typ":"at+jwt"}', payload],
    ['__proto__', header, `${payload.slice(0, -1)},"__proto__":{"scope":"admin"}}`],
    ['a byte order mark', `\ufeff${header}`, payload],
    ['text behind the object', header, `${payload} {}`],
    ['a comment', header, `/* */${payload}`],
    ['no object', header, `[${payload}]`],
    ['no header object', `"${'x'.repeat(20)}"`, payload],
    ['33 levels', header, `${payload.slice(0, -1)},"x":${'['.repeat(32)}${']'.repeat(32)}}`],
    ['levels without end', header, `${payload.slice(0, -1)},"x":${'['.repeat(5000)}`],
    ['levels of a header', `${header.slice(0, -1)},"x":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`, payload],
  ])('%s', async (_, head, body) => {
    expect(await bench.judge(signed(head, body))).toBe('invalid token_malformed');
  });

  test.each<Claims>([{ crit: ['exp'] }, { crit: [] }, { crit: 'exp' }, { crit: null }, { crit: ['b64'], b64: false }, { b64: false }])(
    'the extension %j',
    async (extension) => {
      const head = { alg: 'ES256', kid: 'ec', typ: 'at+jwt', ...extension };
      expect(await bench.judge(signed(JSON.stringify(head), payload))).toBe('invalid critical_header_unknown');
    },
  );

  test('bytes that are no UTF-8', async () => {
    const text = Buffer.concat([Buffer.from(payload.slice(0, -1)), Buffer.from(',"x":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]);
    const input = `${b64(header)}.${text.toString('base64url')}`;
    const signature = sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    expect(await bench.judge(`${input}.${signature}`)).toBe('invalid token_malformed');
  });

  test('a token that is longer than any', async () => {
    expect(await bench.judge(signed(header, `${payload.slice(0, -1)},"x":"${'x'.repeat(13_000)}"}`))).toBe('invalid token_too_large');
  });

  test('what another token of ours is for', async () => {
    for (const typ of ['dpop+jwt', 'logout+jwt', 'secevent+jwt', 'id_token+jwt', 'at+jwt;v=1', 'jose']) {
      expect(await bench.judge(await makeToken(ec, {}, { typ }))).toBe('invalid type_not_allowed');
    }
  });
});

test('[asks 31] tokens of one beginning and one end, good, forged, of two issuers and with two scopes, are each told apart', async () => {
  const both = createBench(
    identityOptions(
      [
        issuerOptions({ jwksUrl: 'https://as.example/jwks' }),
        issuerOptions({ issuer: 'https://b.example', jwksUrl: 'https://b.example/jwks' }),
      ],
      {
        verificationBudget: budget,
        negativeCache: { entriesMax: 100_000, ttlSeconds: 60 },
      },
    ),
    keysAtHand([ed.jwk]),
  );
  await both.identifier.start();
  both.identifier.stop();
  const made = Array.from({ length: 10_000 }, (_, n) => {
    const issuer = n % 2 === 0 ? 'https://as.example' : 'https://b.example';
    const claims = {
      ...CLAIMS,
      pad: 'x'.repeat(200),
      iss: issuer,
      sub: `s${String(n).padStart(5, '0')}`,
      scope: n % 3 === 0 ? 'read' : 'write',
      exp: NOW + 300,
      end: 'y'.repeat(200),
    };
    const input = `${b64({ alg: 'EdDSA', kid: 'ed', typ: 'at+jwt' })}.${b64(claims)}`;
    const signature = n % 5 === 0 ? Buffer.alloc(64, n) : sign(null, Buffer.from(input), ed.privateKey);
    return { claims, forged: n % 5 === 0, text: `${input}.${signature.toString('base64url')}` };
  });
  for (const round of [1, 2]) {
    for (const { claims, forged, text } of made) {
      const identity = await both.identify({ authorization: [`Bearer ${text}`] });
      if (forged) expect(codeOf(identity), `round ${round}`).toBe('invalid signature_invalid');
      else expect(tokenOf(identity)).toMatchObject({ subject: claims.sub, issuer: claims.iss, scopes: [claims.scope] });
    }
  }
});

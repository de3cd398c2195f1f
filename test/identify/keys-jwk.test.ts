import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { IssuerOptions } from '../../src/identify/options.ts';
import {
  type Bench,
  createBench,
  createSigningKey,
  identityOptions,
  issuerOptions,
  type KeyServer,
  makeToken,
  startKeyServer,
} from './fixtures.ts';

const old = await createSigningKey('old');
const next = await createSigningKey('next');

let server: KeyServer;
const running: Bench[] = [];

beforeEach(async () => {
  server = await startKeyServer([old]);
});

afterEach(async () => {
  for (const bench of running.splice(0)) bench.identifier.stop();
  await server.stop();
});

function bench(issuer: Partial<IssuerOptions> = {}): Bench {
  const made = createBench(identityOptions([issuerOptions({ jwksUrl: server.url, ...issuer })]));
  running.push(made);
  return made;
}

const keysOf = (made: Bench) => made.identifier.status().keySets[0];

describe('which key a token means', () => {
  test('[asks 27] one key, no kid: accepted', async () => {
    const only = await createSigningKey(null);
    server.keys = [only.jwk];
    const made = bench();
    await made.identifier.start();
    expect(await made.judge(await makeToken(only))).toBe('present');
  });

  test('[asks 27] two keys, no kid: kid_required, although one of them signed it', async () => {
    server.keys = [old.jwk, next.jwk];
    const made = bench();
    await made.identifier.start();
    expect(await made.judge(await makeToken({ ...old, kid: null }))).toBe('invalid kid_required');
  });

  test('one kid for two keys of one algorithm is ambiguous, the same key twice is not', async () => {
    const twin = await createSigningKey('old');
    server.keys = [old.jwk, twin.jwk];
    const made = bench();
    await made.identifier.start();
    expect(await made.judge(await makeToken(old))).toBe('invalid kid_ambiguous');
    server.keys = [old.jwk, old.jwk];
    const other = bench();
    await other.identifier.start();
    expect(await other.judge(await makeToken(old))).toBe('present');
  });

  test.each([
    ['another alg', { alg: 'ES384' }],
    ['use enc', { use: 'enc' }],
    ['key_ops without verify', { key_ops: ['sign'] }],
    ['a private part', { d: 'AAAA' }],
    ['a point off the curve', { x: old.jwk.y ?? '' }],
    ['an RSA modulus without digits', { kty: 'RSA', alg: 'RS256', n: '', e: 'AQAB' }],
  ])('a key with %s is left out', async (_, more) => {
    server.keys = [{ ...old.jwk, ...more }, next.jwk];
    const made = bench();
    await made.identifier.start();
    expect(keysOf(made)?.keys).toBe(1);
    expect(await made.judge(await makeToken(old))).toBe('invalid kid_unknown');
  });

  test.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    '%s verifies where it is allowed, and only there',
    async (name) => {
      const key = await createSigningKey('k', name);
      server.keys = [key.jwk];
      const allowed = bench({ algorithms: [name] });
      const other = bench({ algorithms: name === 'ES256' ? ['RS256'] : ['ES256'] });
      await Promise.all([allowed.identifier.start(), other.identifier.start()]);
      expect(await allowed.judge(await makeToken(key))).toBe('present');
      expect(await other.judge(await makeToken(key))).toBe('invalid algorithm_not_allowed');
    },
  );
});

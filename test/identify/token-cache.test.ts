import { describe, expect, test } from 'vitest';
import type { IdentityOptions, IssuerOptions } from '../../src/identify/options.ts';
import {
  type Bench,
  createBench,
  createSigningKey,
  identityOptions,
  issuerOptions,
  keysAtHand,
  makeRequest,
  makeToken,
  NOW,
  tokenOf,
} from './fixtures.ts';

const key = await createSigningKey('k1');

async function bench(issuer: Partial<IssuerOptions> = {}, more: Partial<IdentityOptions> = {}): Promise<Bench> {
  const made = createBench(
    identityOptions([issuerOptions({ jwksUrl: 'https://as.example/jwks', ...issuer })], more),
    keysAtHand([key.jwk]),
  );
  await made.identifier.start();
  made.identifier.stop();
  return made;
}

const strict = await bench();

describe('the cache of verified tokens', () => {
  test('answers as a plain value, the very same one', async () => {
    const made = await bench();
    const request = makeRequest(made.clock, { authorization: [`Bearer ${await makeToken(key)}`] });
    const first = made.identifier.identify(request);
    expect(first).not.toBeInstanceOf(Promise);
    expect(made.identifier.identify(request)).toBe(first);
    expect(made.identifier.status().tokenCache).toEqual({ hits: 1, misses: 1, entries: 1 });
  });

  test('[asks 32] expiry is judged at each use', async () => {
    const made = await bench({ clockSkewSeconds: 0 });
    const token = await makeToken(key, { exp: NOW + 2 });
    expect(await made.judge(token)).toBe('present');
    made.clock.wallSeconds += 3;
    expect(await made.judge(token)).toBe('invalid token_expired');
  });

  test('nothing is kept past exp, also where the skew still accepts it', async () => {
    const made = await bench({ clockSkewSeconds: 5 });
    const token = await makeToken(key, { exp: NOW + 2 });
    expect(await made.judge(token)).toBe('present');
    made.clock.wallSeconds += 3;
    expect(await made.judge(token)).toBe('present');
    expect(made.identifier.status().tokenCache.entries).toBe(0);
  });

  test('a token that was verified before its clock was set back is judged anew', async () => {
    const made = await bench();
    const token = await makeToken(key, { nbf: NOW - 10, iat: NOW - 10 });
    expect(await made.judge(token)).toBe('present');
    made.clock.wallSeconds -= 60;
    expect(await made.judge(token)).toBe('invalid token_not_yet_valid');
  });

  test('[asks 31] 10,000 tokens that share beginning and end each keep their own subject', async () => {
    const made = await bench();
    const tokens = await Promise.all(Array.from({ length: 10_000 }, (_, n) => makeToken(key, { sub: `s${String(n).padStart(5, '0')}` })));
    const subjects = async () => {
      const seen: (string | null)[] = [];
      for (const token of tokens) seen.push(tokenOf(await made.identify({ authorization: [`Bearer ${token}`] })).subject);
      return new Set(seen).size;
    };
    expect(await subjects()).toBe(10_000);
    expect(await subjects()).toBe(10_000);
    expect(made.identifier.status().tokenCache).toMatchObject({ hits: 10_000, entries: 10_000 });
    const keys = new Set(
      await Promise.all(tokens.map(async (token) => (await made.identify({ authorization: [`Bearer ${token}`] })).tokenKey)),
    );
    expect(keys.size).toBe(10_000);
  });

  test('is bounded by bytes, and off at 0', async () => {
    const small = await bench({}, { tokenCache: { bytesMax: 10_000, ttlSeconds: 300 } });
    const off = await bench({}, { tokenCache: { bytesMax: 0, ttlSeconds: 300 } });
    for (let n = 0; n < 20; n++) {
      const token = await makeToken(key, { sub: `s${n}` });
      expect(await small.judge(token)).toBe('present');
      expect(await off.judge(token)).toBe('present');
    }
    expect(small.identifier.status().tokenCache.entries).toBeLessThan(10);
    expect(small.identifier.status().tokenCache.entries).toBeGreaterThan(0);
    expect(off.identifier.status().tokenCache.entries).toBe(0);
  });

  test('a signature in its other ECDSA form is the same token for counters', async () => {
    const token = await makeToken(key);
    const [header, payload, signature = ''] = token.split('.');
    const other = `${header}.${payload}.${flipS(Buffer.from(signature, 'base64url')).toString('base64url')}`;
    const keysOf = async (text: string) => (await strict.identify({ authorization: [`Bearer ${text}`] })).tokenKey;
    expect(await strict.judge(other)).toBe('present');
    expect(await keysOf(other)).toBe(await keysOf(token));
  });
});

/** r || n - s verifies as well as r || s. */
function flipS(signature: Buffer): Buffer {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const s = order - BigInt(`0x${signature.toString('hex', 32)}`);
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
}

describe('bad credentials', () => {
  const forge = async (n: number) => {
    const [header, payload] = (await makeToken(key, { jti: `forged-${n}` })).split('.');
    return `${header}.${payload}.${Buffer.alloc(64, n + 1).toString('base64url')}`;
  };

  test('a refusal is remembered for its time', async () => {
    const made = await bench();
    const token = await forge(0);
    expect(await made.judge(token)).toBe('invalid signature_invalid');
    expect(await made.judge(token)).toBe('invalid signature_invalid');
    expect(made.identifier.status().negativeCache).toMatchObject({ hits: 1, entries: 1 });
    made.clock.wallSeconds += 10;
    expect(await made.judge(token)).toBe('invalid signature_invalid');
    expect(made.identifier.status().negativeCache.hits).toBe(1);
  });

  test('what time or a fetch of keys can change is not remembered', async () => {
    const made = await bench();
    const token = await makeToken(key, { nbf: NOW + 8, iat: NOW });
    expect(await made.judge(token)).toBe('invalid token_not_yet_valid');
    // well within the ten seconds of the negative cache
    made.clock.wallSeconds += 4;
    expect(await made.judge(token)).toBe('present');
  });

  test('an address has a budget of failures; tokens known to be good, and other addresses, do not feel it', async () => {
    const made = await bench({}, { verificationBudget: { failuresPerMinute: 3, addressesMax: 100 } });
    const good = await makeToken(key);
    const fresh = await makeToken(key, { jti: 'fresh' });
    expect(await made.judge(good)).toBe('present');
    for (let n = 0; n < 3; n++) expect(await made.judge(await forge(n))).toBe('invalid signature_invalid');
    expect(await made.judge(fresh)).toBe('unavailable verification_budget_exhausted');
    expect(await made.judge(good)).toBe('present');
    expect(await made.judge(fresh, { ip: '192.0.2.8' })).toBe('present');
    made.clock.wallSeconds += 60;
    expect(await made.judge(await makeToken(key, { jti: 'later' }))).toBe('present');
  });

  test('a forged token that was refused once costs no budget again', async () => {
    const made = await bench({}, { verificationBudget: { failuresPerMinute: 3, addressesMax: 100 } });
    const token = await forge(0);
    for (let n = 0; n < 10; n++) expect(await made.judge(token)).toBe('invalid signature_invalid');
    expect(await made.judge(await makeToken(key))).toBe('present');
  });

  test('behind a proxy it is the client that pays, and not everybody behind that proxy', async () => {
    const made = await bench({}, { verificationBudget: { failuresPerMinute: 2, addressesMax: 100 } });
    const behind = (client: string) => ({ ip: '10.0.0.1', forwardedFor: [client] });
    for (let n = 0; n < 3; n++) await made.judge(await forge(n), behind('192.0.2.66'));
    const fresh = await makeToken(key);
    expect(await made.judge(fresh, behind('192.0.2.66'))).toBe('unavailable verification_budget_exhausted');
    expect(await made.judge(fresh, behind('192.0.2.8'))).toBe('present');
  });

  test('where no address is known, one sender of forged tokens shuts nobody out', async () => {
    const made = await bench({}, { verificationBudget: { failuresPerMinute: 2, addressesMax: 100 } });
    for (let n = 0; n < 10; n++) expect(await made.judge(await forge(n), { ip: null })).toBe('invalid signature_invalid');
    expect(await made.judge(await makeToken(key), { ip: null })).toBe('present');
  });

  test('IPv6 addresses share the budget of their /64', async () => {
    const made = await bench({}, { verificationBudget: { failuresPerMinute: 2, addressesMax: 100 } });
    await made.judge(await forge(0), { ip: '2001:db8::1' });
    await made.judge(await forge(1), { ip: '2001:0DB8:0:0:ffff::2' });
    const fresh = await makeToken(key);
    expect(await made.judge(fresh, { ip: '2001:db8:0:0::9' })).toBe('unavailable verification_budget_exhausted');
    expect(await made.judge(fresh, { ip: '2001:db8:0:1::9' })).toBe('present');
  });
});

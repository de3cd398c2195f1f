import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { IssuerOptions } from '../../src/identify/options.ts';
import {
  type Bench,
  createBench,
  createSigningKey,
  identityOptions,
  issuerOptions,
  type KeyServer,
  makeToken,
  NOW,
  startKeyServer,
  tokenOf,
} from './fixtures.ts';

const TIMING = { backoffMs: [150, 300], cooldownMs: 60_000 };
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

function bench(issuer: Partial<IssuerOptions> = {}, timing = TIMING, keyWaitMs = 1000): Bench {
  const options = identityOptions([issuerOptions({ jwksUrl: server.url, ...issuer })], { keyWaitMs });
  const made = createBench(options, { keyTiming: timing });
  running.push(made);
  return made;
}

const keysOf = (made: Bench) => made.identifier.status().keySets[0];

describe('a key set by URL', () => {
  test('known keys verify at once, as a plain value', async () => {
    const made = bench();
    await made.identifier.start();
    expect(await made.judge(await makeToken(old))).toBe('present');
    expect(keysOf(made)).toMatchObject({ state: 'ready', keys: 1, ageSeconds: 0, lastError: null });
    expect(server.asked).toEqual(['/jwks']);
  });

  test('a rotation works with the first new token', async () => {
    const made = bench();
    await made.identifier.start();
    server.keys = [next.jwk];
    expect(await made.judge(await makeToken(next))).toBe('present');
    // the old key is gone by the issuer's word, also for a token that was verified before
    expect(await made.judge(await makeToken(old))).toMatch(/kid_unknown/);
  });

  test('a fetch that brought the key starts no cooldown: the next rotation works at once too', async () => {
    const made = bench();
    await made.identifier.start();
    for (const kid of ['second', 'third']) {
      const key = await createSigningKey(kid);
      server.keys = [key.jwk];
      expect(await made.judge(await makeToken(key))).toBe('present');
    }
  });

  test('a cached token falls with its key', async () => {
    const made = bench();
    await made.identifier.start();
    const token = await makeToken(old);
    expect(await made.judge(token)).toBe('present');
    server.keys = [next.jwk];
    await made.judge(await makeToken(next));
    expect(await made.judge(token)).toBe('invalid kid_unknown');
  });

  test('a token says when its keys were fetched: anew after each fetch that succeeded, out of the cache too', async () => {
    const made = bench();
    await made.identifier.start();
    const authorization = [`Bearer ${await makeToken(old)}`];
    const fetchedAt = async () => tokenOf(await made.identify({ authorization })).keysFetchedAt;
    expect([await fetchedAt(), await fetchedAt()]).toEqual([NOW, NOW]);
    made.clock.wallSeconds += 60;
    server.mode = 'error';
    expect(await made.judge(await makeToken(next))).toBe('unavailable keys_unavailable');
    expect(await fetchedAt()).toBe(NOW);
    server.mode = 'ok';
    server.keys = [old.jwk, next.jwk];
    await vi.waitFor(async () => expect(await made.judge(await makeToken(next))).toBe('present'), { timeout: 5000, interval: 50 });
    expect([await fetchedAt(), await fetchedAt()]).toEqual([NOW + 60, NOW + 60]);
  });

  test('a key replaced under the same kid drops what the other one signed', async () => {
    const made = bench();
    await made.identifier.start();
    const token = await makeToken(old);
    expect(await made.judge(token)).toBe('present');
    const impostor = await createSigningKey('old');
    server.keys = [impostor.jwk, next.jwk];
    await made.judge(await makeToken(next));
    expect(await made.judge(token)).toBe('invalid signature_invalid');
  });

  test('unknown kids cost one fetch a cooldown, however many ask', async () => {
    const made = bench();
    await made.identifier.start();
    const strangers = await Promise.all(Array.from({ length: 20 }, (_, n) => createSigningKey(`stranger-${n}`)));
    const tokens = await Promise.all(strangers.map((key) => makeToken(key)));
    const codes = await Promise.all(tokens.map((token) => made.judge(token)));
    expect(new Set(codes)).toEqual(new Set(['invalid kid_unknown']));
    for (const token of tokens) expect(await made.judge(token)).toBe('invalid kid_unknown');
    expect(server.asked).toHaveLength(2);
  });

  test.each(['error', 'html', 'empty', 'redirect'] as const)('the last good keys stay while the source answers %s', async (mode) => {
    const made = bench();
    await made.identifier.start();
    server.mode = mode;
    expect(await made.judge(await makeToken(next))).toBe('unavailable keys_unavailable');
    expect(await made.judge(await makeToken(old))).toBe('present');
    expect(keysOf(made)).toMatchObject({
      state: 'stale',
      keys: 1,
      lastError: mode === 'error' || mode === 'redirect' ? 'fetch_failed' : 'keys_invalid',
    });
    // within the backoff nobody asks again, and it is still not the token's fault
    const asked = server.asked.length;
    expect(await made.judge(await makeToken(next, { jti: 'other' }))).toBe('unavailable keys_unavailable');
    expect(server.asked).toHaveLength(asked);
  });

  test('[asks 25] keys rotated while their server is down: old kid works, new kid is unavailable, and works soon after the return', async () => {
    const made = bench();
    await made.identifier.start();
    server.mode = 'error';
    server.keys = [next.jwk];
    const token = await makeToken(next);
    expect(await made.judge(token)).toBe('unavailable keys_unavailable');
    expect(await made.judge(await makeToken(old))).toBe('present');
    server.mode = 'ok';
    await vi.waitFor(async () => expect(await made.judge(token)).toBe('present'), { timeout: 5000, interval: 50 });
  });

  test('[asks 26] a key server that hangs: known kids are unaffected, an unknown kid waits for keyWaitMs only', async () => {
    const made = bench({ fetchTimeoutMs: 60_000 }, TIMING, 100);
    await made.identifier.start();
    server.mode = 'hang';
    const stranger = made.judge(await makeToken(next));
    expect(await made.judge(await makeToken(old))).toBe('present');
    expect(await stranger).toBe('unavailable keys_unavailable');
    expect(keysOf(made)?.state).toBe('ready'); // the fetch still runs
  });

  test('the deadline of the request bounds the wait as well', async () => {
    const made = bench({ fetchTimeoutMs: 60_000 }, TIMING, 60_000);
    await made.identifier.start();
    server.mode = 'hang';
    expect(await made.judge(await makeToken(next), { deadlineMs: 100 })).toBe('unavailable keys_unavailable');
  });

  test('a fetch that hangs ends by its own timeout', async () => {
    const made = bench({ fetchTimeoutMs: 100 });
    server.mode = 'hang';
    await made.identifier.start();
    expect(keysOf(made)).toMatchObject({ state: 'never_fetched', ageSeconds: null, lastError: 'fetch_failed' });
  });

  test('the service starts without keys, says so, and gets them by itself', async () => {
    server.mode = 'error';
    const made = bench();
    await made.identifier.start();
    const token = await makeToken(old);
    expect(await made.judge(token)).toBe('unavailable keys_unavailable');
    expect(keysOf(made)).toMatchObject({ state: 'never_fetched', keys: 0, lastError: 'fetch_failed' });
    server.mode = 'ok';
    await vi.waitFor(() => expect(keysOf(made)?.state).toBe('ready'), { timeout: 5000 });
    expect(await made.judge(token)).toBe('present');
  });

  test('keys are refreshed in the background', async () => {
    const made = bench({ refreshSeconds: 0.1 });
    await made.identifier.start();
    server.keys = [next.jwk];
    await vi.waitFor(async () => expect(await made.judge(await makeToken(old, { jti: 'x' }))).toBe('invalid kid_unknown'), {
      timeout: 5000,
    });
    expect(await made.judge(await makeToken(next))).toBe('present');
  });

  test('fetches in between do not multiply the background refresh', async () => {
    const made = bench({ refreshSeconds: 0.2 }, { backoffMs: [150], cooldownMs: 0 });
    await made.identifier.start();
    for (let n = 0; n < 10; n++) await made.judge(await makeToken(next, { jti: `j${n}` }));
    const asked = server.asked.length;
    await sleep(1000);
    // one chain of refreshes asks five times in a second; eleven chains would ask fifty times
    expect(server.asked.length - asked).toBeLessThan(10);
  });

  test('after stop nothing is asked any more', async () => {
    const made = bench({ refreshSeconds: 0.05 });
    await made.identifier.start();
    made.identifier.stop();
    const asked = server.asked.length;
    await sleep(200);
    expect(server.asked).toHaveLength(asked);
  });
});

describe('discovery', () => {
  const discover = (path = ''): Bench => {
    const options = identityOptions([issuerOptions({ issuer: `${server.origin}${path}`, discovery: true })]);
    const made = createBench(options, { keyTiming: TIMING });
    running.push(made);
    return made;
  };
  const metadata = (issuer: string) => JSON.stringify({ issuer, jwks_uri: server.url });

  test.each([
    ['OpenID Connect', '', '/.well-known/openid-configuration'],
    ['RFC 8414', '', '/.well-known/oauth-authorization-server'],
    ['OpenID Connect with a path', '/tenant', '/tenant/.well-known/openid-configuration'],
    ['RFC 8414 with a path', '/tenant', '/.well-known/oauth-authorization-server/tenant'],
  ])('%s', async (_, path, document) => {
    const issuer = `${server.origin}${path}`;
    server.documents.set(document, metadata(issuer));
    const made = discover(path);
    await made.identifier.start();
    expect(await made.judge(await makeToken(old, { iss: issuer }))).toBe('present');
  });

  test('metadata of another issuer is not used', async () => {
    server.documents.set('/.well-known/openid-configuration', metadata('https://evil.example'));
    const made = discover();
    await made.identifier.start();
    expect(keysOf(made)).toMatchObject({ state: 'never_fetched' });
    expect(server.asked).not.toContain('/jwks');
  });

  test('a jwks_uri over plain http to elsewhere is not fetched', async () => {
    const document = JSON.stringify({ issuer: server.origin, jwks_uri: 'http://keys.example/jwks' });
    server.documents.set('/.well-known/openid-configuration', document);
    const made = discover();
    await made.identifier.start();
    expect(keysOf(made)).toMatchObject({ state: 'never_fetched', lastError: 'fetch_failed' });
  });
});

test('a key file is read again when it changes, also by a swapped link; a broken one keeps the keys', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-keys-'));
  const path = join(folder, 'jwks.json');
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  await write('one.json', JSON.stringify({ keys: [old.jwk] }));
  await symlink('one.json', path);
  const made = bench({ jwksUrl: null, jwksFile: path, refreshSeconds: 0.05 });
  await made.identifier.start();
  expect(await made.judge(await makeToken(old))).toBe('present');

  await write('two.json', JSON.stringify({ keys: [next.jwk] }));
  await symlink('two.json', join(folder, 'swap'));
  await rename(join(folder, 'swap'), path);
  await vi.waitFor(async () => expect(await made.judge(await makeToken(next))).toBe('present'), { timeout: 5000 });

  await write('two.json', '{"keys":[{');
  await vi.waitFor(() => expect(keysOf(made)?.state).toBe('stale'), { timeout: 5000 });
  expect(await made.judge(await makeToken(next))).toBe('present');
  await rm(path);
  await vi.waitFor(() => expect(keysOf(made)?.lastError).toBe('fetch_failed'), { timeout: 5000 });
  expect(await made.judge(await makeToken(next))).toBe('present');
  await rm(folder, { recursive: true });
});

import { describe, expect, test } from 'vitest';
import { createMemoryReplays } from '../../src/stores/memory-replays.ts';
import type { ReplayMemory } from '../../src/stores/replay-memory.ts';
import { bindingOf, createDpopBench, httpFacts, proof, stranger, token, unboundToken, withProof } from './bound.ts';
import { codeOf, makeRequest, NOW } from './fixtures.ts';

const bench = await createDpopBench();
const judge = async (text: string, more = {}, made = bench) => bindingOf(await made.identify(withProof(text, more)));

describe('a proof is used once', () => {
  test('the same proof twice', async () => {
    const text = await proof();
    expect(await judge(text)).toBe('matched');
    expect(await judge(text)).toBe('invalid dpop_replayed');
  });

  test('[asks 35] the same jti with the address written otherwise, and with another iat', async () => {
    const jti = 'asks-35';
    expect(await judge(await proof({ jti }))).toBe('matched');
    for (const htu of ['HTTPS://API.example:443/orders/42', 'https://api.example/%6Frders/42?x=1']) {
      expect(await judge(await proof({ jti, htu }))).toBe('invalid dpop_replayed');
    }
    expect(await judge(await proof({ jti, iat: NOW - 1 }))).toBe('invalid dpop_replayed');
  });

  test('the same jti for another address or by another client is another proof', async () => {
    const jti = 'shared';
    const mine = await token({ cnf: { jkt: stranger.jkt } });
    expect(await judge(await proof({ jti }))).toBe('matched');
    expect(await judge(await proof({ jti, htu: 'https://api.example/orders/43' }), { http: httpFacts({ pathRaw: '/orders/43' }) })).toBe(
      'matched',
    );
    const others = await proof({ jti, token: mine }, stranger);
    expect(await judge(others, { authorization: [`DPoP ${mine}`] })).toBe('matched');
  });

  test('[asks 95] a forged proof does not use up the identifier of the true one', async () => {
    const jti = 'asks-95';
    for (const forged of [
      await proof({ jti, signer: stranger.privateKey }),
      await proof({ jti }, stranger),
      await proof({ jti, token: unboundToken }),
      await proof({ jti, htm: 'POST' }),
      await proof({ jti, iat: NOW - 600 }),
    ]) {
      expect(await judge(forged)).toMatch(/^invalid /);
    }
    expect(await judge(await proof({ jti }))).toBe('matched');
  });

  test('until it would be refused for its age, and then for that', async () => {
    const made = await createDpopBench();
    const text = await proof({ iat: NOW + 5 });
    expect(await judge(text, {}, made)).toBe('matched');
    made.clock.wallSeconds = NOW + 70;
    expect(await judge(text, {}, made)).toBe('invalid dpop_replayed');
    made.clock.wallSeconds = NOW + 71;
    expect(await judge(text, {}, made)).toBe('invalid dpop_expired');
  });
});

describe('the memory of used proofs', () => {
  const over = (replays: ReplayMemory) => createDpopBench({}, {}, { replays });

  test('began after the proof may have been used: it cannot say', async () => {
    const made = await over(createMemoryReplays({ entriesMax: 10, startedAtMs: NOW * 1000 }));
    expect(await judge(await proof({ iat: NOW - 30 }), {}, made)).toBe('unavailable replay_memory_too_young');
    // its client could be five seconds ahead
    expect(await judge(await proof({ iat: NOW + 4 }), {}, made)).toBe('unavailable replay_memory_too_young');
    made.clock.wallSeconds = NOW + 10;
    expect(await judge(await proof({ iat: NOW + 5 }), {}, made)).toBe('matched');
  });

  test('is full', async () => {
    const made = await over(createMemoryReplays({ entriesMax: 1, startedAtMs: 0 }));
    expect(await judge(await proof(), {}, made)).toBe('matched');
    const identity = await made.identify(withProof(await proof()));
    expect(codeOf(identity)).toBe('unavailable binding_unavailable');
    expect(bindingOf(identity)).toBe('unavailable store_full');
  });

  test('[asks 94] is away, answers nonsense, or answers later: never an allow', async () => {
    const base = createMemoryReplays({ entriesMax: 10, startedAtMs: 0 });
    const away = await over({ ...base, remember: () => Promise.resolve('store_unavailable' as const) });
    expect(await judge(await proof(), {}, away)).toBe('unavailable store_unavailable');
    const later = await over({ ...base, sinceMs: null, remember: () => Promise.resolve('replayed' as const) });
    expect(await judge(await proof(), {}, later)).toBe('invalid dpop_replayed');
  });

  test('in memory the answer comes at once', async () => {
    expect(bench.identifier.identify(makeRequest(bench.clock, withProof(await proof())))).not.toBeInstanceOf(Promise);
  });
});

describe('a nonce that is asked for', () => {
  const nonce = { secret: 'a secret of thirty-two characters', lifetimeSeconds: 100 };

  test('is handed out, taken, and renewed with the last answer before it ends', async () => {
    const made = await createDpopBench({ nonce });
    const first = await made.identify(withProof(await proof()));
    expect(bindingOf(first)).toBe('invalid dpop_nonce_required');
    const given = first.challenge.dpopNonce;
    expect(given).toMatch(/^[\w-]{32}$/);
    const second = await made.identify(withProof(await proof({ claims: { nonce: given } })));
    expect(bindingOf(second)).toBe('matched');
    expect(second.signals.binding).toMatchObject({ value: { nonce: true } });
    expect(second.challenge.dpopNonce).toBeNull();
    made.clock.wallSeconds = NOW + 100;
    const third = await made.identify(withProof(await proof({ iat: NOW + 100, claims: { nonce: given } })));
    expect(bindingOf(third)).toBe('matched');
    expect(third.challenge.dpopNonce).not.toBe(given);
    made.clock.wallSeconds = NOW + 200;
    const fourth = await made.identify(withProof(await proof({ iat: NOW + 200, claims: { nonce: given } })));
    expect(bindingOf(fourth)).toBe('invalid dpop_nonce_invalid');
    const next = fourth.challenge.dpopNonce;
    expect(bindingOf(await made.identify(withProof(await proof({ iat: NOW + 200, claims: { nonce: next } }))))).toBe('matched');
  });

  test('is the same on replicas that share the secret, and on no others', async () => {
    const [one, two, other] = await Promise.all([
      createDpopBench({ nonce }),
      createDpopBench({ nonce }),
      createDpopBench({ nonce: { ...nonce, secret: null } }),
    ]);
    const { dpopNonce } = (await one.identify(withProof(await proof()))).challenge;
    const text = await proof({ claims: { nonce: dpopNonce } });
    expect(await judge(text, {}, two)).toBe('matched');
    expect(await judge(text, {}, other)).toBe('invalid dpop_nonce_invalid');
    expect(await judge(await proof({ claims: { nonce: 'guessed' } }), {}, two)).toBe('invalid dpop_nonce_invalid');
  });

  test('a wrong nonce does not use the proof up', async () => {
    const made = await createDpopBench({ nonce });
    const refused = await made.identify(withProof(await proof({ jti: 'n' })));
    const text = await proof({ jti: 'n', claims: { nonce: refused.challenge.dpopNonce } });
    expect(await judge(text, {}, made)).toBe('matched');
  });
});

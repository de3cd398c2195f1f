import { describe, expect, test } from 'vitest';
import { createProofKey } from '../support/dpop.ts';
import { bindingOf, bound, client, createDpopBench, httpFacts, proof, stranger, token, unboundToken, withProof } from './bound.ts';
import { codeOf, NOW, tokenOf } from './fixtures.ts';

const bench = await createDpopBench();
const judge = async (text: string, more = {}, made = bench) => bindingOf(await made.identify(withProof(text, more)));

describe('a token that is bound to a key', () => {
  test('with its proof is matched: level 4, and the token says so', async () => {
    const identity = await bench.identify(withProof(await proof()));
    expect(tokenOf(identity).binding).toBe('matched');
    expect(identity.signals.binding).toEqual({
      status: 'present',
      value: { method: 'dpop', thumbprint: client.jkt, proven: true, issuedAt: NOW, nonce: false },
    });
    expect(identity).toMatchObject({
      subject: { client: 'svc-a', asserted: false },
      evidence: { methods: ['token', 'dpop'], assurance: 4, binding: 'matched' },
      challenge: { scheme: 'DPoP', dpopNonce: null },
    });
  });

  test.each(['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'])('by %s', async (algorithm) => {
    const key = await createProofKey(algorithm);
    const mine = await token({ cnf: { jkt: key.jkt } });
    for (const _again of [1, 2]) {
      const facts = withProof(await proof({ token: mine }, key), { authorization: [`DPoP ${mine}`] });
      expect(bindingOf(await bench.identify(facts))).toBe('matched');
    }
  });

  test('as plain bearer is refused, with a proof as well as without', async () => {
    for (const dpop of [[], [await proof()]]) {
      const identity = await bench.identify({ authorization: [`Bearer ${bound}`], dpop, http: httpFacts() });
      expect(codeOf(identity)).toBe('invalid token_binding_mismatch');
      expect(bindingOf(identity)).toBe('invalid dpop_scheme_required');
      expect(identity).toMatchObject({
        subject: { type: 'unknown', client: null },
        evidence: { methods: [], assurance: 0, binding: 'mismatched' },
        tokenKey: null,
        challenge: { scheme: 'DPoP' },
      });
    }
  });

  test('the result of one request is no result of the next: the token is cached, the proof is not', async () => {
    const made = await createDpopBench();
    expect(await judge(await proof(), {}, made)).toBe('matched');
    expect(await judge(await proof({}, stranger), {}, made)).toBe('invalid dpop_key_mismatch');
    expect(codeOf(await made.identify({ authorization: [`Bearer ${bound}`], http: httpFacts() }))).toBe('invalid token_binding_mismatch');
    expect(await judge(await proof(), {}, made)).toBe('matched');
    expect(made.identifier.status().tokenCache.hits).toBe(3);
    expect(made.identifier.status().proofKeyCache).toMatchObject({ hits: 1, entries: 1 });
  });
});

test('the scheme DPoP with a token that is bound to nothing is refused, whatever proof comes', async () => {
  const facts = { authorization: [`DPoP ${unboundToken}`], dpop: [await proof({ token: unboundToken })], http: httpFacts() };
  const identity = await bench.identify(facts);
  expect(codeOf(identity)).toBe('invalid token_unbound');
  expect(bindingOf(identity)).toBe('invalid dpop_token_unbound');
  expect(identity.evidence.assurance).toBe(0);
});

test('a proof beside an unbound bearer token proves nothing', async () => {
  const identity = await bench.identify({ authorization: [`Bearer ${unboundToken}`], dpop: [await proof()], http: httpFacts() });
  expect(bindingOf(identity)).toBe('absent token_not_bound');
  expect(identity.evidence).toMatchObject({ methods: ['token'], assurance: 2, binding: 'none' });
});

test('a token that is refused for itself has no binding to judge, and does not use its proof up', async () => {
  const made = await createDpopBench();
  const text = await proof();
  const broken = await made.identify({ authorization: [`DPoP ${bound.slice(0, -8)}AAAAAAAA`], dpop: [text], http: httpFacts() });
  expect(codeOf(broken)).toBe('invalid signature_invalid');
  expect(bindingOf(broken)).toBe('absent token_not_verified');
  expect(broken.challenge.scheme).toBe('DPoP');
  expect(await judge(text, {}, made)).toBe('matched');
});

test('an address that sent too many forged proofs is not verified for, others are', async () => {
  const made = await createDpopBench({}, { verificationBudget: { failuresPerMinute: 3, addressesMax: 10 } });
  for (let n = 0; n < 3; n++)
    expect(await judge(await proof({ signer: stranger.privateKey }), {}, made)).toBe('invalid dpop_signature_invalid');
  expect(await judge(await proof(), {}, made)).toBe('unavailable verification_budget_exhausted');
  expect(await judge(await proof(), { ip: '198.51.100.1' }, made)).toBe('matched');
});

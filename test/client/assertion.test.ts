import { describe, expect, it } from 'vitest';
import { createAssertionVerifier } from '../../src/client/assertion.ts';
import { keysOf, newKey } from '../support/assertion-keys.ts';
import { createAssertionWorld, encoded, foreignSignature, hmacForgeries, ISSUER, NOW_SECONDS } from './assertion-world.ts';

const CLAIMS = {
  iss: ISSUER,
  aud: 'orders-read',
  policy: 'default',
  jti: 'd1',
  sub: 'agent-a',
  client_id: 'c1',
  assurance: 2,
  risk: 20,
  pep: 'edge',
  iat: NOW_SECONDS,
  exp: NOW_SECONDS + 60,
};

describe('an assertion that is good', () => {
  it('says what was decided', async () => {
    const { verifier, assertion, signed } = await createAssertionWorld();
    expect(await verifier().verify(assertion())).toMatchObject({
      ok: true,
      claims: {
        route: 'orders-read',
        policy: 'default',
        subject: 'agent-a',
        subjectAsserted: false,
        client: 'c1',
        actor: null,
        assurance: 0,
      },
    });
    expect(await verifier().verify([signed({ ...CLAIMS, act: { sub: 'b' }, sub_asserted: true })])).toMatchObject({
      ok: true,
      claims: {
        actor: 'b',
        subjectAsserted: true,
        decisionId: 'd1',
        gateway: 'edge',
        risk: 20,
        issuedAt: NOW_SECONDS,
        all: { aud: 'orders-read' },
      },
    });
  });

  it('is good for each route of the upstream, and for the gateways that it has', async () => {
    const { verifier, signed } = await createAssertionWorld();
    expect(await verifier({ audience: ['a', 'orders-read'], gateways: ['edge'], assuranceMin: 2 }).verify(signed(CLAIMS))).toMatchObject({
      ok: true,
    });
  });
});

describe('what is refused', () => {
  const codeOf = async (claims: object, options: object = {}, head: object = {}) => {
    const { verifier, signed } = await createAssertionWorld();
    const verified = await verifier(options).verify(signed(claims, head));
    return verified.ok ? 'ok' : verified.code;
  };

  it.each([
    ['of another issuer', { iss: 'https://other.example' }, {}, 'assertion_issuer'],
    ['for another route', { aud: 'orders-write' }, {}, 'assertion_audience'],
    ['for a request that fell on no route', { aud: 'unknown' }, {}, 'assertion_audience'],
    ['for several', { aud: ['orders-read'] }, {}, 'assertion_malformed'],
    ['allowed by another policy', { policy: 'tenant-b' }, {}, 'assertion_policy'],
    ['by another gateway', {}, { gateways: ['internal'] }, 'assertion_gateway'],
    ['expired', { iat: NOW_SECONDS - 66, exp: NOW_SECONDS - 6 }, {}, 'assertion_expired'],
    ['expired within the tolerance', { iat: NOW_SECONDS - 64, exp: NOW_SECONDS - 4 }, {}, 'ok'],
    ['from the future', { iat: NOW_SECONDS + 6, exp: NOW_SECONDS + 66 }, {}, 'assertion_not_yet'],
    ['good for ever', { exp: NOW_SECONDS + 301 }, {}, 'assertion_malformed'],
    ['without an end', { exp: undefined }, {}, 'assertion_malformed'],
    ['that ends as a text', { exp: '9999999999' }, {}, 'assertion_malformed'],
    ['without a time', { iat: undefined }, {}, 'assertion_malformed'],
    ['without an issuer', { iss: undefined }, {}, 'assertion_malformed'],
    ['without a policy', { policy: undefined }, {}, 'assertion_malformed'],
    ['that ends before it begins', { iat: NOW_SECONDS, exp: NOW_SECONDS }, {}, 'assertion_malformed'],
    ['with a subject that is a list', { sub: ['a'] }, {}, 'assertion_malformed'],
    ['with an actor that is a text', { act: 'b' }, {}, 'assertion_malformed'],
    ['of a caller that is not known well enough', {}, { assuranceMin: 3 }, 'assertion_assurance'],
  ])('one %s', async (_what, claims, options, code) => {
    expect(await codeOf({ ...CLAIMS, ...claims }, options)).toBe(code);
  });

  it.each([
    ['another type', { typ: 'JWT' }, 'assertion_type'],
    ['no type', { typ: undefined }, 'assertion_type'],
    ['another algorithm', { alg: 'HS256' }, 'assertion_algorithm'],
    ['none', { alg: 'none' }, 'assertion_algorithm'],
    ['the algorithm of another key', { alg: 'ES256' }, 'assertion_algorithm'],
    ['no key', { kid: undefined }, 'assertion_malformed'],
    ['another key', { kid: 'k' }, 'assertion_key_unknown'],
    ['an extension that has to be understood', { crit: ['b64'], b64: false }, 'assertion_malformed'],
  ])('a head with %s', async (_what, head, code) => {
    expect(await codeOf(CLAIMS, {}, head)).toBe(code);
  });

  it('forgeries with the public key as a secret, and with keys of others', async () => {
    const { verifier, assertion, pem, keys } = await createAssertionWorld();
    const token = assertion();
    const forged = [
      ...hmacForgeries(token, pem.publicPem),
      foreignSignature(token, newKey('EdDSA').pem, 'EdDSA'),
      foreignSignature(token, newKey('ES256').pem, 'ES256'),
      `${token.slice(0, token.lastIndexOf('.'))}.`,
      `${encoded({ typ: 'countersign-assertion+jwt', alg: 'none', kid: keys.active().kid })}.${token.split('.')[1]}.`,
    ];
    const codes = await Promise.all(forged.map(async (one) => verifier().verify(one)));
    expect(codes.map((verified) => (verified.ok ? 'ok' : verified.code))).toEqual([
      'assertion_algorithm',
      'assertion_algorithm',
      'assertion_signature',
      'assertion_algorithm',
      'assertion_malformed',
      'assertion_malformed',
    ]);
  });

  it('no header, an empty one, two, and two in one', async () => {
    const { verifier, assertion } = await createAssertionWorld();
    const token = assertion();
    const headers = [undefined, '', [], [token, token], `${token},${token}`, `${token}, `, ` ${token}`, `${token}.x`, 'x'.repeat(9000)];
    const codes = await Promise.all(headers.map((header) => verifier().verify(header)));
    expect(codes.map((verified) => (verified.ok ? 'ok' : verified.code))).toEqual([
      ...['assertion_missing', 'assertion_missing', 'assertion_missing'],
      ...['assertion_multiple', 'assertion_multiple', 'assertion_multiple'],
      ...['assertion_malformed', 'assertion_malformed', 'assertion_malformed'],
    ]);
  });
});

describe('keys', () => {
  it('are fetched once for many, and kept while Countersign is away, for an hour', async () => {
    const { verifier, assertion, served, time } = await createAssertionWorld();
    const one = verifier();
    await Promise.all(Array.from({ length: 20 }, () => one.verify(assertion())));
    expect(served.questions).toBe(1);
    served.failing = true;
    for (const minutes of [6, 59]) {
      time.monotonic = minutes * 60_000;
      time.now = NOW_SECONDS * 1000 + time.monotonic;
      expect(await one.verify(assertion())).toMatchObject({ ok: true });
    }
    time.monotonic = 61 * 60_000;
    time.now = NOW_SECONDS * 1000 + time.monotonic;
    expect(await one.verify(assertion())).toEqual({ ok: false, code: 'assertion_keys_unavailable' });
    served.failing = false;
    time.monotonic += 10_000;
    expect(await one.verify(assertion())).toMatchObject({ ok: true });
  });

  it('that are not known are asked for, at most every ten seconds', async () => {
    const { verifier, assertion, served, time, signed } = await createAssertionWorld();
    const one = verifier();
    expect(await one.verify(assertion())).toMatchObject({ ok: true });
    const next = await keysOf(newKey('ES256').pem);
    next.stop();
    served.text = next.published();
    expect(await one.verify(assertion(next))).toEqual({ ok: false, code: 'assertion_key_unknown' });
    for (let at = 0; at < 50; at++) await one.verify(signed(CLAIMS, { kid: `k${at}` }));
    expect(served.questions).toBe(1);
    time.monotonic = 10_000;
    expect(await one.verify(assertion(next))).toMatchObject({ ok: true });
    // the old one is gone from the set
    expect(await one.verify(assertion())).toEqual({ ok: false, code: 'assertion_key_unknown' });
    expect(served.questions).toBe(2);
  });

  it('of a rotation in two steps are known before they sign', async () => {
    const { verifier, assertion, served, keys } = await createAssertionWorld();
    const [old, next] = [newKey('EdDSA').pem, newKey('EdDSA').pem];
    const [before, after] = await Promise.all([keysOf(old, next), keysOf(next, old)]);
    for (const one of [before, after, keys]) one.stop();
    served.text = before.published();
    const one = verifier();
    expect(await one.verify(assertion(before))).toMatchObject({ ok: true });
    expect(await one.verify(assertion(after))).toMatchObject({ ok: true });
    expect(served.questions).toBe(1);
  });

  it('that never come are waited for as long as was said', async () => {
    const { verifier, assertion } = await createAssertionWorld();
    const hanging = verifier({ timeoutMs: 30, fetchKeys: () => new Promise(() => undefined) });
    expect(await hanging.verify(assertion())).toEqual({ ok: false, code: 'assertion_keys_unavailable' });
  });

  it.each([
    ['an error page', '<html>'],
    ['another document', '{"keys":"none"}'],
    ['a name twice', '{"keys":[],"keys":[]}'],
  ])('are not replaced by %s', async (_what, text) => {
    const { verifier, assertion, served, time } = await createAssertionWorld();
    const one = verifier();
    await one.verify(assertion());
    served.text = text;
    time.monotonic = 301_000;
    await one.verify(assertion());
    time.monotonic = 312_000;
    expect(await one.verify(assertion())).toMatchObject({ ok: true });
    expect(await verifier().verify(assertion())).toEqual({ ok: false, code: 'assertion_keys_unavailable' });
  });

  it('for encryption, of other kinds and that are none are no keys', async () => {
    const { verifier, assertion, served, keys } = await createAssertionWorld();
    const [key] = JSON.parse(keys.published()).keys;
    for (const changed of [
      { use: 'enc' },
      { alg: 'ES256' },
      { kty: 'oct', k: key.x },
      { crv: 'X25519' },
      { x: 'AAAA' },
      { kid: 7 },
      { x: 7 },
    ]) {
      served.text = JSON.stringify({ keys: [null, 'x', { ...key, ...changed }] });
      expect([changed, await verifier().verify(assertion())]).toEqual([changed, { ok: false, code: 'assertion_key_unknown' }]);
    }
  });

  it('come by https, or from this machine', () => {
    const make = (jwksUrl: string, more = {}) => createAssertionVerifier({ issuer: ISSUER, audience: 'a', jwksUrl, ...more });
    for (const url of ['http://pdp.example/keys', 'file:///keys', 'keys', 'http://127.0.0.1.example/keys'])
      expect(() => make(url)).toThrow(TypeError);
    for (const url of ['https://pdp.example/keys', 'http://127.0.0.1:8080/keys', 'http://[::1]/keys', 'http://localhost/keys'])
      expect(() => make(url)).not.toThrow();
    expect(() => make('http://pdp.example/keys', { allowInsecureHttp: true })).not.toThrow();
  });
});

import { createPublicKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { bindSignatureCheck, SIGNATURE_ALGORITHMS } from '../../src/identify/algorithms.ts';
import { selectKey } from '../../src/identify/keys.ts';
import { parseKeyRing } from '../../src/identify/keys-jwk.ts';
import { parseJwsText } from '../../src/identify/token-text.ts';
import { type Bench, createBench, identityOptions, issuerOptions, keysAtHand } from '../identify/fixtures.ts';
import { refusedOnPurpose } from '../support/refused.ts';
import { vectorCases, vectorDocument } from '../support/vectors.ts';

const JWK = z.record(z.string(), z.unknown());
const ALL_ALGORITHMS = [...SIGNATURE_ALGORITHMS.keys()];
const isHmac = (algorithm: unknown): boolean => typeof algorithm === 'string' && algorithm.startsWith('HS');

/** The signature layer alone: header, key selection and binding, signature; true where it verifies. */
function verifyJws(jws: string, keys: readonly unknown[], allowed: readonly string[] = ALL_ALGORITHMS): boolean {
  const text = parseJwsText(jws);
  if (typeof text === 'string' || !allowed.includes(text.algorithm)) return false;
  const ring = ringOf(keys, allowed);
  const key = ring === null ? 'keys_unavailable' : selectKey(ring, text.algorithm, text.kid);
  return typeof key !== 'string' && key.checks.get(text.algorithm)?.(text.signingInput, text.signature) === true;
}

function ringOf(keys: readonly unknown[], allowed: readonly string[]) {
  try {
    return parseKeyRing({ keys }, new Set(allowed), null);
  } catch {
    return null; // no usable key: nothing verifies
  }
}

/** Does the first part name an algorithm with a shared secret? Those are refused on principle (issue 3, item 5). */
function namesHmac(jws: string): boolean {
  const header: unknown = JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString());
  return z.object({ alg: z.string() }).safeParse(header).data?.alg.startsWith('HS') === true;
}

const attackSchema = z.object({
  id: z.string(),
  token: z.string().nullable(),
  recipe: z.record(z.string(), z.number()).optional(),
  expect: z.enum(['accept', 'reject', 'policy']),
  rule: z.string(),
  extra_jwk: JWK.optional(),
});
type Attack = z.infer<typeof attackSchema>;

const fixtureSchema = z.object({
  now: z.number(),
  iss: z.string(),
  aud: z.string(),
  allowed: z.array(z.string()),
  jwks: z.object({ keys: z.array(JWK) }),
  controls: z.object({ RS256: z.string() }),
});

describe('attacks on a bearer token, through the whole stage', () => {
  const cases = vectorCases('jose', 'jwt-attacks-derived.json', attackSchema);
  const document = vectorDocument('jose', 'jwt-attacks-derived.json');
  if (document === null) return;
  const fixture = fixtureSchema.parse(document['fixture']);
  const jwksUrl = 'https://issuer.example/jwks';
  const asked: string[] = [];

  async function benchFor(attack: Attack): Promise<Bench> {
    const extra = attack.extra_jwk === undefined ? [] : [attack.extra_jwk];
    const { iss: issuer, aud, allowed } = fixture;
    const options = issuerOptions({ issuer, audiences: [aud], algorithms: allowed, clockSkewSeconds: 0, jwksUrl });
    const bench = createBench(identityOptions([options]), keysAtHand([...fixture.jwks.keys, ...extra], asked));
    bench.clock.wallSeconds = fixture.now;
    await bench.identifier.start();
    return bench;
  }

  test.each(cases.map((one) => [one.id, one] as const))('%s', async (_, attack) => {
    const bench = await benchFor(attack);
    const code = await bench.judge(attack.token ?? build(attack.recipe ?? {}, fixture.controls.RS256));
    bench.identifier.stop();
    if (attack.expect === 'accept') expect(code).toBe('present');
    // refused for what it is: never by an accident such as a missing key set or a spent budget
    if (attack.expect === 'reject') expect(code).toMatch(/^invalid /);
    if (attack.expect === 'policy') expect(POLICY.get(attack.id) ?? `no stand on ${attack.id}`).toBe(code);
    expect(new Set(asked)).toEqual(new Set([jwksUrl]));
    expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false);
  });
});

/** Where implementations differ: what this one does, all within each case's rule. */
const POLICY = new Map([
  ['control-typ-JWT', 'present'],
  ['jku-on-good-token', 'present'],
  ['zip-DEF', 'present'],
  ['ecdsa-high-s', 'present'],
  ['b64-true-crit', 'invalid critical_header_unknown'],
  ['exp-ms', 'invalid claim_invalid'],
  ['iat-future', 'invalid token_issued_in_future'],
  ['claim-proto', 'invalid token_malformed'],
  ['shape-noncanonical-trailing-bits', 'invalid token_malformed'],
  ['shape-payload-lone-surrogate', 'invalid token_malformed'],
  ['nest-arrays-2000', 'invalid token_malformed'],
]);

/** The oversized tokens that the vectors describe instead of holding them. */
function build(recipe: Readonly<Record<string, number>>, control: string): string {
  const [header = '', payload = '', signature = ''] = control.split('.');
  const claims = (more: unknown): string => Buffer.from(JSON.stringify({ iss: 'https://issuer.example', more })).toString('base64url');
  const { pad_claim_bytes: pad, pad_header_bytes: padHeader, nest_arrays: nest, claims: count, kid_bytes: kid, dots } = recipe;
  if (pad !== undefined) return `${header}.${claims('x'.repeat(pad))}.${signature}`;
  if (nest !== undefined)
    return `${header}.${Buffer.from(`{"x":${'['.repeat(nest)}${']'.repeat(nest)}}`).toString('base64url')}.${signature}`;
  if (count !== undefined)
    return `${header}.${claims(Object.fromEntries(Array.from({ length: count }, (_, n) => [`c${n}`, n])))}.${signature}`;
  if (dots !== undefined) return `${header}${'.'.repeat(dots)}${signature}`;
  const wide = { alg: 'RS256', kid: 'k'.repeat(kid ?? 4), pad: 'x'.repeat(padHeader ?? 0) };
  return `${Buffer.from(JSON.stringify(wide)).toString('base64url')}.${payload}.${signature}`;
}

const publishedSchema = z.object({
  id: z.string(),
  token: z.string(),
  key: JWK.nullable(),
  allowed_algs: z.array(z.string()).optional(),
  expect: z.enum(['accept', 'reject', 'either']),
  now: z.number().optional(),
  kid: z.string().optional(),
});

describe('tokens published by other libraries', () => {
  const cases = vectorCases('jose', 'jwt-published.json', publishedSchema);
  test.each(cases.map((one) => [one.id, one] as const))(
    '%s',
    async (_, { token, key, allowed_algs: allowed, expect: wanted, now, kid }) => {
      const keys = key === null ? [] : [kid === undefined ? key : { ...key, kid }];
      const verified = now === undefined ? verifyJws(token, keys, allowed) : (await judgeAt(now, token, keys)) === 'present';
      if (wanted !== 'reject' && !verified) refusedOnPurpose();
      if (wanted === 'either') return expect(verified).toBe(false); // PS256 with another salt length than RFC 7518 section 3.5 says
      expect(verified).toBe(wanted === 'accept' && !isHmac(allowed?.[0]));
    },
  );

  /** Through the whole stage, for the tokens that have an issuer and an expiry. */
  async function judgeAt(now: number, token: string, keys: readonly unknown[]): Promise<string> {
    const options = issuerOptions({ issuer: 'joe', audiences: [], allowAnyAudience: true, jwksUrl: 'https://joe.example/jwks' });
    const bench = createBench(identityOptions([options]), keysAtHand(keys));
    bench.clock.wallSeconds = now;
    await bench.identifier.start();
    const code = await bench.judge(token);
    bench.identifier.stop();
    return code;
  }
});

describe('the JOSE cookbook', () => {
  const exampleSchema = z.object({
    id: z.string(),
    example: z.looseObject({
      input: z.object({ key: z.union([JWK, z.array(JWK)]) }).optional(),
      output: z.object({ compact: z.string().optional(), json: z.unknown().optional(), json_flat: z.unknown().optional() }).optional(),
    }),
  });
  const cases = vectorCases('jose', 'rfc7520-7797-8037-cookbook.json', exampleSchema);
  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, { example }) => {
    const { input, output } = example;
    if (input === undefined || output === undefined) {
      if (example['kty'] === 'oct') refusedOnPurpose();
      return expect(ringOf([example], ALL_ALGORITHMS) === null).toBe(example['kty'] === 'oct');
    }
    const keys = Array.isArray(input.key) ? input.key : [input.key];
    // the JSON serializations are no bearer token (RFC 7519 section 3)
    for (const json of [output.json, output.json_flat]) expect(verifyJws(JSON.stringify(json) ?? '', keys)).toBe(false);
    // published with its private members, such a key is refused: the example keys are used without them
    const publicKeys = keys.map(({ kty, kid, crv, x, y, n, e, alg, use }) => prune({ kty, kid, crv, x, y, n, e, alg, use }));
    const { compact } = output;
    if (compact === undefined) return refusedOnPurpose();
    const principle = namesHmac(compact) || compact.includes('..') || compact.split('.').length !== 3;
    if (principle) refusedOnPurpose();
    expect(verifyJws(compact, publicKeys)).toBe(!principle);
    if (keys.some((key) => key['d'] !== undefined)) expect(verifyJws(compact, keys)).toBe(false);
  });
});

function prune(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

const wycheproofJws = z.object({
  id: z.string(),
  comment: z.string(),
  key: z.union([z.object({ keys: z.array(JWK) }), JWK]),
  jws: z.string(),
  result: z.enum(['valid', 'invalid']),
  strict_may_refuse: z.string().optional(),
});

describe.each(['wycheproof-jwc.json', 'wycheproof-jwk.json', 'wycheproof-jws.json'])('%s', (file) => {
  const cases = vectorCases('jose', file, wycheproofJws);
  test.each(cases.map((one) => [`${one.id} ${one.comment}`, one] as const))('%s', (_, { key, jws, result, strict_may_refuse: strict }) => {
    const keys = Array.isArray(key['keys']) ? key['keys'] : [key];
    const wanted = result === 'valid' && strict === undefined && !(result === 'valid' && namesHmac(jws));
    if (result === 'valid' && !wanted) refusedOnPurpose();
    expect(verifyJws(jws, keys)).toBe(wanted);
  });
});

const rawSchema = z.object({
  id: z.string(),
  comment: z.string(),
  jwk: JWK.optional(),
  spki_pem: z.string().optional(),
  msg_hex: z.string(),
  sig_hex: z.string(),
  result: z.enum(['valid', 'invalid', 'acceptable']),
});

describe.each([
  ['wycheproof-ecdsa-p256-p1363.json', 'ES256'],
  ['wycheproof-ed25519.json', 'EdDSA'],
  ['wycheproof-ps256.json', 'PS256'],
  ['wycheproof-rs256.json', 'RS256'],
])('%s', (file, name) => {
  const cases = vectorCases('jose', file, rawSchema);
  const algorithm = SIGNATURE_ALGORITHMS.get(name);
  test.each(cases.map((one) => [`${one.id} ${one.comment}`, one] as const))('%s', (_, { jwk, spki_pem: pem, msg_hex, sig_hex, result }) => {
    if (algorithm === undefined) return expect.fail(`${name} is not known`);
    const check =
      jwk === undefined
        ? bindSignatureCheck(algorithm, createPublicKey(pem ?? ''))
        : parseKeyRing({ keys: [jwk] }, new Set([name]), null).keys[0]?.checks.get(name);
    const verified = check?.(Buffer.from(msg_hex, 'hex'), Buffer.from(sig_hex, 'hex'));
    if (result === 'acceptable') expect(typeof verified).toBe('boolean');
    else expect(verified).toBe(result === 'valid');
  });
});

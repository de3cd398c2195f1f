import { CompactSign } from 'jose';
import { afterAll, describe, expect, test } from 'vitest';
import { type Claims, createSigningKey, ISSUER, keysAtHand, type SigningKey } from '../fixtures.ts';
import { ACTIVE, createIntrospectionBench, type IntrospectionBench } from './fixtures.ts';

/* Answers as JWT, RFC 9701. */

const key = await createSigningKey('k1');
const benches: IntrospectionBench[] = [];
afterAll(() => Promise.all(benches.map(({ server }) => server.stop())));

async function answerOf(claims: Claims = {}, header: Claims = {}, signer: SigningKey = key): Promise<string> {
  const payload = { iss: ISSUER, aud: 'rs', iat: Math.floor(Date.now() / 1000), token_introspection: ACTIVE, ...claims };
  return new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ typ: 'token-introspection+jwt', kid: 'k1', ...header, alg: signer.algorithm })
    .sign(signer.privateKey);
}

async function judge(body: string, type = 'application/token-introspection+jwt'): Promise<string> {
  const made = await createIntrospectionBench(undefined, {
    introspection: { signedAnswers: 'ES256' },
    issuer: { jwksUrl: 'https://as.example/jwks' },
    parts: keysAtHand([key.jwk]),
  });
  benches.push(made);
  made.server.answer = () => (response) => void response.writeHead(200, { 'content-type': type }).end(body);
  const outcome = await made.judge('good');
  expect(made.server.asked[0]?.accept).toBe('application/token-introspection+jwt');
  return outcome;
}

describe('an answer as JWT', () => {
  test('signed by a key of the issuer counts', async () => {
    expect(await judge(await answerOf())).toBe('present');
    expect(await judge(await answerOf({ token_introspection: { active: false } }))).toBe('invalid token_inactive');
  });

  test.each<[string, () => Promise<string>]>([
    ['signed by another key', async () => answerOf({}, {}, await createSigningKey('k1'))],
    ['of another algorithm', async () => answerOf({}, {}, await createSigningKey('k1', 'EdDSA'))],
    ['of another type', () => answerOf({}, { typ: 'JWT' })],
    ['of another issuer', () => answerOf({ iss: 'https://other.example' })],
    ['for another client', () => answerOf({ aud: 'other' })],
    ['without an answer in it', () => answerOf({ token_introspection: undefined })],
    ['whose answer does not say `active`', () => answerOf({ token_introspection: { sub: 'alice' } })],
    ['whose signature was taken away', async () => (await answerOf()).replace(/[^.]+$/, '')],
    [
      'changed on its way',
      async () => (await answerOf()).replace(/\.[^.]+\./, `.${Buffer.from('{"active":true}').toString('base64url')}.`),
    ],
  ])('%s is none', async (_what, made) => {
    expect(await judge(await made())).toBe('unavailable introspection_unavailable');
  });

  test('is what was asked for: plain JSON is none', async () => {
    expect(await judge(JSON.stringify(ACTIVE), 'application/json')).toBe('unavailable introspection_unavailable');
    expect(await judge(JSON.stringify(ACTIVE))).toBe('unavailable introspection_unavailable');
  });
});

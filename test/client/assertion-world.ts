import { createHmac, createPublicKey, sign } from 'node:crypto';
import { type AssertionVerifierOptions, createAssertionVerifier } from '../../src/client/assertion.ts';
import { ASSERTION_HEADER, createAssertion } from '../../src/decide/assertion/assertion.ts';
import type { SigningKeys } from '../../src/decide/assertion/signing-keys.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { answer } from '../decide/answer.ts';
import { keysOf, newKey } from '../support/assertion-keys.ts';

export const ISSUER = 'https://pdp.example';
export const NOW_SECONDS = 1_790_000_000;

/** Countersign as the signer, an attacker who can sign with a key of its own, and an upstream's verifier. */
export async function createAssertionWorld() {
  const pem = newKey('EdDSA');
  const keys = await keysOf(pem.pem, newKey('ES256').pem);
  keys.stop();
  const time = { now: NOW_SECONDS * 1000, monotonic: 0 };
  const clock = { now: () => time.now, monotonic: () => time.monotonic };
  const served = { text: keys.published(), failing: false, questions: 0 };

  const verifier = (options: Partial<AssertionVerifierOptions> = {}) =>
    createAssertionVerifier({
      issuer: ISSUER,
      audience: 'orders-read',
      clock,
      fetchKeys: async () => {
        served.questions++;
        if (served.failing) throw new Error('away');
        return Buffer.from(served.text);
      },
      ...options,
    });

  /** The real thing. */
  const assertion = (by: SigningKeys = keys, route = 'orders-read', issuer = ISSUER): string => {
    const identity = { ...SMOKE_FACTS.identity, subject: { ...SMOKE_FACTS.identity.subject, id: 'agent-a', client: 'c1' } };
    const decision = answer([['b.granted', 'allow']], { subject: 'agent-a' });
    const known = { route: { ...SMOKE_FACTS.route, status: 'matched', id: route } as const, identity };
    const made = createAssertion({ issuer, lifetimeSeconds: 60 }, by, clock).attach(SMOKE_FACTS.request, decision, known);
    return made.upstream.headersToSet[ASSERTION_HEADER] ?? '';
  };

  /** Any head and claims, signed with the real key: what only a fault of ours could make. */
  const signed = (claims: object, head: object = {}): string => {
    const { kid, sign: signs } = keys.active();
    const text = [{ typ: 'countersign-assertion+jwt', alg: 'EdDSA', kid, ...head }, claims].map(encoded).join('.');
    return `${text}.${signs(Buffer.from(text)).toString('base64url')}`;
  };

  return { verifier, assertion, signed, served, time, keys, pem };
}

export const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The published key taken for a shared secret, in the two forms that one would try. */
export function hmacForgeries(token: string, publicPem: string): string[] {
  const [first = '', payload = ''] = token.split('.');
  const head = JSON.parse(Buffer.from(first, 'base64url').toString());
  const text = `${encoded({ ...head, alg: 'HS256' })}.${payload}`;
  const raw = createPublicKey(publicPem).export({ type: 'spki', format: 'der' });
  return [Buffer.from(publicPem), raw].map((key) => `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`);
}

/** The same claims signed by somebody else's key, under the id of ours. */
export function foreignSignature(token: string, privatePem: string, alg: string): string {
  const [first = '', payload = ''] = token.split('.');
  const text = `${encoded({ ...JSON.parse(Buffer.from(first, 'base64url').toString()), alg })}.${payload}`;
  const hash = alg === 'ES256' ? 'sha256' : null;
  return `${text}.${sign(hash, Buffer.from(text), { key: privatePem, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

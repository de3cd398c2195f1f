import { calculateJwkThumbprint, createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../src/contract/decision.ts';
import type { Identity } from '../../../src/contract/identity.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import { ASSERTION_HEADER, createAssertion } from '../../../src/decide/assertion/assertion.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { createPdp } from '../../../src/pdp.ts';
import { keysOf, newKey } from '../../support/assertion-keys.ts';
import { answer } from '../answer.ts';

const ISSUER = 'https://pdp.example/base';
const NOW_MS = 1_790_000_000_500;
const clock = { now: () => NOW_MS, monotonic: () => 0 };
const route = { ...SMOKE_FACTS.route, status: 'matched', id: 'orders-read' } as const;
const allow = (subject = 'agent-a'): Decision => answer([['b.granted', 'allow']], { subject });

async function attached(
  algorithm: 'ES256' | 'EdDSA',
  {
    decision = allow(),
    request = SMOKE_FACTS.request,
    subject = {},
  }: { decision?: Decision; request?: DecisionRequest; subject?: object } = {},
) {
  const keys = await keysOf(newKey(algorithm).pem, newKey('EdDSA').pem);
  keys.stop();
  const identity: Identity = {
    ...SMOKE_FACTS.identity,
    subject: { ...SMOKE_FACTS.identity.subject, id: 'agent-a', client: 'c1', ...subject },
  };
  const made = createAssertion({ issuer: ISSUER, lifetimeSeconds: 60 }, keys, clock).attach(request, decision, { route, identity });
  return { made, keys };
}

describe('an assertion', () => {
  it.each(['ES256', 'EdDSA'] as const)('signed by %s is a JWT that any library verifies by the published keys', async (algorithm) => {
    const { made, keys } = await attached(algorithm);
    const token = made.upstream.headersToSet[ASSERTION_HEADER] ?? '';
    const published = JSON.parse(keys.published());
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(published), {
      issuer: ISSUER,
      audience: 'orders-read',
      typ: 'countersign-assertion+jwt',
      algorithms: [algorithm],
      currentDate: new Date(NOW_MS),
    });
    expect(protectedHeader).toEqual({
      typ: 'countersign-assertion+jwt',
      alg: algorithm,
      kid: await calculateJwkThumbprint(published.keys[0]),
    });
    expect(payload).toEqual({
      iss: ISSUER,
      aud: 'orders-read',
      policy: 'default',
      jti: SMOKE_FACTS.request.id,
      sub: 'agent-a',
      client_id: 'c1',
      assurance: 0,
      risk: 0,
      pep: 'smoke',
      iat: 1_790_000_000,
      exp: 1_790_000_060,
    });
    expect(published.keys.map((key: object) => Object.keys(key).includes('d'))).toEqual([false, false]);
  });

  it('is set, and so no longer removed; everything else of the decision stays', async () => {
    const decision = allow();
    const { made } = await attached('EdDSA', { decision });
    expect(decision.upstream.headersToRemove).toContain(ASSERTION_HEADER);
    expect(made.upstream.headersToRemove).toEqual(decision.upstream.headersToRemove.filter((name) => name !== ASSERTION_HEADER));
    const { [ASSERTION_HEADER]: _assertion, ...others } = made.upstream.headersToSet;
    expect({ ...made, upstream: null, others }).toEqual({ ...decision, upstream: null, others: decision.upstream.headersToSet });
  });

  it('says where a subject is only said by the gateway, and leaves out what no header can hold', async () => {
    const claims = async (subject: object) =>
      JSON.parse(
        Buffer.from(
          (await attached('EdDSA', { subject })).made.upstream.headersToSet[ASSERTION_HEADER]?.split('.')[1] ?? '',
          'base64url',
        ).toString(),
      );
    expect(await claims({ asserted: true })).toMatchObject({ sub: 'agent-a', sub_asserted: true });
    expect(await claims({ id: null, client: null })).not.toHaveProperty('sub');
    expect(await claims({ id: 'é'.repeat(600), client: 'x'.repeat(1024) })).toMatchObject({ client_id: 'x'.repeat(1024) });
    expect(await claims({ id: 'é'.repeat(600) })).not.toHaveProperty('sub');
  });

  it('is for nobody on the wire of AuthZEN, which has no headers', async () => {
    const decision = allow();
    expect((await attached('EdDSA', { decision, request: { ...SMOKE_FACTS.request, endpoint: 'authzen' } })).made).toBe(decision);
  });
});

describe('the path', () => {
  const path = async (decision: Decision, monitored: boolean) => {
    const keys = await keysOf(newKey('EdDSA').pem);
    keys.stop();
    const records: Decision[] = [];
    const { identity, enrichment } = SMOKE_FACTS;
    const policy = {
      name: 'default',
      revision: 'r',
      routeOf: () => route,
      decide: () => ({ decision, input: () => null, evaluationMs: 0, slow: false, cause: null }),
    };
    const pdp = createPdp({
      policies: { select: () => policy, failed: () => answer([['a.shown', 'deny']]) },
      identifier: { identify: () => identity },
      enricher: { enrich: () => enrichment, enrichFurther: (_request, _identity, _route, before) => before },
      sources: { introspection: (_request, facts) => facts, attributes: null },
      recorder: { record: (record) => void records.push(record.decision) },
      ...(monitored
        ? {
            monitor: {
              answer: () => ({ by: 'pep' as const, decision: { ...decision, effect: 'allow' as const, would: 'deny' as const } }),
            },
          }
        : {}),
      proof: createAssertion({ issuer: ISSUER, lifetimeSeconds: 60 }, keys, clock),
      clock,
    });
    return { answered: await pdp.decide(SMOKE_FACTS.request), records };
  };

  it('proves an allow to the upstream, and records it without the proof', async () => {
    const decision = allow();
    const { answered, records } = await path(decision, false);
    expect(decodeProtectedHeader(answered.upstream.headersToSet[ASSERTION_HEADER] ?? '')).toMatchObject({ alg: 'EdDSA' });
    expect(records).toEqual([decision]);
  });

  it.each([
    ['a deny', 'deny'],
    ['a step_up', { verdict: 'step_up', grants: true, kind: 'scope', methods: ['token'] }],
  ])('proves nothing of %s, also where monitor mode lets it pass', async (_what, verdict) => {
    const decision = answer([['a.shown', verdict]]);
    expect(decision.effect).not.toBe('allow');
    for (const monitored of [false, true]) {
      const { answered } = await path(decision, monitored);
      expect(answered.effect === 'allow').toBe(monitored);
      expect(answered.upstream.headersToSet).not.toHaveProperty(ASSERTION_HEADER);
    }
  });

  it('denies what cannot be proven', async () => {
    const { identity, enrichment } = SMOKE_FACTS;
    const decision = allow();
    const effects: string[] = [];
    const pdp = createPdp({
      policies: {
        select: () => ({
          name: 'default',
          revision: 'r',
          routeOf: () => route,
          decide: () => ({ decision, input: () => null, evaluationMs: 0, slow: false, cause: null }),
        }),
        failed: (_request, code) => ({ ...answer([['a.shown', 'deny']]), error: { code } }),
      },
      identifier: { identify: () => identity },
      enricher: { enrich: () => enrichment, enrichFurther: (_request, _identity, _route, before) => before },
      sources: { introspection: (_request, facts) => facts, attributes: null },
      recorder: { record: (record) => void effects.push(record.decision.effect) },
      proof: {
        attach() {
          throw new Error('no key');
        },
      },
      clock,
    });
    expect(await pdp.decide(SMOKE_FACTS.request)).toMatchObject({ effect: 'deny', error: { code: 'internal_error' } });
    expect(effects).toEqual(['deny']);
  });
});

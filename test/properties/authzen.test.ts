import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CODES } from '../../src/contract/codes.ts';
import { isJsonObject } from '../../src/contract/json.ts';
import { type Pep, TRUSTS } from '../../src/contract/pep.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import { type Call, receiveEvaluation, receiveEvaluations } from '../../src/endpoints/authzen/receive.ts';
import { receiveDecide } from '../../src/endpoints/decide/receive.ts';

/* AuthZEN's parser takes any bytes, and makes the same question of the same facts as that of /decide. */

const EVALUATIONS_MAX = 5;
const pep = fc.subarray([...TRUSTS]).map(
  (trusts): Pep => ({
    name: 'edge',
    trusts: new Set(trusts),
    policies: ['default'],
    forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
    certificateHeader: { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null },
  }),
);
const callOf = (of: Pep): Call => ({ pep: of, newId: () => 'id', requestId: null, receivedAtMs: 5, deadlineAtMs: 155 });
const bytesOf = (body: unknown): Buffer => Buffer.from(JSON.stringify(body));

const anyName = fc.constantFrom('a', 'request', 'source', 'token', 'certificate', 'tls', 'rate', 'constructor', '__proto__');
const properties = fc.dictionary(anyName, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
const optional = { requiredKeys: [] };
const entity = fc.record({ type: fc.string(), id: fc.string(), properties }, { requiredKeys: ['type', 'id'] });
const about = { subject: entity, action: fc.record({ name: fc.string(), properties }, { requiredKeys: ['name'] }), resource: entity };
const headerValue = fc.constantFrom('Bearer a.b.c', '192.0.2.1', 'x');
const headers = fc.dictionary(
  fc.constantFrom('authorization', 'x-api-key', 'dpop', 'txn-token', 'user-agent', 'x-forwarded-for', 'x-forwarded-client-cert', 'host'),
  fc.oneof(headerValue, fc.array(headerValue)),
);
const evidence = fc.record(
  {
    request: fc.record(
      {
        method: fc.constantFrom('GET', 'x y'),
        path: fc.constantFrom('/', '/a/../b?c=d', '//'),
        host: fc.constantFrom('a', '?'),
        id: fc.string(),
        headers,
      },
      { requiredKeys: ['method', 'path'] },
    ),
    source: fc.record({ ip: fc.constantFrom('192.0.2.1', 'x'), forwarded_for: fc.array(fc.string()) }, optional),
    token: fc.record({ claims: properties }),
    certificate: fc.record({ pem: fc.string(), serial: fc.string() }),
    tls: fc.record({ sni: fc.string(), ja4: fc.string() }, optional),
    rate: fc.record({ count: fc.nat(), window_seconds: fc.integer({ min: 1, max: 60 }) }),
  },
  optional,
);
const context = fc.dictionary(fc.constantFrom('a', 'b', 'time', '__proto__'), fc.jsonValue({ maxDepth: 2 }));
/** Now and then anything else. */
const mostly = <T>(good: fc.Arbitrary<T>) => fc.oneof({ weight: 10, arbitrary: good }, fc.jsonValue());

/** All of a question but how it came. */
function factsOf({ endpoint: _endpoint, original, ...facts }: DecisionRequest): unknown {
  return { ...facts, flags: [...facts.flags].sort(), original: original?.() };
}

describe('one evaluation', () => {
  test('is the question that /decide makes of the same facts', () => {
    let questions = 0;
    fc.assert(
      fc.property(fc.record(about), context, evidence, pep, (what, rest, offered, of) => {
        const call = callOf(of);
        const withContext = { ...Object.fromEntries(Object.entries(rest)), ...offered };
        const one = receiveEvaluation(bytesOf({ ...what, context: withContext }), call);
        const asked = { id: 'id', pep: of, receivedAtMs: 5, deadlineAtMs: 155, explain: false };
        const other = receiveDecide(bytesOf({ ...what, context: rest, ...offered }), asked);
        if ('refused' in one || 'refused' in other) {
          expect('refused' in one && 'refused' in other && one.refused === other.refused).toBe(true);
          return;
        }
        questions++;
        expect(one.endpoint).toBe('authzen');
        expect(factsOf(one)).toEqual(factsOf(other));
      }),
      { numRuns: 1000 },
    );
    expect(questions).toBeGreaterThan(300);
  });
});

describe('of any values', () => {
  const body = fc.record(
    {
      subject: mostly(about.subject),
      action: mostly(about.action),
      resource: mostly(about.resource),
      context: mostly(fc.dictionary(anyName, mostly(fc.oneof(fc.string(), evidence)))),
      options: mostly(fc.record({ evaluations_semantic: fc.constantFrom('execute_all', 'deny_on_first_deny', 'x') })),
      evaluations: mostly(
        fc.array(mostly(fc.record({ ...about, context: mostly(evidence) }, optional)), { maxLength: EVALUATIONS_MAX + 1 }),
      ),
    },
    { requiredKeys: ['subject', 'action', 'resource'] },
  );
  const check = (received: DecisionRequest | { readonly refused: string }): boolean => {
    if ('refused' in received) {
      expect(Object.hasOwn(CODES, received.refused)).toBe(true);
      return false;
    }
    const { authorization } = received.credentials;
    for (const one of authorization) expect(typeof one).toBe('string');
    // what is evidence is never context: a policy, and the log, would see credentials
    for (const name of ['request', 'token'])
      expect(isJsonObject(received.context[name]) && Object.hasOwn(received.context, name)).toBe(false);
    return true;
  };

  test('a question or a code, of one and of many', () => {
    let items = 0;
    fc.assert(
      fc.property(body, pep, (any, of) => {
        const bytes = bytesOf(any);
        check(receiveEvaluation(bytes, callOf(of)));
        const received = receiveEvaluations(bytes, callOf(of), EVALUATIONS_MAX);
        if (!('items' in received)) return void check(received);
        expect(received.items.length).toBeLessThanOrEqual(EVALUATIONS_MAX);
        const good = received.items.flatMap((item) => ('refused' in item ? [] : [item]));
        for (const item of received.items) items += Number(check(item));
        // one caller, judged once: all have the very same evidence
        for (const item of good)
          expect([item.credentials, item.http, item.source]).toEqual([good[0]?.credentials, good[0]?.http, good[0]?.source]);
      }),
      { numRuns: 2000 },
    );
    expect(items).toBeGreaterThan(100);
  });

  test('any bytes, and good ones that are cut or changed', () => {
    const good = bytesOf({
      subject: { type: 'user', id: 'a' },
      action: { name: 'b' },
      resource: { type: 'c', id: 'd' },
      evaluations: [{}, { context: { token: 'e' } }],
    });
    const damaged = fc
      .tuple(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(good.length))
      .map(([changes, length]) => {
        const copy = Buffer.from(good);
        for (const [at, byte] of changes) copy[at] = byte;
        return copy.subarray(0, length);
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array()), pep, (bytes, of) => {
        check(receiveEvaluation(bytes, callOf(of)));
        const received = receiveEvaluations(bytes, callOf(of), EVALUATIONS_MAX);
        if ('items' in received) received.items.forEach(check);
        else check(received);
      }),
      { numRuns: 2000 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RequestSource } from '../../src/contract/rate-plan.ts';
import { findClientAddress } from '../../src/enrich/client-address.ts';
import { AMOUNT_MAX, counterKey, planHits, toThousandths } from '../../src/enrich/counters.ts';
import { windowKeys } from '../../src/enrich/rate.ts';
import { readSource } from '../../src/enrich/request-source.ts';
import { http, token } from '../record/records.ts';
import { identityOf, requestOf, routeOf, sourceOf, TRUSTED_WALK } from './requests.ts';

const facts = { request: { ...requestOf(), http }, identity: identityOf(), route: routeOf(), address: '203.0.113.7/32' };
const read = (source: RequestSource, changes: Partial<typeof facts> = {}) => readSource(source, { ...facts, ...changes });
const withClaims = (verifiedBy: 'countersign' | 'introspection' | 'pep') => {
  const identity = identityOf();
  const value = { ...token, claims: { tenant: 'acme' }, verifiedBy };
  return { identity: { ...identity, signals: { ...identity.signals, token: { status: 'present' as const, value } } } };
};

describe('parts of a request', () => {
  test('what is verified, and never what is only asserted', () => {
    expect(read({ from: 'client' })).toBe('agent-1');
    expect(read({ from: 'client' }, { identity: identityOf({ asserted: true }) })).toBeUndefined();
    expect(read({ from: 'subject' }, { identity: identityOf({ asserted: true }) })).toBeUndefined();
    expect(read({ from: 'token' }, { identity: identityOf({ tokenKey: null }) })).toBeUndefined();
    expect(read({ from: 'claim', name: 'tenant' }, withClaims('countersign'))).toBe('acme');
    expect(read({ from: 'claim', name: 'tenant' }, withClaims('introspection'))).toBe('acme');
    expect(read({ from: 'claim', name: 'tenant' }, withClaims('pep'))).toBeUndefined();
    expect(read({ from: 'claim', name: 'constructor' }, withClaims('countersign'))).toBeUndefined();
    expect(read({ from: 'api_key' })).toBeUndefined();
    const apiKey = { status: 'present', value: { id: 'key-1', clientId: 'agent-1', scopes: [], expiresAt: null } } as const;
    const holder = { ...identityOf(), signals: { ...identityOf().signals, apiKey } };
    expect(read({ from: 'api_key' }, { identity: holder })).toBe('key-1');
    expect(windowKeys(holder, facts.route, findClientAddress(sourceOf(null), TRUSTED_WALK, [])).api_key).toBe('key-1');
  });

  test('headers and query parameters that are there once', () => {
    const request = {
      ...facts.request,
      http: { ...http, headers: new Map([['a', ['1', '2']]]), query: new Map([['q', ['x']]]), body: { ...http.body, json: { a: 1 } } },
    };
    expect(read({ from: 'header', name: 'a' }, { request })).toBeUndefined();
    expect(read({ from: 'query', name: 'q' }, { request })).toBe('x');
    // a body that was not parsed is not looked into
    expect(read({ from: 'json', path: ['a'] }, { request })).toBeUndefined();
  });

  test('pointers never leave the document', () => {
    const context = { a: [{ b: 'x' }], '': { '': 'empty' } };
    const at = (...path: string[]) => read({ from: 'context', path }, { request: { ...facts.request, context } });
    expect(at('a', '0', 'b')).toBe('x');
    expect(at('', '')).toBe('empty');
    for (const path of [['a', '00', 'b'], ['a', 'length'], ['a', '-1'], ['__proto__'], ['a', '0', 'b', '0'], ['a', '1', 'b']]) {
      expect(at(...path)).toBeUndefined();
    }
  });
});

describe('amounts', () => {
  test.each([
    [0, 0],
    [1, 1000],
    ['0.07', 70],
    [0.07, 70],
    [0.1 + 0.2, 300],
    [0.0001, 1],
    ['12.3456', 12_346],
    [AMOUNT_MAX, AMOUNT_MAX * 1000],
    [AMOUNT_MAX + 1, null],
    [-0.001, null],
    ['-1', null],
    ['.5', null],
    ['1.', null],
    ['1e3', null],
    [true, null],
    [null, null],
    [undefined, null],
  ])('%s is %s thousandths', (value, expected) => expect(toThousandths(value)).toBe(expected));

  test('whatever is there: null, or whole, in its bounds and never less than it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.string(), fc.integer().map(String), fc.jsonValue()), (value) => {
        const amount = toThousandths(JSON.parse(JSON.stringify(value) ?? 'null'));
        if (amount === null) return;
        expect(Number.isSafeInteger(amount) && amount >= 0 && amount <= AMOUNT_MAX * 1000).toBe(true);
        expect(amount / 1000).toBeGreaterThanOrEqual(Number(value) - 1e-6);
      }),
      { numRuns: 500 },
    );
  });
});

test('keys are bounded, and different lists of parts have different ones', () => {
  const parts = fc.array(fc.string({ maxLength: 5, unit: fc.constantFrom('a', '"', ',', '\\', '[', ']') }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      expect(counterKey(one)).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(counterKey(one) === counterKey(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
  );
});

test('a hit an answerable key, in the order of the plan', () => {
  const amount = { from: null, otherwise: 1000, reported: null };
  const planned = planHits(
    [
      { name: 'a', pool: 'p/a', key: [{ from: 'client' }], amount, thresholds: [] },
      { name: 'b', pool: 'p/b', key: [{ from: 'parameter', name: 'x' }], amount, thresholds: [] },
    ],
    facts,
  );
  expect(planned).toEqual({
    hits: [{ counter: 'p/a', key: counterKey(['agent-1']), amount: 1000, thresholds: [] }],
    names: ['a'],
    missing: ['b'],
    flags: ['b.key_missing'],
  });
});

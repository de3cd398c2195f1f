import { describe, expect, test } from 'vitest';
import type { PolicyException } from '../../src/contract/exceptions.ts';
import { combine } from '../../src/decide/combine.ts';
import { checkExceptions, createExceptionTable, parseExceptions } from '../../src/decide/pushed/exceptions.ts';
import type { RuleFacts } from '../../src/decide/verdict.ts';

const RULES = new Map<string, RuleFacts>([
  ['a.closed', { title: 'Closed', public: false, status: null, exceptions: false }],
  ['a.away', { title: 'Away', public: false, status: 503 }],
]);
const exception = (more: Partial<PolicyException> = {}): PolicyException => ({
  id: 'inc-7',
  owner: 'ann',
  reason: 'outage',
  client: 'agent',
  address: null,
  rules: ['a.deny', 'a.closed', 'a.away', 'a.step', 'a.odd'],
  endsAt: 100,
  ...more,
});

const outcome = (...verdicts: [string, unknown][]) =>
  combine({ verdicts: verdicts.map(([code, verdict]) => [...code.split('.'), verdict]) }, RULES, [exception()]);
const GRANT: [string, unknown] = ['b.grant', 'allow'];

describe('an exception of the caller', () => {
  test('takes back the deny of a rule that it names, and says so', () => {
    const { effect, reasons, exceptions, verdicts } = outcome(GRANT, ['a.deny', { effect: 'deny', status: 429 }]);
    expect(effect).toBe('allow');
    expect(reasons.map(({ code }) => code)).toEqual(['b.grant', 'exception']);
    expect(reasons[1]?.details).toEqual({ exceptions: [{ id: 'inc-7', owner: 'ann', rules: ['a.deny'] }] });
    expect(exceptions).toEqual([{ id: 'inc-7', owner: 'ann', reason: 'outage', endsAt: 100, rules: ['a.deny'] }]);
    expect(verdicts[1]).toMatchObject({ code: 'a.deny', effect: 'clear', said: { exempted_from: 'deny', exempted_by: 'inc-7' } });
  });

  test('takes back a step_up; where that would have granted, it grants', () => {
    expect(outcome(GRANT, ['a.step', { effect: 'step_up', kind: 'binding', methods: ['dpop'] }]).effect).toBe('allow');
    expect(outcome(['a.step', { effect: 'step_up', kind: 'scope', scopes: ['x'], grants: true }]).effect).toBe('allow');
    expect(outcome(['a.step', { effect: 'step_up', kind: 'scope', scopes: ['x'] }])).toMatchObject({ effect: 'deny', status: 403 });
  });

  test.each<[string, [string, unknown], number]>([
    ['another rule', ['b.deny', 'deny'], 403],
    ['a rule that allows none', ['a.closed', 'deny'], 403],
    ['what could not be decided', ['a.odd', null], 503],
    ['a wrong word', ['a.odd', 'denied'], 503],
    ['a status of 5xx that the rule says', ['a.deny', { effect: 'deny', status: 503 }], 503],
    ['a status of 5xx by METADATA', ['a.away', 'deny'], 503],
  ])('leaves %s as it is', (_name, verdict, status) => {
    const combined = outcome(GRANT, verdict);
    expect(combined).toMatchObject({ effect: 'deny', status });
    expect(combined).not.toHaveProperty('exceptions');
  });

  test('of another deny is told all the same', () => {
    const { effect, reasons, exceptions } = outcome(GRANT, ['a.deny', 'deny'], ['b.deny', 'deny']);
    expect([effect, reasons.map(({ code }) => code), exceptions?.length]).toEqual(['deny', ['b.deny'], 1]);
  });

  test('grants nothing by itself', () => {
    expect(outcome(['a.deny', 'deny'])).toMatchObject({ effect: 'deny', reasons: [{ code: 'not_applicable' }] });
  });
});

describe('whose it is', () => {
  const table = createExceptionTable([
    exception(),
    exception({ id: 'block', client: null, address: '192.0.2.0/24' }),
    exception({ id: 'six', client: null, address: '2001:db8::/32' }),
  ]);
  const idsOf = (client: string | null, address: string | null, now: number) => table?.of(client, address, now).map(({ id }) => id);

  test.each<[string | null, string | null, number, string[]]>([
    ['agent', null, 99, ['inc-7']],
    ['agent', '192.0.2.9', 99, ['inc-7', 'block']],
    [null, '2001:db8::1', 0, ['six']],
    ['agent', '192.0.2.9', 100, []],
    ['other', '192.0.3.1', 99, []],
    [null, null, 99, []],
  ])('client %j at %j, time %d: %j', (client, address, now, ids) => expect(idsOf(client, address, now)).toEqual(ids));

  test('none costs nothing', () => expect(createExceptionTable([])).toBeNull());
});

const written = (more: Record<string, unknown> = {}) => ({
  owner: 'ann',
  reason: 'outage',
  client: 'agent',
  rules: ['a.deny'],
  ends_at: 100,
  ...more,
});
const code = (reads: () => unknown): unknown => {
  try {
    reads();
    return null;
  } catch (error) {
    return error instanceof Error && 'field' in error ? error.field : error;
  }
};

test.each<[string, unknown, string]>([
  ['no owner', { e: written({ owner: ' ' }) }, '/e/owner'],
  ['no reason', { e: written({ reason: undefined }) }, '/e/reason'],
  ['nobody', { e: written({ client: undefined }) }, '/e'],
  ['two', { e: written({ address: '192.0.2.1' }) }, '/e'],
  ['no address', { e: written({ client: undefined, address: '192.0.2.300' }) }, '/e/address'],
  ['no rule', { e: written({ rules: [] }) }, '/e/rules'],
  ['every rule', { e: written({ rules: ['*'] }) }, '/e/rules/0'],
  ['no end', { e: written({ ends_at: null }) }, '/e/ends_at'],
  ['more', { e: written({ more: 1 }) }, '/e'],
  ['an odd id', { 'E 1': written() }, '/E 1'],
  ['no object', [written()], ''],
])('not read: %s', (_name, document, field) => {
  expect(code(() => parseExceptions(JSON.parse(JSON.stringify(document))))).toBe(`countersign/limits/exceptions${field}`);
});

test.each<[string, Partial<PolicyException>, string]>([
  ['past', { endsAt: 10 }, '/inc-7/ends_at'],
  ['too far', { endsAt: 71 }, '/inc-7/ends_at'],
  ['an unknown rule', { endsAt: 50, rules: ['a.deny', 'a.none'] }, '/inc-7/rules/1'],
  ['a rule that allows none', { endsAt: 50, rules: ['a.closed'] }, '/inc-7/rules/0'],
])('not pushed: %s', (_name, more, field) => {
  const facts = { codes: new Set(['a.deny', 'a.closed']), rules: RULES, nowSeconds: 10 };
  const bounds = { exceptionsMax: 1, exceptionMaxSeconds: 60 };
  const one = exception({ rules: ['a.deny'], ...more });
  expect(code(() => checkExceptions([one], [], facts, bounds))).toBe(`countersign/limits/exceptions${field}`);
  // what was there before is not judged again, and is in nobody's way but of one more
  const two = { ...one, id: 'two' };
  expect(code(() => checkExceptions([one, two], [one, two], facts, bounds))).toBeNull();
  expect(code(() => checkExceptions([one, two], [one], facts, bounds))).toBe('countersign/limits/exceptions');
});

import { describe, expect, it } from 'vitest';
import { differencesOf } from '../../src/cases/differences.ts';
import { parseCases } from '../../src/cases/parse-cases.ts';
import { Case } from '../../src/cases/schema.ts';
import { answer } from '../decide/answer.ts';

const GOOD = '- name: a\n  ask: {}\n  want: { effect: deny, reasons: [a.b], record: { route: unknown } }\n';

describe('parseCases', () => {
  it('gives each case with its line', () => {
    const { cases, problems } = parseCases('a.yaml', `# cases\n${GOOD}${GOOD.replace('name: a', 'name: b')}`);
    expect(problems).toEqual([]);
    expect(cases.map(({ name, file, line, levels }) => [name, file, line, levels.length])).toEqual([
      ['a', 'a.yaml', 2, 3],
      ['b', 'a.yaml', 5, 3],
    ]);
  });

  it.each([
    ['a wrong word', GOOD.replace('deny', 'perhaps'), 3, 19, 'want.effect'],
    ['a field that is not there', GOOD.replace('ask: {}', 'asks: {}'), 1, 3, 'ask'],
    ['an unknown field below', GOOD.replace('route: unknown', 'rute: unknown'), 3, 49, 'want.record'],
    ['no list', 'name: a\n', 1, 1, 'file'],
    ['nothing', '', 1, 1, 'file'],
    ['what is no YAML', '- [a\n- b: }', 2, 1, ''],
  ])('points at %s', (_what, text, line, column, field) => {
    const { cases, problems } = parseCases('a.yaml', text);
    expect(cases).toEqual([]);
    expect(problems[0]).toMatchObject({ file: 'a.yaml', line, text: expect.stringContaining(field) });
    if (field !== '' && field !== 'ask') expect(problems[0]?.column).toBe(column);
  });

  it('refuses two cases of one name', () => {
    expect(parseCases('a.yaml', GOOD + GOOD).problems).toEqual([{ file: 'a.yaml', line: 4, column: 1, text: 'two cases are called "a"' }]);
  });
});

describe('differencesOf', () => {
  const decision = answer([['a.shown', 'deny']]);
  const record = { route: 'unknown', subject: null, client: null, binding: 'token_not_verified', error: null };
  const right = {
    effect: 'deny',
    reasons: ['a.shown'],
    status: 403,
    headers: { 'content-type': 'application/problem+json', 'retry-after': null },
    binding: 'token_not_verified',
    shown: ['a.shown'],
    assurance: { level: 0, required: 0 },
    risk: { score: 0, factors: [] },
    record: { route: 'unknown', subject: null, client: null, error: null },
  };
  const differ = (want: object) =>
    differencesOf(Case.parse({ name: 'a', ask: {}, want: { ...right, ...want } }), decision, record).map(({ what }) => what);

  it('is empty where everything is as wanted', () => expect(differ({})).toEqual([]));

  it.each([
    [{ effect: 'allow' }, 'effect'],
    [{ reasons: ['a.other'] }, 'reasons'],
    [{ status: 401 }, 'status'],
    [{ status: undefined }, 'status'],
    [{ headers: { 'retry-after': '5' } }, 'headers.retry-after'],
    [{ headers: { 'content-type': null } }, 'headers.content-type'],
    [{ binding: 'present' }, 'binding'],
    [{ shown: [] }, 'shown'],
    [{ step_up: { kind: 'scope' } }, 'step_up.kind'],
    [{ assurance: { level: 1, required: 0 } }, 'assurance'],
    [{ risk: { score: 1, factors: [] } }, 'risk'],
    [{ upstream: { 'x-countersign-subject': 'a' } }, 'upstream.x-countersign-subject'],
    [{ record: { route: 'other' } }, 'record.route'],
    [{ record: { route: 'unknown', subject: 'a' } }, 'record.subject'],
    [{ record: { route: 'unknown', client: 'a' } }, 'record.client'],
    [{ record: { route: 'unknown', error: 'internal_error' } }, 'record.error'],
  ])('%j differs', (want, what) => expect(differ(want)).toContain(what));
});

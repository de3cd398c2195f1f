import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combine } from '../../src/decide/combine.ts';
import type { RuleFacts } from '../../src/decide/verdict.ts';

const RULES = new Map<string, RuleFacts>([
  ['identity.token_invalid', { title: 'The token is not valid', public: true, status: 401 }],
  ['rate.exceeded', { title: 'Too many', public: true, status: 429 }],
]);

const say = (...verdicts: readonly [string, unknown][]) =>
  combine({ verdicts: verdicts.map(([code, verdict]) => [...code.split('.'), verdict]) }, RULES);
const codes = (combined: ReturnType<typeof combine>) => combined.reasons.map(({ code }) => code);

describe('the closed union', () => {
  it.each([
    ['null', null],
    ['a typo', 'dney'],
    ['another case', 'Allow'],
    ['a number', 1],
    ['a boolean', true],
    ['a list', ['allow']],
    ['an object without effect', { allow: true }],
    ['an object with another effect', { effect: 'permit' }],
    ['an effect of the prototype', { effect: 'constructor' }],
    ['a status that is text', { effect: 'clear', status: '403' }],
    ['a status that is no refusal', { effect: 'deny', status: 200 }],
    ['methods that are text', { effect: 'step_up', kind: 'binding', methods: 'mtls' }],
    ['a kind that is unknown', { effect: 'step_up', kind: 'captcha', methods: ['x'] }],
    ['grants that is text', { effect: 'step_up', kind: 'scope', scopes: ['a'], grants: 'true' }],
    ['an assurance above 4', { effect: 'clear', required: 5 }],
    ['factors without points', { effect: 'clear', factors: [{ code: 'x' }] }],
    ['negative points', { effect: 'clear', factors: [{ code: 'x', points: -50 }] }],
    ['limits without a window', { effect: 'deny', limits: [{ name: 'x', limit: 1 }] }],
    ['headers that are a list', { effect: 'allow', response_headers: ['x'] }],
    ['a header that is an object', { effect: 'allow', upstream_headers: { x: {} } }],
    ['a header name that is none', { effect: 'allow', upstream_headers: { 'x y': 'a' } }],
    ['obligations that are text', { effect: 'allow', obligations: ['x'] }],
    ['a time that is text', { effect: 'deny', retry_after_seconds: '5' }],
  ])('%s is undecided and denies beside an allow', (_name, verdict) => {
    const combined = say(['a.granted', 'allow'], ['b.broken', verdict]);
    expect(combined).toMatchObject({ effect: 'deny', status: 503, reasons: [{ code: 'b.broken', effect: 'undecided', public: false }] });
  });

  it('a deny denies, whatever else is said', () => {
    const combined = say(
      ['a.granted', 'allow'],
      ['b.no', 'deny'],
      ['c.more', { effect: 'step_up', kind: 'scope', scopes: ['x'], grants: true }],
    );
    expect(combined).toMatchObject({ effect: 'deny', status: 403, stepUp: null });
    expect(codes(combined)).toEqual(['b.no']);
  });

  it('a grant allows', () => {
    expect(say(['a.granted', 'allow'], ['b.fine', 'clear'])).toMatchObject({
      effect: 'allow',
      status: null,
      reasons: [{ code: 'a.granted' }],
    });
  });

  it('[asks 58] nothing said is a deny', () => {
    expect(say()).toMatchObject({ effect: 'deny', status: 403, reasons: [{ code: 'not_applicable', effect: 'deny', public: true }] });
    expect(say(['b.fine', { effect: 'clear', required: 2 }])).toMatchObject({ effect: 'deny', assuranceRequired: 2 });
  });

  it('a step_up alone is no grant', () => {
    expect(codes(say(['b.more', { effect: 'step_up', kind: 'binding', methods: ['mtls'] }]))).toEqual(['not_applicable']);
  });

  it('a step_up that grants is one', () => {
    const combined = say(['b.more', { effect: 'step_up', kind: 'scope', scopes: ['x'], grants: true }]);
    expect(combined).toMatchObject({ effect: 'step_up', stepUp: { kind: 'scope', scopes: ['x'] } });
  });

  it('a clear object gives its details and no reason', () => {
    const combined = say(['a.granted', 'allow'], ['b.fine', { effect: 'clear', required: 3, factors: [{ code: 'x', points: 7 }] }]);
    expect(combined).toMatchObject({ effect: 'allow', assuranceRequired: 3, risk: { score: 7, factors: [{ code: 'x', points: 7 }] } });
    expect(codes(combined)).toEqual(['a.granted']);
  });

  it('names of Object.prototype are details like others', () => {
    expect(say(['a.granted', JSON.parse('{"effect": "allow", "constructor": 1, "__proto__": 2}')])).toMatchObject({ effect: 'allow' });
  });

  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['no verdicts', {}],
    ['verdicts that are an object', { verdicts: {} }],
    ['a pair', { verdicts: [['a', 'b']] }],
    ['a number for a name', { verdicts: [['a', 1, 'allow']] }],
    ['one more member', { verdicts: [['a', 'b', 'allow', 'allow']] }],
  ])('a result of another form is no decision: %s', (_name, result) => {
    expect(() => combine(result, RULES)).toThrow(expect.objectContaining({ code: 'policy_result_invalid' }));
  });
});

describe('status and order', () => {
  const all: [string, unknown][] = [
    ['z.forbidden', 'deny'],
    ['identity.token_invalid', 'deny'],
    ['rate.exceeded', 'deny'],
    ['network.country_blocked', 'deny'],
    ['signals.required', { effect: 'deny', status: 503, retry_after_seconds: 5 }],
    ['a.broken', null],
  ];

  it('503 before 403 of network, 429, 401, then 403', () => {
    expect(codes(say(...all))).toEqual([
      'a.broken',
      'signals.required',
      'network.country_blocked',
      'rate.exceeded',
      'identity.token_invalid',
      'z.forbidden',
    ]);
  });

  it.each([
    [6, 503],
    [5, 503],
    [4, 403],
    [3, 429],
    [2, 401],
    [1, 403],
  ])('of the first %i of them the first gives the status %i', (count, status) => {
    expect(say(...all.slice(0, count)).status).toBe(status);
  });

  it('the verdict says more than METADATA', () => {
    expect(say(['rate.exceeded', { effect: 'deny', status: 403 }]).status).toBe(403);
  });

  it('the time to retry is that of the rule which gave the status', () => {
    const combined = say(
      ['rate.exceeded', { effect: 'deny', retry_after_seconds: 30 }],
      ['signals.required', { effect: 'deny', status: 503 }],
    );
    expect(combined).toMatchObject({ status: 503, retryAfterSeconds: null });
  });

  it('the order in which rules are said does not matter', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: 1 }), (some) => {
        const sorted = say(...all.filter((one) => some.includes(one)));
        expect(say(...some)).toMatchObject({ reasons: sorted.reasons, status: sorted.status });
      }),
    );
  });
});

describe('step_up', () => {
  const granted: [string, unknown] = ['a.granted', 'allow'];

  it.each([
    ['without a kind', { effect: 'step_up' }],
    ['a word alone', 'step_up'],
    ['binding without methods', { effect: 'step_up', kind: 'binding', methods: [] }],
    ['approval without methods', { effect: 'step_up', kind: 'approval' }],
    ['scope without scopes', { effect: 'step_up', kind: 'scope', methods: ['x'] }],
    ['authentication without anything', { effect: 'step_up', kind: 'authentication' }],
  ])('%s is impossible', (_name, verdict) => {
    expect(say(granted, ['b.more', verdict])).toMatchObject({
      effect: 'deny',
      status: 403,
      reasons: [{ code: 'step_up_impossible', effect: 'deny' }],
    });
  });

  it.each([
    [{ effect: 'step_up', kind: 'authentication', acr_values: ['gold'] }],
    [{ effect: 'step_up', kind: 'authentication', max_age_seconds: 0 }],
    [{ effect: 'step_up', kind: 'authentication', methods: ['token'] }],
    [{ effect: 'step_up', kind: 'approval', methods: ['owner'] }],
  ])('%j is possible', (verdict) => {
    expect(say(granted, ['b.more', verdict]).effect).toBe('step_up');
  });

  it('one that is impossible makes all of them so', () => {
    const combined = say(
      granted,
      ['b.more', { effect: 'step_up', kind: 'scope', scopes: ['x'] }],
      ['c.more', { effect: 'step_up', kind: 'binding', methods: [] }],
    );
    expect(codes(combined)).toEqual(['step_up_impossible']);
  });

  it('evidence comes before scope; rules of one kind are joined', () => {
    const combined = say(
      granted,
      ['b.scope', { effect: 'step_up', kind: 'scope', scopes: ['x'] }],
      ['c.binding', { effect: 'step_up', kind: 'binding', methods: ['mtls', 'dpop'] }],
      ['d.binding', { effect: 'step_up', kind: 'binding', methods: ['mtls'] }],
    );
    expect(codes(combined)).toEqual(['c.binding', 'd.binding', 'b.scope']);
    expect(combined.stepUp).toEqual({ kind: 'binding', methods: ['mtls', 'dpop'], acrValues: [], maxAgeSeconds: null, scopes: [] });
  });

  it('the shortest age counts', () => {
    const age = (seconds: number) => ({ effect: 'step_up', kind: 'authentication', max_age_seconds: seconds });
    expect(say(granted, ['b.x', age(300)], ['c.x', age(60)]).stepUp?.maxAgeSeconds).toBe(60);
  });
});

describe('sums', () => {
  it('the score is capped', () => {
    const factors = [{ code: 'x', points: 70 }];
    expect(say(['a.granted', { effect: 'allow', factors }], ['b.x', { effect: 'clear', factors }]).risk).toMatchObject({
      score: 100,
      factors: [{}, {}],
    });
  });

  it('[asks 5] header values become text, null leaves them out', () => {
    const combined = say(['a.granted', { effect: 'allow', upstream_headers: { 'X-A': true, 'x-b': 7, 'x-c': null, 'x-d': 'text' } }]);
    expect(combined.upstreamHeaders).toEqual({ 'x-a': 'true', 'x-b': '7', 'x-d': 'text' });
  });
});

describe('properties', () => {
  const verdict = fc.oneof(
    fc.constantFrom('allow', 'deny', 'step_up', 'clear', 'dney', null, 1, true),
    fc.record(
      {
        effect: fc.constantFrom('allow', 'deny', 'step_up', 'clear', 'x'),
        grants: fc.boolean(),
        kind: fc.constantFrom('scope', 'binding'),
        scopes: fc.constant(['a']),
        methods: fc.constantFrom([], ['mtls']),
      },
      { requiredKeys: ['effect'] },
    ),
    fc.jsonValue(),
  );
  const named = fc.tuple(fc.stringMatching(/^[a-z]{1,4}\.[a-z]{1,4}$/), verdict);

  it('never allows beside anything that is not allow, clear or a plain step_up; always says why', () => {
    fc.assert(
      fc.property(fc.array(named, { maxLength: 8 }), (verdicts) => {
        const combined = say(...verdicts);
        expect(combined.reasons.length).toBeGreaterThan(0);
        if (combined.effect !== 'allow') return;
        const effects = combined.verdicts.map(({ effect }) => effect);
        expect(effects).toContain('allow');
        expect(effects.every((effect) => effect === 'allow' || effect === 'clear')).toBe(true);
      }),
    );
  });

  it('one more deny or broken verdict never turns a refusal into an allow', () => {
    fc.assert(
      fc.property(fc.array(named, { maxLength: 6 }), fc.constantFrom('deny', null, 'dney', {}), (verdicts, more) => {
        expect(say(...verdicts, ['z.z', more]).effect).toBe('deny');
      }),
    );
  });
});

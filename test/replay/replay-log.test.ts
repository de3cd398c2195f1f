import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedDecision, RecordedPolicy, Redecided } from '../../src/decide/recorded/recorded-decision.ts';
import { parseLine } from '../../src/replay/parse-line.ts';
import { replayLogs } from '../../src/replay/replay-log.ts';
import { exceededBy, parseThreshold } from '../../src/replay/thresholds.ts';
import type { LogLine } from '../../src/stores/read-lines.ts';

const LINE = {
  kind: 'decision',
  time: '2026-01-31T12:00:00.123Z',
  decision_id: 'd1',
  pep: 'edge',
  policy: { name: 'default', revision: 'r1' },
  effect: 'allow',
  reasons: ['access.scope_granted'],
  status: null,
  subject: { type: 'client', id: 'a', client: 'a', asserted: false },
  input: {},
};

async function* linesOf(lines: readonly unknown[]): AsyncGenerator<LogLine> {
  for (const [index, line] of lines.entries()) {
    const bytes = Buffer.from(typeof line === 'string' ? line : JSON.stringify(line));
    yield { number: index + 1, bytes, problem: null };
  }
}

const DENY: Extract<Redecided, { decided: true }> = {
  decided: true,
  effect: 'deny',
  reasons: ['acme.no'],
  status: 403,
  enforced: true,
  notReevaluated: [],
};

function replay(lines: readonly unknown[], decide: (record: RecordedDecision) => Redecided, examplesMax = 2) {
  const policy: RecordedPolicy = { revision: 'r2', revisionIsHash: true, decide };
  return replayLogs([{ file: 'a.jsonl', lines: linesOf(lines) }], policy, { policyName: 'default', examplesMax });
}

describe('a replay', () => {
  it('groups what changes by outcome and client, with examples', async () => {
    const clients = ['a', 'b', 'b', null];
    const lines = clients.map((client, index) => ({ ...LINE, decision_id: `d${index}`, subject: { type: 'client', id: null, client } }));
    expect(await replay(lines, () => DENY)).toMatchObject({
      revision: 'r2',
      revisions: { r1: 4 },
      records: 4,
      replayed: 4,
      same: 0,
      changed: 4,
      newDenies: 4,
      reasonsAdded: { 'acme.no': 4 },
      reasonsRemoved: { 'access.scope_granted': 4 },
      changes: [
        {
          from: { effect: 'allow', reason: 'access.scope_granted', status: null },
          to: { effect: 'deny', reason: 'acme.no', status: 403 },
          records: 4,
          clientsTotal: 3,
          clients: [
            { client: 'b', records: 2 },
            { client: 'a', records: 1 },
            { client: null, records: 1 },
          ],
          examples: ['d0', 'd1'],
        },
      ],
    });
  });

  it.each([
    ['allow', 'step_up', 'newStepUps'],
    ['deny', 'step_up', 'newStepUps'],
    ['step_up', 'deny', 'newDenies'],
    ['deny', 'allow', 'newAllows'],
    ['deny', 'deny', 'otherReasons'],
  ] as const)('from %s to %s counts among %s', async (from, to, name) => {
    const counts = { newDenies: 0, newStepUps: 0, newAllows: 0, otherReasons: 0, [name]: 1 };
    expect(await replay([{ ...LINE, effect: from }], () => ({ ...DENY, effect: to }))).toMatchObject({ changed: 1, ...counts });
  });

  // effect and whether it is enforced, before and now
  it.each([
    ['deny', false, 'deny', true, 'newDenies'],
    ['deny', true, 'deny', false, 'newAllows'],
    ['deny', false, 'step_up', true, 'newStepUps'],
    ['step_up', false, 'deny', true, 'newDenies'],
    ['step_up', true, 'deny', false, 'newAllows'],
    ['allow', true, 'deny', false, 'notEnforced'],
    ['deny', false, 'allow', true, 'notEnforced'],
    ['deny', false, 'step_up', false, 'notEnforced'],
    ['deny', false, 'deny', false, 'otherReasons'],
  ] as const)('%s, enforced %s, to %s, enforced %s: counts by what the client gets among %s', async (from, before, to, now, name) => {
    const counts = { newDenies: 0, newStepUps: 0, newAllows: 0, notEnforced: 0, otherReasons: 0, [name]: 1 };
    const line = { ...LINE, effect: from, ...(before ? {} : { enforced: false, monitored_by: 'route' }) };
    const { changes, ...report } = await replay([line], () => ({ ...DENY, effect: to, enforced: now }));
    expect(report).toMatchObject({ changed: 1, ...counts });
    expect([changes[0]?.from.enforced, changes[0]?.to.enforced]).toEqual([before ? undefined : false, now ? undefined : false]);
    const same = await replay([{ ...line, reasons: DENY.reasons, status: 403 }], () => ({ ...DENY, effect: from, enforced: before }));
    expect(same).toMatchObject({ changed: 0, same: 1 });
  });

  it.each([
    ['other codes', { reasons: ['acme.no', 'acme.more'] }],
    ['another order', { reasons: ['b', 'a'] }, ['a', 'b']],
    ['another status', { status: 401 }],
  ])('%s are a change too', async (_name, now, reasons = ['acme.no']) => {
    const line = { ...LINE, effect: 'deny', reasons, status: 403 };
    expect(await replay([line], () => ({ ...DENY, reasons, ...now }))).toMatchObject({ changed: 1, otherReasons: 1 });
    expect(await replay([line], () => ({ ...DENY, reasons }))).toMatchObject({ changed: 0, same: 1 });
  });

  it('counts what cannot be replayed by its path, and what was not re-evaluated', async () => {
    const outcomes: Redecided[] = [
      { decided: false, why: 'not_recorded', path: 'context' },
      { decided: false, why: 'not_recorded', path: 'context' },
      { decided: false, why: 'hidden', path: 'request.path' },
      { ...DENY, notReevaluated: ['routes'] },
    ];
    let at = 0;
    expect(await replay([LINE, LINE, LINE, LINE], () => outcomes[at++] ?? DENY)).toMatchObject({
      records: 4,
      replayed: 1,
      notReplayable: 3,
      gaps: [
        { why: 'not_recorded', path: 'context', records: 2, examples: ['d1', 'd1'] },
        { why: 'hidden', path: 'request.path', records: 1 },
      ],
      notReevaluated: { routes: 1 },
    });
  });

  it('counts damaged lines with their numbers, others, and those of other policies', async () => {
    const lines = [
      '{"kind":"dec',
      LINE,
      '',
      { kind: 'log' },
      { ...LINE, policy: { name: 'acme', revision: 'r' } },
      { ...LINE, reasons: [] },
    ];
    expect(await replay(lines, () => DENY)).toMatchObject({
      lines: 6,
      records: 1,
      damaged: 2,
      damagedLines: [
        { file: 'a.jsonl', line: 1, problem: 'not_json' },
        { file: 'a.jsonl', line: 6, problem: 'form' },
      ],
      otherLines: 2,
      otherPolicies: 1,
    });
  });

  it('keeps no more groups, clients and names than it may', async () => {
    const lines = Array.from({ length: 3000 }, (_, index) => ({
      ...LINE,
      decision_id: `d${index}`,
      policy: { name: 'default', revision: `r${index}` },
    }));
    const report = await replay(lines, ({ id }) => ({ ...DENY, reasons: [id] }));
    expect(report).toMatchObject({ changed: 3000, newDenies: 3000, changesUngrouped: 2000, reasonsAdded: { '(others)': 2000 } });
    expect(report.changes).toHaveLength(1000);
    expect(Object.keys(report.revisions)).toHaveLength(1001);
    const gaps = await replay(lines, ({ id }) => ({ decided: false, why: 'hidden', path: id }));
    expect([gaps.notReplayable, gaps.gaps.length]).toEqual([3000, 1000]);
  });
});

describe('a line', () => {
  it('whatever it is, never throws', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => parseLine(Buffer.from(bytes)).kind !== 'decision'));
    const member = fc.constantFrom(...Object.keys(LINE), 'request', 'route', 'signals', 'assurance', 'evidence', 'address', 'error');
    fc.assert(
      fc.property(member, fc.jsonValue(), (name, value) => {
        const { kind } = parseLine(Buffer.from(JSON.stringify({ ...LINE, [name]: value })));
        expect(['decision', 'damaged', 'other']).toContain(kind);
      }),
    );
  });

  it('of a later version has members that are not known', () => {
    expect(parseLine(Buffer.from(JSON.stringify({ ...LINE, later: 1 })))).toMatchObject({ kind: 'decision', record: { id: 'd1' } });
  });
});

describe('a threshold', () => {
  it.each(['0', '25', '0.1%', '100%', '0%'])('%s', (text) => {
    expect(parseThreshold(text)).toMatchObject({ text });
  });

  it.each(['', '-1', '0.5', '101%', '1 %', '%', 'all', '1e3'])('is not %j', (text) => {
    expect(parseThreshold(text)).toBeNull();
  });

  it('is what may still be', async () => {
    const lines = Array.from({ length: 1000 }, () => LINE);
    let left = 2;
    const report = await replay(lines, () => (left-- > 0 ? DENY : { ...DENY, effect: 'allow', reasons: LINE.reasons, status: null }));
    const over = (text: string) => exceededBy(report, { newDenies: parseThreshold(text) ?? expect.fail() });
    expect(over('0.2%')).toEqual([]);
    expect(over('0.1%')).toEqual([{ name: 'newDenies', limit: '0.1%', records: 2 }]);
    expect(over('2')).toEqual([]);
    expect(over('1')).toHaveLength(1);
    const halves = await replay(['{', LINE, LINE, '{'], () => DENY);
    expect(exceededBy(halves, { damaged: parseThreshold('49%') ?? expect.fail() })).toEqual([
      { name: 'damaged', limit: '49%', records: 2 },
    ]);
    expect(exceededBy(halves, { damaged: parseThreshold('50%') ?? expect.fail() })).toEqual([]);
    expect(exceededBy(report, { changed: { text: '0', records: 0 }, notReplayable: { text: '0', records: 0 } })).toEqual([
      { name: 'changed', limit: '0', records: 2 },
    ]);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ShadowDiff } from '../../src/contract/rollout.ts';
import { buildShadowLine, SHADOW_LINE } from '../../src/record/shadow-line.ts';
import { allowed as record } from './records.ts';

const diff: ShadowDiff = {
  record,
  candidate: {
    ...record.decision,
    effect: 'deny',
    reasons: [{ code: 'rate.burst', effect: 'deny', title: 'Too fast', public: true, details: {} }],
    response: { status: 429, headers: {}, body: {} },
    policy: { name: 'default', revision: 'c1' },
  },
  input: () => ({ request: { path: '/orders/42', query: { token: ['abc'] } } }),
  reason: 'rate.burst',
  cause: null,
};

describe('the line of a difference', () => {
  it.each(['none', 'referenced', 'full'] as const)('has its form, with both results: %s', (mode) => {
    const line = buildShadowLine(diff, mode);
    expect(SHADOW_LINE.parse(JSON.parse(JSON.stringify(line)))).toEqual(line);
    expect(line).toMatchObject({
      kind: 'shadow_diff',
      decision_id: record.decision.id,
      reason: 'rate.burst',
      active: { revision: record.decision.policy.revision, effect: record.decision.effect },
      candidate: { revision: 'c1', effect: 'deny', reason: 'rate.burst', status: 429 },
    });
  });

  it('is explained in docs/rollout.md, each member of it', () => {
    const doc = readFileSync(new URL('../../docs/rollout.md', import.meta.url), 'utf8');
    const table = doc.slice(doc.indexOf('| `kind` |'), doc.indexOf('\n\n', doc.indexOf('| `kind` |')));
    const cells = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) =>
      [...(cell ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(cells.toSorted()).toEqual(Object.keys(SHADOW_LINE.shape).toSorted());
  });

  it('hides what the line of a decision hides', () => {
    const text = JSON.stringify(buildShadowLine(diff, 'full'));
    expect(text).not.toContain('abc');
    expect(JSON.stringify(buildShadowLine(diff, 'none'))).not.toContain('/orders/42');
  });
});

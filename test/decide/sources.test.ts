import { describe, expect, it } from 'vitest';
import type { SourceSignals } from '../../src/contract/sources.ts';
import { compileInput } from '../../src/decide/input.ts';
import { EvaluationInput } from '../../src/decide/input-schema.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';

const build = compileInput({ headers: [], claims: 'all' }, null);
const second = Math.floor(SMOKE_FACTS.request.receivedAtMs / 1000);
const sources: SourceSignals = {
  risk: {
    status: 'present',
    value: { attributes: { tier: 'gold', score: 1.5, ok: true, tags: ['a'], none: null }, fetchedAt: second - 7 },
  },
  ahead: { status: 'present', value: { attributes: {}, fetchedAt: second + 1 } },
  hr: { status: 'absent', code: 'not_collected' },
  cmdb: { status: 'unavailable', code: 'timeout' },
  crm: { status: 'invalid', code: 'attribute_type' },
};
const inputOf = (known: SourceSignals) => build({ ...SMOKE_FACTS, enrichment: { ...SMOKE_FACTS.enrichment, sources: known } });

describe('input.sources', () => {
  it('is there without any', () => {
    expect(build(SMOKE_FACTS)).toMatchObject({ sources: {} });
  });

  it('has every source in one of four states, and says how old an answer is', () => {
    const input = inputOf(sources);
    expect(input['sources']).toEqual({
      risk: {
        status: 'present',
        value: { attributes: { tier: 'gold', score: 1.5, ok: true, tags: ['a'], none: null }, fetched_at: second - 7, age_seconds: 7 },
      },
      ahead: { status: 'present', value: { attributes: {}, fetched_at: second + 1, age_seconds: 0 } },
      hr: { status: 'absent', code: 'not_collected' },
      cmdb: { status: 'unavailable', code: 'timeout' },
      crm: { status: 'invalid', code: 'attribute_type' },
    });
    expect(EvaluationInput.safeParse(input).error?.issues ?? []).toEqual([]);
  });

  it('is made only for rules that read it', () => {
    const facts = { ...SMOKE_FACTS, enrichment: { ...SMOKE_FACTS.enrichment, sources } };
    const options = { headers: [], claims: 'all' } as const;
    expect(compileInput(options, [['version']])(facts)).toEqual({ version: 1 });
    expect(Object.keys(compileInput(options, [['sources', 'risk', 'value', 'attributes', 'tier']])(facts))).toEqual(['sources']);
  });
});

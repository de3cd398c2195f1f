import { afterEach, describe, expect, it, vi } from 'vitest';
import { NOTHING_COMPARED } from '../src/contract/agreement.ts';
import type { CollectAttributes, CollectName, CollectSource } from '../src/contract/collect.ts';
import type { Decision } from '../src/contract/decision.ts';
import { CountersignError } from '../src/contract/errors.ts';
import type { Identity } from '../src/contract/identity.ts';
import type { DecisionRecord } from '../src/contract/record.ts';
import type { DecisionRequest } from '../src/contract/request.ts';
import type { Route } from '../src/contract/route.ts';
import type { EnrichmentSignals } from '../src/contract/signals.ts';
import type { SourceSignals } from '../src/contract/sources.ts';
import type { ActivePolicy, Enricher, Evaluated, Identifier, Policies } from '../src/contract/stages.ts';
import { createPdp } from '../src/pdp.ts';

/** The seams of the path, in a form that lets a test break any one of them. */
type Seams = {
  select: Policies['select'];
  routeOf: ActivePolicy['routeOf'];
  identify: Identifier['identify'];
  enrich: Enricher['enrich'];
  decide: ActivePolicy['decide'];
  collect: CollectSource;
};

const request: DecisionRequest = {
  id: '01900000-0000-7000-8000-000000000000',
  requestId: null,
  endpoint: 'decide',
  receivedAtMs: 1_790_000_000_000,
  deadlineAtMs: 150,
  pep: {
    name: 'edge',
    trusts: new Set(),
    policies: ['default'],
    certificateHeader: { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null },
    forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
  },
  policyName: null,
  http: null,
  source: { ip: null, port: null, forwardedFor: [] },
  tls: { sni: null, version: null, ja3: null, ja4: null },
  credentials: { authorization: [], apiKeys: [], dpop: [], txnToken: [], claims: null, certificates: [], principal: null },
  subject: null,
  action: null,
  resource: null,
  context: {},
  pepRate: null,
  flags: [],
  explain: false,
};
const route: Route = {
  status: 'none',
  catalogue: 'default',
  id: 'unknown',
  tier: 'low',
  scopes: [],
  public: false,
  resourceMetadataUrl: null,
  parameters: {},
};
const identity: Identity = {
  signals: {
    token: { status: 'absent', code: 'token_missing' },
    certificate: { status: 'absent', code: 'certificate_missing' },
    binding: { status: 'absent', code: 'token_not_verified' },
    apiKey: { status: 'absent', code: 'api_key_missing' },
    txnToken: { status: 'absent', code: 'txn_token_missing' },
    signature: { status: 'absent', code: 'signature_unchecked' },
  },
  subject: { type: 'client', id: null, asserted: false, client: null, record: null, properties: {} },
  evidence: { methods: [], assurance: 0, binding: 'none', agreement: { client: 'none', ...NOTHING_COMPARED } },
  tokenKey: null,
  challenge: { scheme: 'Bearer', dpopNonce: null },
};
const enrichment: EnrichmentSignals = {
  network: { status: 'absent', code: 'address_missing' },
  rate: { status: 'unavailable', code: 'store_unavailable' },
  device: { status: 'absent', code: 'device_disabled' },
  behaviour: { status: 'absent', code: 'behaviour_disabled' },
};
const decision = (effect: Decision['effect'], error: Decision['error']): Decision => ({
  id: request.id,
  effect,
  reasons: [{ code: 'test.reason', effect, title: 'a test', public: false, details: {} }],
  assurance: { level: 0, required: 0 },
  risk: { score: 0, factors: [] },
  stepUp: null,
  obligations: [],
  upstream: { headersToSet: {}, headersToRemove: [] },
  response: null,
  policy: { name: 'default', revision: 'r1' },
  error,
  explanation: null,
});

function build(change: Partial<Seams> = {}, attributes?: CollectAttributes) {
  const calls: string[] = [];
  const records: DecisionRecord[] = [];
  const seams: Seams = {
    select: () => policy,
    routeOf: () => route,
    identify: () => identity,
    enrich: () => enrichment,
    collect: (_request, facts) => facts,
    decide: () => ({ decision: decision('allow', null), input: () => null, evaluationMs: 0, slow: false, cause: null }),
    ...change,
  };
  function seam<Name extends keyof Seams>(name: Name): Seams[Name] {
    return ((...given: unknown[]) => {
      calls.push(name);
      return Reflect.apply(seams[name], undefined, given);
    }) as Seams[Name];
  }
  const policy: ActivePolicy = { name: 'default', revision: 'r1', routeOf: seam('routeOf'), decide: seam('decide') };
  const pdp = createPdp({
    policies: { select: seam('select'), failed: (_request, code) => decision('deny', { code }) },
    identifier: { identify: seam('identify') },
    enricher: { enrich: seam('enrich'), enrichFurther: (_request, _identity, _route, before) => before },
    sources: { introspection: seam('collect'), ...(attributes === undefined ? {} : { attributes }) },
    recorder: { record: (record) => void records.push(record) },
    clock: { now: () => Date.now(), monotonic: () => performance.now() - startedAt },
  });
  const startedAt = performance.now();
  return { pdp, calls, records };
}

afterEach(() => vi.useRealTimers());

describe('the path', () => {
  it('goes select, route, identify, enrich, decide, and records once', () => {
    const { pdp, calls, records } = build();
    const decided = pdp.decide(request);
    expect(decided).not.toBeInstanceOf(Promise);
    expect(decided).toMatchObject({ effect: 'allow' });
    expect(calls).toEqual(['select', 'routeOf', 'identify', 'enrich', 'decide']);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ decision: { effect: 'allow' }, route, identity, enrichment });
  });

  it('waits for stages that wait', async () => {
    const { pdp, records } = build({ identify: async () => identity, enrich: async () => enrichment });
    expect(await pdp.decide(request)).toMatchObject({ effect: 'allow' });
    expect(records).toHaveLength(1);
  });

  it('denies with the code of why no policy is there', async () => {
    const { pdp, calls, records } = build({ select: () => ({ refused: 'policy_not_loaded' }) });
    expect(await pdp.decide(request)).toMatchObject({ effect: 'deny', error: { code: 'policy_not_loaded' } });
    expect(calls).toEqual(['select']);
    expect(records).toHaveLength(1);
  });

  it('does not evaluate a request whose deadline has passed', async () => {
    const { pdp, calls } = build();
    expect(await pdp.decide({ ...request, deadlineAtMs: -1 })).toMatchObject({ effect: 'deny', error: { code: 'deadline_exceeded' } });
    expect(calls).not.toContain('decide');
  });
});

describe('a policy that collects', () => {
  const verdict = (effect: Decision['effect'], more: Partial<Evaluated> = {}): Evaluated => ({
    decision: decision(effect, null),
    input: () => null,
    evaluationMs: 0,
    slow: false,
    cause: null,
    ...more,
  });
  const better: Identity = { ...identity, tokenKey: 'asked' };
  /** Collects until the identity is the better one. */
  const decide: ActivePolicy['decide'] = (_request, known) =>
    known.tokenKey === 'asked' ? verdict('allow') : verdict('deny', { collect: ['introspection'] });

  it('is evaluated once more with what the source says; the counters count once and one decision is recorded', () => {
    const { pdp, calls, records } = build({ decide, collect: (_request, facts) => ({ ...facts, identity: better }) });
    expect(pdp.decide(request)).toMatchObject({ effect: 'allow' });
    expect(calls).toEqual(['select', 'routeOf', 'identify', 'enrich', 'decide', 'collect', 'decide']);
    expect(records).toHaveLength(1);
    expect(records[0]?.identity).toBe(better);
  });

  it('waits for a source that waits', async () => {
    const { pdp } = build({ decide, collect: async (_request, facts) => ({ ...facts, identity: better }) });
    expect(await pdp.decide(request)).toMatchObject({ effect: 'allow' });
  });

  it('and still collects is not evaluated a third time', () => {
    const { pdp, calls } = build({ decide: () => verdict('deny', { collect: ['introspection'] }) });
    expect(pdp.decide(request)).toMatchObject({ effect: 'deny' });
    expect(calls.filter((name) => name === 'decide')).toHaveLength(2);
  });

  describe('from sources of attributes', () => {
    const sources: SourceSignals = { risk: { status: 'absent', code: 'not_found' } };
    const wanting = (...collect: CollectName[]): ActivePolicy['decide'] => {
      return (_request, _identity, known) => (known.sources === sources ? verdict('allow') : verdict('deny', { collect }));
    };
    const asked: unknown[] = [];
    const attributes: CollectAttributes = {
      knows: (name) => name !== 'nobody',
      collect(names, _request, facts, known) {
        asked.push([names, facts.identity.tokenKey, known]);
        return { ...facts, enrichment: { ...facts.enrichment, sources } };
      },
    };

    it('they are asked together, and after the token was asked about', () => {
      const collect: Seams['collect'] = (_request, facts) => ({ ...facts, identity: better });
      const { pdp, records } = build({ decide: wanting('introspection', 'sources.hr', 'sources.risk'), collect }, attributes);
      expect(pdp.decide(request)).toMatchObject({ effect: 'allow' });
      expect(asked.splice(0)).toEqual([[['hr', 'risk'], 'asked', route]]);
      expect(records.map(({ enrichment: known }) => known?.sources)).toEqual([sources]);
    });

    it.each([attributes, undefined])('one that is not configured is a deny, and nobody is asked', (known) => {
      const { pdp, calls } = build({ decide: wanting('introspection', 'sources.risk', 'sources.nobody') }, known);
      expect(pdp.decide(request)).toMatchObject({ effect: 'deny', error: { code: 'policy_collect_unknown' } });
      expect([asked, calls.includes('collect')]).toEqual([[], false]);
    });
  });

  it('whose source hangs is denied at the deadline', async () => {
    vi.useFakeTimers();
    const { pdp, records } = build({ decide, collect: () => new Promise(() => {}) });
    const decided = pdp.decide({ ...request, deadlineAtMs: 50 });
    await vi.advanceTimersByTimeAsync(60);
    expect(await decided).toMatchObject({ effect: 'deny', error: { code: 'deadline_exceeded' } });
    expect(records).toHaveLength(1);
  });

  it('whose source fails is denied', async () => {
    const thrown = build({
      decide,
      collect: () => {
        throw new Error('boom');
      },
    });
    expect(await thrown.pdp.decide(request)).toMatchObject({ effect: 'deny', error: { code: 'internal_error' } });
    const rejected = build({ decide, collect: () => Promise.reject(new Error('boom')) });
    expect(await rejected.pdp.decide(request)).toMatchObject({ effect: 'deny', error: { code: 'internal_error' } });
  });
});

describe('[asks 94] a dependency that fails never allows', () => {
  const failures: Record<string, () => never> = {
    'an Error': () => {
      throw new Error('boom');
    },
    'a string, as npm opa-wasm throws them': () => {
      throw 'boom';
    },
    'an error of ours': () => {
      throw new CountersignError('store_unavailable');
    },
  };
  for (const [kind, failure] of Object.entries(failures)) {
    for (const stage of ['select', 'routeOf', 'identify', 'enrich', 'decide'] as const) {
      it(`${stage} throws ${kind}`, async () => {
        const { pdp, records } = build({ [stage]: failure });
        const decided = await pdp.decide(request);
        expect(decided.effect).toBe('deny');
        expect(decided.error?.code).toBe(kind === 'an error of ours' ? 'store_unavailable' : 'internal_error');
        expect(records).toHaveLength(1);
        expect(records[0]?.cause).toBeDefined();
      });
    }
  }

  for (const stage of ['identify', 'enrich'] as const) {
    it(`${stage} rejects`, async () => {
      const { pdp, records } = build({ [stage]: () => Promise.reject(new Error('boom')) });
      expect(await pdp.decide(request)).toMatchObject({ effect: 'deny', error: { code: 'internal_error' } });
      expect(records).toHaveLength(1);
    });

    it(`${stage} hangs`, async () => {
      vi.useFakeTimers();
      const { pdp, records } = build({ [stage]: () => new Promise(() => {}) });
      const decided = pdp.decide({ ...request, deadlineAtMs: 50 });
      await vi.advanceTimersByTimeAsync(60);
      expect(await decided).toMatchObject({ effect: 'deny', error: { code: 'deadline_exceeded' } });
      expect(records).toHaveLength(1);
    });

    it(`${stage} hangs, then fails after the deadline`, async () => {
      vi.useFakeTimers();
      const { pdp, records } = build({
        [stage]: () => new Promise((_resolve, reject) => setTimeout(() => reject(new Error('late')), 500)),
      });
      const decided = pdp.decide({ ...request, deadlineAtMs: 50 });
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await decided).toMatchObject({ effect: 'deny', error: { code: 'deadline_exceeded' } });
      expect(records).toHaveLength(1);
    });
  }
});

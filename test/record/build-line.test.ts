import { describe, expect, it } from 'vitest';
import type { Identity } from '../../src/contract/identity.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import type { DecisionRecord } from '../../src/contract/record.ts';
import { buildLine } from '../../src/record/build-line.ts';
import { DECISION_LINE } from '../../src/record/decision-line.ts';
import { allowed, denied, failed, http, identity, request, token } from './records.ts';

const withToken = (changes: object): Identity => ({
  ...identity,
  signals: { ...identity.signals, token: { status: 'present', value: { ...token, ...changes } } },
});

describe('a line', () => {
  it('names the API key by its id', () => {
    const apiKey = { status: 'present', value: { id: 'key-1', clientId: 'agent-7', scopes: [], expiresAt: null } } as const;
    const { identity } = allowed;
    if (identity === null) throw new Error('no identity');
    const line = buildLine({ ...allowed, identity: { ...identity, signals: { ...identity.signals, apiKey } } }, 'none');
    expect(line).toMatchObject({ api_key: 'key-1', signals: { api_key: { status: 'present' } } });
  });

  it('has the trace and our span of it, where there is one', () => {
    const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: false, join: () => request, refused() {}, answered() {} };
    const line = buildLine({ ...allowed, request: { ...request, trace } }, 'none');
    expect(DECISION_LINE.parse(line)).toMatchObject({ trace_id: trace.traceId, span_id: trace.spanId });
    expect(buildLine(allowed, 'none')).not.toHaveProperty('trace_id');
  });

  it('says what was decided, about whom and why', () => {
    expect(buildLine(denied, 'referenced')).toEqual({
      kind: 'decision',
      time: '2023-11-14T22:13:20.123Z',
      decision_id: request.id,
      request_id: 'r-1',
      endpoint: 'decide',
      pep: 'edge',
      policy: { name: 'default', revision: 'r1' },
      effect: 'deny',
      reason: 'rate.exceeded',
      reasons: ['rate.exceeded', 'access.scope_granted'],
      status: 429,
      step_up: null,
      request: { method: 'GET', host: 'api.example.com', path: '/orders/42', flags: [] },
      route: { status: 'matched', id: 'orders.read', tier: 'medium' },
      subject: { type: 'client', id: 'agent-7', client: 'agent-7', asserted: false },
      actors: [],
      evidence: ['token'],
      api_key: null,
      address: '203.0.113.7',
      assurance: { level: 2, required: 2 },
      risk: { score: 20, factors: [{ code: 'network.country_new', points: 20 }] },
      signals: {
        token: { status: 'present' },
        certificate: { status: 'absent', code: 'certificate_missing' },
        binding: { status: 'absent', code: 'token_not_bound' },
        api_key: { status: 'absent', code: 'api_key_missing' },
        txn_token: { status: 'absent', code: 'txn_token_missing' },
        signature: { status: 'absent', code: 'signature_unchecked' },
        network: { status: 'present' },
        rate: { status: 'unavailable', code: 'store_unavailable' },
        device: { status: 'absent', code: 'device_missing' },
        behaviour: { status: 'unavailable', code: 'store_full' },
      },
      times_ms: { identify: 0.012, enrich: 0.02, decide: 0.05, total: 0.1 },
      slow: false,
      error: null,
      input: { request: { method: 'GET' } },
    });
  });

  it.each<[string, DecisionRecord]>([
    ['an allow', allowed],
    ['a deny', denied],
    ['a failure', failed],
    ['a question without HTTP', { ...allowed, request: { ...request, http: null } }],
  ])('has its documented form for %s', (_what, record) => {
    for (const mode of ['none', 'referenced', 'full'] as const) {
      expect(DECISION_LINE.parse(JSON.parse(JSON.stringify(buildLine(record, mode))))).toEqual(buildLine(record, mode));
    }
  });

  it('has the sources of attributes beside the signals, by their names', () => {
    const sources = {
      risk: { status: 'present', value: { attributes: { tier: 'gold' }, fetchedAt: 1 } },
      hr: { status: 'absent', code: 'not_found' },
    } as const;
    if (allowed.enrichment === null) throw new Error('no enrichment');
    const { signals } = buildLine({ ...allowed, enrichment: { ...allowed.enrichment, sources } }, 'referenced');
    expect(signals).toEqual({
      ...buildLine(allowed, 'referenced').signals,
      'sources.risk': { status: 'present' },
      'sources.hr': { status: 'absent', code: 'not_found' },
    });
  });

  it('keeps the input as it was asked for, and asks for it no more than once', () => {
    const asked: string[] = [];
    const record: DecisionRecord = {
      ...allowed,
      input: (mode) => {
        asked.push(mode);
        return { mode };
      },
    };
    expect(buildLine(record, 'none')).toMatchObject({ input: null, request: { path: null } });
    expect(buildLine(record, 'referenced').input).toEqual({ mode: 'referenced' });
    expect(buildLine(record, 'full').input).toEqual({ mode: 'full' });
    expect(asked).toEqual(['referenced', 'full']);
  });

  it('tells why no decision could be made', () => {
    expect(buildLine(failed, 'full')).toMatchObject({
      effect: 'deny',
      status: 503,
      route: null,
      subject: null,
      signals: {},
      error: { code: 'policy_not_loaded', cause: 'Error: no policy' },
      input: null,
    });
  });

  it('cuts what a client can make long', () => {
    const long = 'x'.repeat(20_000);
    const record: DecisionRecord = {
      ...allowed,
      request: { ...request, requestId: long, http: { ...http, method: long, host: long, path: `/${long}` } },
      identity: withToken({ actor: { subject: long, depth: 1 }, claims: { act: { sub: long } } }),
    };
    expect(JSON.stringify(buildLine(record, 'full')).length).toBeLessThan(4000);
  });

  it('is one line, whatever stands in it', () => {
    const record: DecisionRecord = {
      ...allowed,
      request: { ...request, requestId: 'a\n{"kind":"decision"}\u2028\ud800', http: { ...http, path: '/\r\n' } },
    };
    const text = JSON.stringify(buildLine(record, 'full'));
    expect(text).not.toMatch(/[\r\n]/);
    expect(JSON.parse(text)).toMatchObject({ request: { path: '/\r\n' } });
  });
});

describe('the chain of actors', () => {
  const chain = (act: JsonObject, depth: number) =>
    buildLine({ ...allowed, identity: withToken({ actor: { subject: 'c', depth }, claims: { act } }) }, 'none').actors;

  it('[asks 84] is in the log in order, the current actor first', () => {
    expect(chain({ sub: 'c', act: { sub: 'b', act: { sub: 'a' } } }, 3)).toEqual(['c', 'b', 'a']);
  });

  it('shows an actor without a subject as such', () => {
    expect(chain({ sub: 'c', act: { client_id: 'x', act: { sub: ['a'] } } }, 3)).toEqual(['c', '?', '?']);
  });

  it('is known where the claims were not kept', () => {
    expect(buildLine({ ...allowed, identity: withToken({ actor: { subject: 'c', depth: 1 } }) }, 'none').actors).toEqual(['c']);
  });

  it('has an end', () => {
    let act: JsonObject = { sub: 'first' };
    for (let depth = 0; depth < 5000; depth += 1) act = { sub: `a${depth}`, act };
    expect(chain(act, 5001)).toHaveLength(16);
  });
});

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { DecisionRecord } from '../../../src/contract/record.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import type { CallHeaders } from '../../../src/contract/trace.ts';
import { isSampled } from '../../../src/record/tracing/ids.ts';
import { createOtlpEncoder } from '../../../src/record/tracing/otlp.ts';
import type { Span } from '../../../src/record/tracing/span.ts';
import { createTracer, type TracerOptions } from '../../../src/record/tracing/tracing.ts';
import { readOtlp } from '../../support/otlp-receiver.ts';
import { allowed, deny, http, request } from '../records.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const OTHER = 'aaf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const sampled = (trace = TRACE): string => `00-${trace}-${SPAN}-01`;

function open(options: Partial<TracerOptions> = {}) {
  const finished: Span[] = [];
  let nowMs = 1000;
  const exporter = {
    add: (spans: readonly Span[]) => void finished.push(...spans),
    status: () => ({ queued: 0, exported: 0, droppedFull: 0, droppedFailed: 0, lastError: null }),
    close: () => Promise.resolve(),
  };
  const clock = { now: () => 1_700_000_000_000 + nowMs, monotonic: () => nowMs };
  const tracer = createTracer({ ratio: 1, parent: 'request', ...options }, { clock, randomBytes, exporter });
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { tracer, finished, pass };
}

function asked(headers: Readonly<Record<string, string[]>> = {}): DecisionRequest {
  return { ...request, http: { ...http, headers: new Map(Object.entries(headers)) } };
}

/** One call with one decision. */
function follow(
  options: Partial<TracerOptions>,
  headers: CallHeaders,
  requestHeaders: Record<string, string[]> = {},
  change: Partial<DecisionRecord> = {},
) {
  const { tracer, finished, pass } = open(options);
  const trace = tracer.open('POST /decide', headers);
  pass(1);
  const question = trace.join(asked(requestHeaders));
  pass(6);
  tracer.observe({ ...allowed, times: { identify: 1, enrich: 2, decide: 3, total: 6 }, ...change, request: question });
  pass(1);
  trace.answered(200);
  return { trace, finished, root: finished.find(({ name }) => name === 'POST /decide') };
}

describe('whose trace is continued', () => {
  it.each<[string, TracerOptions['parent'], CallHeaders, Record<string, string[]>, string | null]>([
    ['the call before the request', 'request', { traceparent: sampled() }, { traceparent: [sampled(OTHER)] }, TRACE],
    ['the request where the call has none', 'request', {}, { traceparent: [sampled(OTHER)] }, OTHER],
    ['the request where that of the call is malformed', 'request', { traceparent: 'no' }, { traceparent: [sampled(OTHER)] }, OTHER],
    ['the call alone', 'call', {}, { traceparent: [sampled(OTHER)] }, null],
    ['nobody', 'none', { traceparent: sampled() }, { traceparent: [sampled(OTHER)] }, null],
    ['none of two lines of a call', 'request', { traceparent: [sampled(), sampled()] }, {}, null],
    ['none of two lines of a request', 'request', {}, { traceparent: [sampled(), sampled()] }, null],
  ])('%s', (_name, parent, headers, requestHeaders, expected) => {
    const { trace, root } = follow({ parent }, headers, requestHeaders);
    expect(root?.traceId).toBe(trace.traceId);
    if (expected !== null) expect([root?.traceId, root?.parentSpanId]).toEqual([expected, SPAN]);
    else expect([root?.parentSpanId, root?.traceId === TRACE, root?.traceId === OTHER]).toEqual([null, false, false]);
  });

  it('the state comes with the parent only', () => {
    expect(follow({}, { traceparent: sampled(), tracestate: 'a=1, b=2' }).root?.state).toBe('a=1,b=2');
    expect(follow({}, { traceparent: sampled(), tracestate: ['a=1', 'b=2'] }).root?.state).toBe('a=1,b=2');
    expect(follow({}, { traceparent: sampled() }, { tracestate: ['a=1'] }).root?.state).toBe('');
    expect(follow({}, { traceparent: 'no', tracestate: 'a=1' }).root?.state).toBe('');
  });
});

describe('what is sampled', () => {
  it('is what the parent says, whatever the ratio', () => {
    expect(follow({ ratio: 0 }, { traceparent: sampled() }).finished).not.toEqual([]);
    expect(follow({ ratio: 1 }, { traceparent: sampled().replace(/1$/, '0') }).finished).toEqual([]);
  });

  it('is the share of the traces that begin here', () => {
    expect(follow({ ratio: 0 }, {}).finished).toEqual([]);
    expect(follow({ ratio: 1 }, {}).finished).not.toEqual([]);
    const drawn = Array.from({ length: 20_000 }, () => isSampled(randomBytes(16).toString('hex'), 0.1));
    const share = drawn.filter(Boolean).length / drawn.length;
    // five standard deviations
    expect(Math.abs(share - 0.1)).toBeLessThan(0.011);
  });

  it('is nothing without an exporter, and the flags of the parent are handed on', async () => {
    const clock = { now: () => 1, monotonic: () => 1 };
    const tracer = createTracer({ ratio: 1, parent: 'request' }, { clock, randomBytes, exporter: null });
    const trace = tracer.open('POST /decide', { traceparent: sampled(), tracestate: 'a=1' });
    trace.join(asked());
    expect(trace).toMatchObject({ traceId: TRACE, sampled: false });
    const told = await tracer.within(trace, () =>
      tracer.ask({ name: 'source', attributes: [], ask: (headers) => Promise.resolve(headers), failure: () => null }),
    );
    expect(told).toEqual({ traceparent: `00-${TRACE}-${trace.spanId}-01`, tracestate: 'a=1' });
  });
});

describe('spans', () => {
  it('are the call and its stages, one after the other', () => {
    const { finished, root } = follow({}, { traceparent: sampled() });
    expect(finished.map(({ name, startMs, endMs }) => [name, startMs, endMs])).toEqual([
      ['POST /decide', 1000, 1008],
      ['identify', 1001, 1002],
      ['enrich', 1002, 1004],
      ['decide', 1004, 1007],
      ['receive', 1000, 1001],
      ['respond', 1007, 1008],
    ]);
    expect(finished.slice(1).every(({ parentSpanId }) => parentSpanId === root?.spanId)).toBe(true);
    expect(new Set(finished.map(({ spanId }) => spanId)).size).toBe(6);
  });

  it.each<[string, Partial<DecisionRecord>, string[]]>([
    ['before identify', { route: null, identity: null, enrichment: null }, ['decide']],
    ['in identify', { identity: null, enrichment: null }, ['identify']],
    ['in enrich', { enrichment: null }, ['identify', 'enrich']],
  ])('end where it failed: %s', (_name, change, stages) => {
    const decision = { ...deny, error: { code: 'internal_error' } } as const;
    const { finished, root } = follow({}, {}, {}, { ...change, decision });
    const walked = finished.filter(({ name }) => ['identify', 'enrich', 'decide'].includes(name));
    expect(walked.map(({ name }) => name)).toEqual(stages);
    expect([walked.at(-1)?.failed, root?.failed]).toEqual(['internal_error', 'internal_error']);
  });

  it('of a call that was refused at the border say why', () => {
    const { tracer, finished } = open();
    const trace = tracer.open('POST /decide', { traceparent: sampled() });
    trace.refused('request_invalid');
    expect(finished).toMatchObject([{ name: 'POST /decide', traceId: TRACE, failed: null }]);
    expect(finished[0]?.attributes).toEqual([
      ['error.type', 'request_invalid'],
      ['http.response.status_code', 400],
    ]);
  });

  it('of an answer that could not be given are errors', () => {
    const { tracer, finished } = open();
    const trace = tracer.open('POST /decide', {});
    tracer.observe({ ...allowed, request: trace.join(asked()) });
    trace.refused('internal_error');
    trace.answered(200);
    expect(finished.filter(({ kind }) => kind === 2)).toMatchObject([{ failed: 'internal_error' }]);
    expect(finished[0]?.attributes).toContainEqual(['authz.effect', 'allow']);
  });

  it('of what is asked come within their stage, and not at all once the call is over', async () => {
    const { tracer, finished, pass } = open();
    const trace = tracer.open('check', {});
    const question = trace.join(asked());
    const ask = (name: string, answer: Promise<string> | string) =>
      tracer.within(trace, () =>
        tracer.ask({ name, attributes: [], ask: () => answer, failure: (said) => (said === 'bad' ? 'status_500' : null) }),
      );
    pass(1);
    const slow = Promise.withResolvers<string>();
    const pending = ask('late', slow.promise);
    await Promise.all([
      ask('source', Promise.resolve('bad')),
      expect(ask('redis', Promise.reject(new Error('away')))).rejects.toThrow('away'),
    ]);
    expect(ask('at once', 'here')).toBe('here');
    pass(5);
    tracer.observe({ ...allowed, times: { identify: 2, enrich: 2, decide: 2, total: 6 }, request: question });
    trace.answered(null);
    slow.resolve('good');
    await pending;
    const children = finished.filter(({ kind }) => kind === 3);
    expect(children.map(({ name, failed }) => [name, failed])).toEqual([
      ['source', 'status_500'],
      ['redis', 'failed'],
    ]);
    const identify = finished.find(({ name }) => name === 'identify');
    expect(children.map(({ parentSpanId }) => parentSpanId)).toEqual([identify?.spanId, identify?.spanId]);
  });

  it('of a batch are one call with a decide for each item', () => {
    const { tracer, finished } = open();
    const trace = tracer.open('POST /access/v1/evaluations', {});
    for (const further of [undefined, { allowedBefore: true }, { allowedBefore: true }]) {
      tracer.observe({ ...allowed, request: trace.join(request), further });
    }
    trace.answered(200);
    expect(finished.map(({ name }) => name)).toEqual([
      'POST /access/v1/evaluations',
      'identify',
      'enrich',
      'decide',
      'decide',
      'decide',
      'receive',
      'respond',
    ]);
    expect(finished[0]?.attributes).toContainEqual(['authz.decisions', 3]);
  });

  it('are bounded in number and in length', () => {
    const { tracer, finished } = open();
    const trace = tracer.open('POST /access/v1/evaluations', {});
    const pep = { ...request.pep, name: 'p'.repeat(1000) };
    for (let item = 0; item < 500; item++)
      tracer.observe({ ...allowed, request: { ...trace.join(request), pep }, further: { allowedBefore: true } });
    trace.answered(200);
    expect(finished.length).toBeLessThan(132);
    expect(Math.max(...finished.flatMap(({ attributes }) => attributes.map(([, value]) => String(value).length)))).toBeLessThan(260);
  });
});

it('the codes that a policy invents are bounded in number', () => {
  const seen = new Set<unknown>();
  for (let index = 0; index < 2000; index += 1) {
    const reasons = [{ ...deny.reasons[0], code: `made.up_${index}`, effect: 'deny', title: '', public: false, details: {} }] as const;
    const { root } = follow({}, {}, {}, { decision: { ...deny, reasons } });
    seen.add(Object.fromEntries(root?.attributes ?? [])['authz.reason']);
  }
  expect(seen.size).toBeLessThan(510);
  expect(seen).toContain('other');
});

it('the states of signals are told by stage, those of sources by their names', () => {
  const sources = { account: { status: 'absent', code: 'not_found' } } as const;
  const enrichment = allowed.enrichment === null ? null : { ...allowed.enrichment, sources };
  const { finished } = follow({}, {}, {}, { enrichment });
  const said = (name: string) => Object.fromEntries(finished.find((span) => span.name === name)?.attributes ?? []);
  expect(said('identify')).toMatchObject({ 'authz.signal.token': 'present', 'authz.signal.api_key': 'absent: api_key_missing' });
  expect(said('enrich')).toMatchObject({ 'authz.signal.network': 'present', 'authz.signal.sources.account': 'absent: not_found' });
});

it('both encodings say the same', () => {
  const { finished } = follow(
    {},
    { traceparent: sampled(), tracestate: 'a=1' },
    {},
    { decision: { ...deny, error: { code: 'internal_error' } } },
  );
  const sender = { resource: [['service.name', 'countersign']] as const, scope: { name: 'countersign', version: '1' } };
  const [json = [], protobuf = []] = (['json', 'protobuf'] as const).map((encoding) => {
    const { encode, contentType } = createOtlpEncoder(encoding, sender);
    return readOtlp(contentType, Buffer.from(encode(finished)));
  });
  expect(protobuf).toEqual(json);
  expect(json[0]).toMatchObject({
    ...{ traceId: TRACE, parentSpanId: SPAN, traceState: 'a=1', kind: 2, flags: 0x301, name: 'POST /decide' },
    ...{ startTimeUnixNano: '1700000001000000000', endTimeUnixNano: '1700000001008000000' },
    status: { code: 2, message: 'internal_error' },
    resource: { 'service.name': 'countersign' },
  });
  expect(json[0]?.attributes).toMatchObject({
    'authz.effect': 'deny',
    'authz.reason': 'rate.exceeded',
    'http.response.status_code': '200',
  });
});

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttributeServer, startAttributeServer } from '../support/attribute-server.ts';
import type { Countersign } from '../support/countersign.ts';
import type { Envoy } from '../support/envoy.ts';
import { send } from '../support/http-client.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { createWorld, decisionLines, type World } from './world.ts';

/* A real Envoy with its own tracer before the service: both send their spans to one receiver, and the traces are whole. */

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CLIENT_SPAN = '00f067aa0ba902b7';
const TOKEN = 'pep-token-of-this-test';
const CHECK = 'envoy.service.auth.v3.Authorization/Check';

let world: World;
let receiver: OtlpReceiver;
let redis: RedisServer;
let reputation: AttributeServer;
let service: Countersign;
let traced: Envoy;
let plain: Envoy;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  redis = await startRedis();
  reputation = await startAttributeServer();
  reputation.answer = () => ({ score: 1 });
  world = await createWorld();
  service = await world.service({
    tracing: { endpoint: receiver.url, ratio: 0, intervalMs: 20, resource: { 'deployment.environment.name': 'test' } },
    peps: [
      { name: 'edge', anonymous: true, trusts: ['client_address', 'forwarded'], forwardedFor: { appendsPeer: true } },
      { name: 'nginx', tokenSha256: createHash('sha256').update(TOKEN).digest('hex'), trusts: ['client_address'], dialect: 'nginx' },
    ],
    store: { kind: 'redis', url: redis.url, deadlineMs: 200 },
    decisions: { deadlineMs: 1000 },
    sources: [
      {
        name: 'reputation',
        url: `${reputation.origin}/addresses/{network.address}`,
        when: 'prefetch',
        cacheSeconds: 0,
        attributes: { score: { pointer: '/score', type: 'number' } },
        allowPrivate: ['127.0.0.1'],
      },
    ],
  });
  traced = await world.envoy([service], { tracerPort: receiver.port, timeoutMs: 2000 });
  plain = await world.envoy([service], { timeoutMs: 2000 });
});

afterAll(async () => {
  await world.stop();
  await Promise.all([receiver.stop(), redis.stop(), reputation.stop()]);
});

/** Waits for the spans of one trace, of both services where Envoy traces. */
async function spansOf(traceId: string, enough: (spans: readonly ReceivedSpan[]) => boolean): Promise<ReceivedSpan[]> {
  for (let tries = 0; ; tries++) {
    const spans = receiver.spans.filter((span) => span.traceId === traceId);
    if (enough(spans)) return spans;
    if (tries === 200) throw new Error(`not all spans came: ${spans.map(({ name }) => name).join()}`);
    await sleep(50);
  }
}

const ours = (spans: readonly ReceivedSpan[]) => spans.filter((span) => span.resource['service.name'] === 'countersign');
let asked = 0;

/** The line of the last question; lines wait a moment before they are written. */
async function lastLine(): Promise<Record<string, unknown> | undefined> {
  for (let tries = 0; decisionLines(service).length < asked && tries < 200; tries++) await sleep(50);
  return decisionLines(service)[asked - 1];
}

const named = (spans: readonly ReceivedSpan[], name: string) => spans.find((span) => span.name === name);

async function get(port: number, ...headers: readonly string[]) {
  asked += 1;
  return send(port, {
    path: '/orders/1?secret=in-the-query',
    headers: ['authorization', await world.bearer('agent-a', 'orders:read'), ...headers],
  });
}

describe('behind an Envoy that traces', () => {
  it('continues the trace of the client as a child of the span of the check', async () => {
    const answer = await get(traced.port, 'traceparent', `00-${TRACE}-${CLIENT_SPAN}-01`, 'tracestate', 'vendor=1,other=2');
    expect(answer.status).toBe(200);
    const spans = await spansOf(TRACE, (all) => {
      const parent = named(ours(all), CHECK)?.parentSpanId;
      return all.some(({ spanId }) => spanId === parent);
    });
    const check = named(ours(spans), CHECK);
    const byEnvoy = spans.find(({ spanId }) => spanId === check?.parentSpanId);
    expect(byEnvoy?.resource['service.name']).toBe('front');
    expect(byEnvoy?.parentSpanId).not.toBe('');
    expect(check).toMatchObject({ kind: 2, traceState: 'vendor=1,other=2', flags: 0x301 });
    expect(check?.resource).toMatchObject({ 'service.version': '0.1.0', 'deployment.environment.name': 'test' });
    expect(check?.attributes).toMatchObject({ 'authz.effect': 'allow', 'authz.route.id': 'orders_read' });
    expect(named(ours(spans), 'identify')?.attributes).toMatchObject({ 'authz.signal.token': 'present' });
    const stages = ours(spans).filter(({ parentSpanId }) => parentSpanId === check?.spanId);
    expect(stages.map(({ name }) => name).sort()).toEqual(['decide', 'enrich', 'identify', 'receive', 'respond']);
    const inOrder = ['receive', 'identify', 'enrich', 'decide', 'respond'].map((name) =>
      BigInt(named(stages, name)?.startTimeUnixNano ?? 0),
    );
    expect(inOrder).toEqual([...inOrder].sort((one, other) => Number(one - other)));
    const enrich = named(stages, 'enrich');
    for (const name of ['redis', 'source']) expect(named(ours(spans), name)).toMatchObject({ kind: 3, parentSpanId: enrich?.spanId });
    expect(await lastLine()).toMatchObject({
      trace_id: TRACE,
      span_id: check?.spanId,
      decision_id: check?.attributes['authz.decision_id'],
    });
  });

  it('hands the trace on to the source, as a child of the question', async () => {
    const traceId = TRACE.replace('4', 'a');
    await get(traced.port, 'traceparent', `00-${traceId}-${CLIENT_SPAN}-01`, 'tracestate', 'vendor=1');
    const spans = await spansOf(traceId, (all) => named(ours(all), 'source') !== undefined);
    const asked = reputation.asked.find(({ headers }) => String(headers['traceparent']).includes(traceId));
    expect(asked?.headers['traceparent']).toBe(`00-${traceId}-${named(ours(spans), 'source')?.spanId}-01`);
    expect(asked?.headers['tracestate']).toBe('vendor=1');
  });
});

describe('behind an Envoy that does not trace', () => {
  it('continues the trace of the request that is asked about', async () => {
    const traceId = TRACE.replace('4', 'b');
    await get(plain.port, 'traceparent', `00-${traceId}-${CLIENT_SPAN}-01`);
    const spans = await spansOf(traceId, (all) => named(all, CHECK) !== undefined);
    expect(named(spans, CHECK)?.parentSpanId).toBe(CLIENT_SPAN);
  });

  it.each([
    ['that is not sampled', `00-${TRACE.replace('4', 'c')}-${CLIENT_SPAN}-00`, TRACE.replace('4', 'c')],
    ['that is malformed', `00-${TRACE.replace('4', 'd')}-${CLIENT_SPAN}-01-more`, null],
  ])('exports nothing of a trace %s, and logs its ids', async (_name, traceparent, expected) => {
    await get(plain.port, 'traceparent', traceparent);
    const logged = String((await lastLine())?.['trace_id']);
    expect(logged).toMatch(/^[0-9a-f]{32}$/);
    if (expected === null) expect(traceparent).not.toContain(logged);
    else expect(logged).toBe(expected);
    expect(receiver.spans.filter((span) => span.traceId === logged)).toEqual([]);
  });
});

describe('asked by HTTP', () => {
  const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const sent = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
    return fetch(`http://127.0.0.1:${service.httpPort}${path}`, sent);
  };
  const request = (traceId: string | null) => ({
    method: 'GET',
    path: '/orders/1',
    host: 'api.example.com',
    headers: traceId === null ? {} : { traceparent: `00-${traceId}-${CLIENT_SPAN}-01` },
  });
  const own = (number: number): string => String(number).padStart(32, '0');
  const parent = (traceId: string) => ({ traceparent: `00-${traceId}-${CLIENT_SPAN}-01` });

  it.each([
    ['of the call', own(1), parent(own(1)), null],
    ['of the call before that of the request', own(2), parent(own(2)), own(3)],
    ['of the request', own(4), {}, own(4)],
  ])('/decide continues the trace %s', async (_name, expected, headers, inRequest) => {
    asked += 1;
    expect((await post('/decide', { request: request(inRequest) }, headers)).status).toBe(200);
    const spans = await spansOf(expected, (all) => named(all, 'POST /decide') !== undefined);
    expect(named(spans, 'POST /decide')).toMatchObject({ parentSpanId: CLIENT_SPAN, attributes: { 'http.response.status_code': '200' } });
    expect((await lastLine())?.['trace_id']).toBe(expected);
  });

  it('a question that is refused at the border is a span', async () => {
    const traceId = own(5);
    expect((await post('/decide', { nix: 1 }, parent(traceId))).status).toBe(400);
    const [span] = await spansOf(traceId, (all) => all.length > 0);
    expect(span).toMatchObject({
      name: 'POST /decide',
      attributes: { 'error.type': 'request_invalid', 'http.response.status_code': '400' },
    });
  });

  it('a batch of AuthZEN is one call, with a decide for each item', async () => {
    const traceId = own(6);
    const item = { action: { name: 'GET' }, resource: { type: 'route', id: 'orders_read' } };
    asked += 2;
    const answer = await post(
      '/access/v1/evaluations',
      { subject: { type: 'client', id: 'x' }, evaluations: [item, item] },
      parent(traceId),
    );
    expect(answer.status).toBe(200);
    const spans = await spansOf(traceId, (all) => named(all, 'POST /access/v1/evaluations') !== undefined);
    const decides = spans.filter(({ name }) => name === 'decide');
    expect([decides.length, named(spans, 'POST /access/v1/evaluations')?.attributes['authz.decisions']]).toEqual([2, '2']);
  });

  it('ext_authz over HTTP continues what Envoy hands on', async () => {
    const traceId = own(8);
    asked += 1;
    await send(service.httpPort, {
      path: '/envoy/orders/1',
      headers: ['x-countersign-pep-token', TOKEN, 'traceparent', parent(traceId).traceparent],
    });
    const spans = await spansOf(traceId, (all) => all.length > 0);
    expect(named(spans, '/envoy/*')).toMatchObject({ parentSpanId: CLIENT_SPAN, kind: 2 });
  });

  it('forward auth continues what the gateway hands on', async () => {
    const traceId = own(7);
    asked += 1;
    const original = [
      'x-original-method',
      'GET',
      'x-original-uri',
      '/orders/1',
      'x-original-host',
      'api.example.com',
      'x-original-proto',
      'https',
    ];
    const headers = ['x-countersign-pep-token', TOKEN, ...original, 'x-original-remote-addr', '192.0.2.1'];
    await send(service.httpPort, { path: '/forward-auth', headers: [...headers, 'traceparent', parent(traceId).traceparent] });
    const spans = await spansOf(traceId, (all) => all.length > 0);
    expect(named(spans, '/forward-auth')).toMatchObject({ parentSpanId: CLIENT_SPAN, kind: 2 });
  });
});

it('tells no secret, no path and no address, and everything came as the protocol has it', async () => {
  expect(receiver.requests.filter(({ problem }) => problem !== null)).toEqual([]);
  const text = JSON.stringify(ours(receiver.spans).map((span) => [span.name, span.attributes]));
  for (const hidden of ['Bearer', 'eyJ', '/orders', 'in-the-query', '127.0.0.1', 'agent-a']) {
    if (hidden === '127.0.0.1') expect(text.replaceAll('"server.address":"127.0.0.1"', '')).not.toContain(hidden);
    else expect(text).not.toContain(hidden);
  }
});

it('what waits is sent before the process ends, and metrics say what became of it', async () => {
  const scraped = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();
  expect(scraped).toMatch(/^countersign_trace_spans_total\{result="exported"\} [1-9]/m);
  expect(scraped).toMatch(/^countersign_trace_spans_total\{result="dropped_full"\} 0/m);
  const traceId = TRACE.replace('4', 'e');
  await get(plain.port, 'traceparent', `00-${traceId}-${CLIENT_SPAN}-01`);
  await service.stop();
  expect(
    named(
      receiver.spans.filter((span) => span.traceId === traceId),
      CHECK,
    ),
  ).toBeDefined();
});

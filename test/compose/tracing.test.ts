import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStores, type Stores } from '../../src/compose/stores.ts';
import { openTracing } from '../../src/compose/tracing.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import type { FormAnswer, FormPost } from '../../src/stores/form-post.ts';
import { createSourceStores } from '../../src/stores/source-stores.ts';
import { systemClock } from '../../src/system-clock.ts';
import { SILENT } from '../decide/fixtures.ts';
import { request } from '../record/records.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, tracestate: 'a=1' };
const config = loadConfig({ env: {} });
const parts = { version: '1', newId: () => 'instance-1', clock: systemClock, logger: SILENT };

let receiver: OtlpReceiver;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
});
afterAll(() => receiver.stop());

function traced(change: Partial<Config> = {}) {
  const tracing = loadConfig({ env: { COUNTERSIGN_TRACING_ENDPOINT: receiver.url, COUNTERSIGN_TRACING_RATIO: '1' } }).tracing;
  return openTracing({ ...config, tracing, ...change }, parts);
}

it('that is off every part is itself', () => {
  const off = openTracing(config, parts);
  const stores = openStores(config, systemClock, SILENT);
  const post: FormPost = () => expect.fail();
  const pdp = { decide: () => expect.fail() };
  const batch = { decideBatch: () => expect.fail() };
  const sources = createSourceStores(() => 0);
  expect([off.stores(stores), off.formPost(post), off.pdp(pdp), off.batch(batch), off.sources(sources)]).toEqual([
    stores,
    post,
    pdp,
    batch,
    sources,
  ]);
  expect(off.pdp(pdp)).toBe(pdp);
  expect([off.endpoint, off.status()]).toEqual([{}, {}]);
});

it('an authorization server that is asked gets the trace, beside its own headers, and a span tells how it went', async () => {
  const open = traced();
  const sent: Readonly<Record<string, string>>[] = [];
  const answer: FormAnswer = { status: 503, contentType: null, bytes: Buffer.alloc(0) };
  const post = open.formPost(async (_url, { headers }) => {
    sent.push(headers);
    return answer;
  });
  const form = { headers: { authorization: 'Basic x' }, body: 'token=t' };
  const bounds = { timeoutMs: 1, bytesMax: 1, allowInsecureHttp: false, signal: new AbortController().signal };
  const call = open.endpoint.tracing?.open('POST /decide', PARENT);
  const question = call?.join(request) ?? request;
  const pdp = open.pdp({
    decide: async () => {
      await post('https://as.example', form, bounds);
      throw new Error('enough');
    },
  });
  await expect(pdp.decide(question)).rejects.toThrow('enough');
  await post('https://as.example', form, bounds);
  call?.answered(200);
  await open.close(2000);
  const span = receiver.spans.find(({ name }) => name === 'introspection');
  expect(sent).toEqual([
    { authorization: 'Basic x', traceparent: `00-${TRACE}-${span?.spanId}-01`, tracestate: 'a=1' },
    // no call asked for this one
    { authorization: 'Basic x' },
  ]);
  expect(span).toMatchObject({ traceId: TRACE, kind: 3, status: { code: 2, message: 'status_503' } });
  expect(span?.resource).toMatchObject({ 'service.name': 'countersign', 'service.version': '1', 'service.instance.id': 'instance-1' });
  expect(open.status()).toMatchObject({ tracing: { exported: receiver.spans.length, droppedFailed: 0 } });
});

it('questions to Redis are spans, and what is answered at once is none', async () => {
  receiver.spans.length = 0;
  const open = traced({
    store: { ...config.store, kind: 'redis', url: 'redis://127.0.0.1:1', sentinels: [], cluster: null, deadlineMs: 25, keyPrefix: 'x' },
  });
  const memory = openStores(config, systemClock, SILENT);
  const away: Stores = { ...memory, replays: { ...memory.replays, sinceMs: null, remember: () => Promise.resolve('store_unavailable') } };
  const stores = open.stores(away);
  const call = open.endpoint.tracing?.open('check', PARENT);
  const question = call?.join(request) ?? request;
  const pdp = open.pdp({
    decide: async () => {
      expect(await stores.replays.remember('k', 0, 1, 1)).toBe('store_unavailable');
      expect(await stores.signatureReplays.remember('k', 1e15, 2e15, 1)).toBe('fresh');
      throw new Error('enough');
    },
  });
  await expect(pdp.decide(question)).rejects.toThrow('enough');
  call?.answered(null);
  await open.close(2000);
  const redis = receiver.spans.filter(({ name }) => name === 'redis');
  expect(redis).toMatchObject([
    { attributes: { 'db.system.name': 'redis', 'db.operation.name': 'remember' }, status: { code: 2, message: 'store_unavailable' } },
  ]);
});

import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createExporter, type Exporter, type ExporterOptions } from '../../../src/record/tracing/exporter.ts';
import { createOtlpEncoder } from '../../../src/record/tracing/otlp.ts';
import type { Span } from '../../../src/record/tracing/span.ts';
import { httpSend } from '../../../src/stores/http-send.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/otlp-receiver.ts';

const SPAN: Span = {
  ...{ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', parentSpanId: null, state: '', flags: 0x101 },
  ...{ name: 'decide', kind: 1, startMs: 10, endMs: 11, epochMs: 1_700_000_000_000, attributes: [], failed: null },
};
const spans = (count: number): Span[] => Array.from({ length: count }, () => SPAN);

let receiver: OtlpReceiver;
let warned: string[];

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  warned = [];
});
afterEach(() => receiver.stop());

function open(options: Partial<ExporterOptions> = {}, headers: Record<string, string> | null = { 'x-key': 'secret' }): Exporter {
  const { encode, contentType } = createOtlpEncoder('protobuf', { resource: [], scope: { name: 'countersign', version: '1' } });
  const quiet = (): void => undefined;
  return createExporter(
    { endpoint: receiver.url, allowInsecureHttp: false, queueSpansMax: 4096, intervalMs: 5, timeoutMs: 2000, ...options },
    {
      ...{ encode, contentType, headers: () => Promise.resolve(headers), send: httpSend, random: () => 0 },
      logger: { debug: quiet, info: quiet, error: quiet, warn: (_event, fields) => void warned.push(String(fields?.['error'])) },
    },
  );
}

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done(); tries++) {
    if (tries === 400) throw new Error('it did not come to that');
    await sleep(10);
  }
}

it('sends what waits after the interval, with its headers', async () => {
  const exporter = open();
  exporter.add(spans(3));
  await until(() => exporter.status().exported === 3);
  expect(receiver.spans).toHaveLength(3);
  expect(receiver.requests[0]?.headers).toMatchObject({ 'content-type': 'application/x-protobuf', 'x-key': 'secret' });
  expect(exporter.status()).toEqual({ queued: 0, exported: 3, droppedFull: 0, droppedFailed: 0, lastError: null });
});

it('sends a full batch at once, and no more than one batch at a time', async () => {
  const exporter = open({ intervalMs: 60_000 });
  for (let call = 0; call < 103; call++) exporter.add(spans(10));
  await until(() => exporter.status().exported === 520);
  expect(receiver.requests).toHaveLength(1);
  expect(exporter.status().queued).toBe(510);
  await exporter.close(2000);
  expect(receiver.spans).toHaveLength(1030);
});

it('drops and counts what does not fit, whole calls', async () => {
  const exporter = open({ queueSpansMax: 512 });
  for (let call = 0; call < 60; call++) exporter.add(spans(10));
  expect(exporter.status()).toMatchObject({ queued: 510, droppedFull: 90 });
  await exporter.close(2000);
  expect(exporter.status()).toMatchObject({ queued: 0, exported: 510, droppedFull: 90, droppedFailed: 0 });
});

it.each([429, 502, 503, 504])('sends again after %d', async (status) => {
  receiver.answers.push({ status, headers: { 'retry-after': '0' } });
  const exporter = open();
  exporter.add(spans(2));
  await until(() => exporter.status().exported === 2);
  expect([receiver.requests.length, warned]).toEqual([2, [`status_${status}`]]);
  expect(exporter.status().lastError).toBeNull();
});

it('sends again when the collector says, and not before', async () => {
  receiver.answers.push({ status: 503, headers: { 'retry-after': '1' } });
  const exporter = open();
  const startMs = performance.now();
  exporter.add(spans(1));
  await until(() => exporter.status().exported === 1);
  // without that it would be a quarter of a second
  expect(performance.now() - startMs).toBeGreaterThan(995);
});

it('gives a batch up after five attempts, and goes on with the next', async () => {
  for (let attempt = 1; attempt <= 5; attempt++) receiver.answers.push({ status: 429, headers: { 'retry-after': '0' } });
  const exporter = open();
  exporter.add(spans(3));
  await until(() => exporter.status().droppedFailed === 3);
  exporter.add(spans(2));
  await until(() => exporter.status().exported === 2);
  expect([receiver.requests.length, exporter.status()]).toMatchObject([
    6,
    { queued: 0, droppedFailed: 3, droppedFull: 0, lastError: null },
  ]);
});

it.each([400, 401, 404, 500, 302])('does not send again after %d', async (status) => {
  receiver.answers.push({ status, headers: { location: '/elsewhere' } });
  const exporter = open();
  exporter.add(spans(2));
  await until(() => exporter.status().droppedFailed === 2);
  expect([receiver.requests.length, exporter.status().lastError]).toEqual([1, `status_${status}`]);
});

it.each([
  ['protobuf', 'application/x-protobuf', Buffer.from([0x0a, 0x02, 0x08, 0x02])],
  ['JSON', 'application/json', Buffer.from('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}}')],
])('counts what a collector rejected in %s', async (_name, type, body) => {
  receiver.answers.push({ status: 200, headers: { 'content-type': type }, body: body.toString('latin1') });
  const exporter = open();
  exporter.add(spans(5));
  await until(() => exporter.status().exported === 3);
  expect(exporter.status()).toMatchObject({ droppedFailed: 2, lastError: 'spans_rejected' });
});

it('gives up a collector that is away, and keeps its credentials when they cannot be read', async () => {
  const away = open({ endpoint: 'http://127.0.0.1:1/v1/traces' });
  away.add(spans(1));
  await until(() => away.status().lastError !== null);
  await away.close(1000);
  expect(away.status()).toMatchObject({ exported: 0, droppedFailed: 1, lastError: 'fetch_failed' });
  const unreadable = open({}, null);
  unreadable.add(spans(1));
  await until(() => unreadable.status().lastError === 'headers_unreadable');
  await unreadable.close(1000);
  expect(receiver.requests).toEqual([]);
});

it('a collector that hangs holds up nothing but its own spans, and no end of the process', async () => {
  const hanging = createServer(() => undefined);
  await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
  const address = hanging.address();
  const exporter = open({
    endpoint: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`,
    queueSpansMax: 600,
  });
  exporter.add(spans(512));
  await until(() => exporter.status().queued === 512);
  exporter.add(spans(80));
  exporter.add(spans(80));
  expect(exporter.status()).toMatchObject({ queued: 592, droppedFull: 80, exported: 0 });
  await exporter.close(50);
  expect(exporter.status().droppedFailed).toBe(80);
  hanging.closeAllConnections();
  await new Promise((resolve) => hanging.close(resolve));
});

it('takes nothing after it was closed', async () => {
  const exporter = open();
  await exporter.close(100);
  exporter.add(spans(1));
  expect(exporter.status()).toMatchObject({ queued: 0, droppedFull: 1 });
});

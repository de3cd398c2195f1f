import { mkdtempSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpSink, type HttpSinkOptions } from '../../src/record/http-sink.ts';
import { postLogs } from '../../src/stores/log-post.ts';
import { readDocumentFile } from '../../src/stores/read-file.ts';
import { createAuthority } from '../support/certificates.ts';
import { startCollector } from '../support/log-collector.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-logs-http-'));

/** The machine may be busy. */
const until = <T>(read: () => T) => expect.poll(read, { timeout: 10_000, interval: 3 });

function open(url: string, changes: Partial<HttpSinkOptions> = {}, keepRefused = false) {
  const errors: Error[] = [];
  const sink = createHttpSink(
    {
      url,
      allowInsecureHttp: false,
      credentials: { tokenFile: null },
      tls: { caFile: null, certFile: null, keyFile: null },
      batch: { bytesMax: 2000, delayMs: 5 },
      timeoutMs: 2000,
      retry: { minMs: 5, maxMs: 20 },
      bufferBytesMax: 20_000,
      ...changes,
    },
    { post: postLogs, readFile: readDocumentFile, random: Math.random, onError: (error) => errors.push(error), keepRefused },
  );
  onTestFinished(() => sink.close(0));
  let next = 0;
  const write = (count: number, must = false) => {
    for (let index = 0; index < count; index += 1) sink.write(JSON.stringify({ n: next++, pad: 'x'.repeat(80) }), must);
  };
  return { sink, errors, write };
}

const numbersOf = (events: readonly { readonly [name: string]: unknown }[]) => events.map(({ n }) => n);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Answers each request by these bytes and ends the connection. */
async function startRaw(answer: string) {
  const times: number[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      times.push(performance.now());
      socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address: AddressInfo | string | null = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/logs`,
    calls: () => times.length,
    times,
  };
}

describe('a collector', () => {
  it('gets every event once, in batches of a bounded size, packed', async () => {
    const collector = await startCollector();
    const { sink, write } = open(collector.url);
    write(100);
    await until(() => sink.status().written).toBe(100);
    expect(numbersOf(collector.taken)).toEqual(upTo(100));
    expect(Math.max(...collector.batches.map((events) => events.length))).toBeLessThanOrEqual(20);
    expect(collector.asked[0]).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': 'application/json',
      'user-agent': 'countersign',
    });
    expect(sink.status()).toEqual({ written: 100, dropped: 0 });
  });

  it('that fails is asked again until it does not, and nothing is lost or out of order', async () => {
    const collector = await startCollector();
    collector.answer((_events, call) => (call <= 3 ? 503 : 200));
    const { sink, write, errors } = open(collector.url);
    write(30);
    await until(() => sink.health().state).toBe('failing');
    expect(sink.health().lastError).toContain('503');
    await until(() => sink.status().written).toBe(30);
    expect(numbersOf(collector.taken)).toEqual(upTo(30));
    expect([errors.length, sink.health()]).toMatchObject([3, { state: 'ready', lastError: null, bufferedBytes: 0 }]);
  });

  it('that hangs is given up after its time and asked again', async () => {
    const collector = await startCollector();
    collector.answer((_events, call) => (call === 1 ? 'hang' : 200));
    const { sink, write, errors } = open(collector.url, { timeoutMs: 60 });
    write(3);
    await until(() => sink.status().written).toBe(3);
    expect(errors[0]?.message).toContain('timeout');
  });

  it('that answers slowly costs what does not fit, exactly [asks 80]', async () => {
    const collector = await startCollector();
    collector.answer(() => ({ status: 200, afterMs: 30 }));
    const { sink, write } = open(collector.url);
    write(1000);
    const lost = sink.status().dropped;
    expect(sink.health().state).toBe('full');
    expect(lost).toBeGreaterThan(700);
    await until(() => sink.health().bufferedBytes).toBe(0);
    expect([sink.status(), sink.health().lost]).toEqual([
      { written: 1000 - lost, dropped: lost },
      { buffer_full: lost, too_large: 0, refused: 0, shutdown: 0 },
    ]);
    expect(collector.taken).toHaveLength(1000 - lost);
  });

  it('that is away costs memory up to the bound and no further [asks 81]', async () => {
    const { sink, write } = open('http://127.0.0.1:9/logs');
    write(50_000);
    await until(() => sink.health().state).toBe('failing');
    write(50_000);
    expect(sink.health().bufferedBytes).toBeLessThanOrEqual(20_000);
    await sink.close(20);
    const { buffer_full, shutdown } = sink.health().lost;
    expect([buffer_full + shutdown, sink.status(), sink.health().bufferedBytes]).toEqual([100_000, { written: 0, dropped: 100_000 }, 0]);
  });

  it.each([
    [413, 'too_large'],
    [400, 'refused'],
    [422, 'refused'],
  ] as const)('that refuses with %d is given all but the event that it will not have', async (status, reason) => {
    const collector = await startCollector();
    collector.answer((events) => (events.some(({ n }) => n === 7) ? status : 200));
    const { sink, write } = open(collector.url);
    write(16);
    await until(() => sink.health().bufferedBytes).toBe(0);
    expect(numbersOf(collector.taken).toSorted((a, b) => Number(a) - Number(b))).toEqual(upTo(16).filter((n) => n !== 7));
    expect([sink.status(), sink.health().lost]).toMatchObject([{ written: 15, dropped: 1 }, { [reason]: 1 }]);
  });

  it('that refuses a batch, and then fails for a half of it, gets the halves in their order', async () => {
    const collector = await startCollector();
    collector.answer((_events, call) => (call === 1 ? 400 : call === 2 ? 503 : 200));
    const { sink, write } = open(collector.url);
    write(10);
    await until(() => sink.status().written).toBe(10);
    expect(numbersOf(collector.taken)).toEqual(upTo(10));
  });

  it('that refuses an event that must be kept is asked again, and says so', async () => {
    const collector = await startCollector();
    collector.answer(() => 400);
    const { sink, write } = open(collector.url, {}, true);
    write(1, true);
    await until(() => sink.health().state).toBe('failing');
    expect(sink.status()).toEqual({ written: 0, dropped: 0 });
    collector.answer(() => 200);
    await until(() => sink.status().written).toBe(1);
  });

  it('gets what is left at the end, within the time that there is', async () => {
    const collector = await startCollector();
    const { sink, write } = open(collector.url, { batch: { bytesMax: 2000, delayMs: 60_000 } });
    write(50);
    await sink.close(5000);
    expect([collector.taken.length, sink.status()]).toEqual([50, { written: 50, dropped: 0 }]);
    write(1);
    expect(sink.health().lost.shutdown).toBe(1);
  });

  it('that is busy at the end is asked again in the time that there is, however long it was away', async () => {
    const collector = await startCollector();
    collector.answer((_events, call) => (call <= 2 ? 503 : 200));
    const { sink, write, errors } = open(collector.url, { retry: { minMs: 60_000, maxMs: 60_000 } });
    write(5);
    await until(() => errors.length).toBe(1);
    await sink.close(5000);
    expect([collector.taken.length, sink.status()]).toEqual([5, { written: 5, dropped: 0 }]);
  });

  it.each([
    ['ends in the middle of its answer', 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf'],
    ['answers with what is no body', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['says first that it goes on', 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n'],
  ])('that %s has taken the batch, once', async (_how, answer) => {
    const raw = await startRaw(answer);
    const { sink, write } = open(raw.url);
    write(3);
    await until(() => sink.health().bufferedBytes).toBe(0);
    expect([sink.status(), raw.calls()]).toEqual([{ written: 3, dropped: 0 }, 1]);
  });

  it.each([
    ['ends without an answer', ''],
    ['answers with no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['changes the protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
    ['says 429 and when to come again', 'HTTP/1.1 429 Too Many Requests\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n'],
    ['says so by a date', 'HTTP/1.1 503 No\r\nretry-after: Fri, 31 Dec 2100 23:59:59 GMT\r\ncontent-length: 0\r\n\r\n'],
  ])('that %s is asked again', async (_how, answer) => {
    const raw = await startRaw(answer);
    const { sink, write } = open(raw.url);
    write(3);
    await until(() => raw.calls()).toBeGreaterThan(2);
    expect(sink.status()).toEqual({ written: 0, dropped: 0 });
    expect(sink.health().state).toBe('failing');
  });

  it.each([
    ['twice as long each time', '', { minMs: 40, maxMs: 10_000 }, [20, 40, 80]],
    ['no longer than the bound, whatever it says', 'retry-after: 3600\r\n', { minMs: 1, maxMs: 60 }, [60, 60, 60]],
  ] as const)('that fails is left alone %s', async (_how, header, retry, gapsMs) => {
    const raw = await startRaw(`HTTP/1.1 503 No\r\n${header}content-length: 0\r\n\r\n`);
    const { write } = open(raw.url, { retry });
    write(1);
    await until(() => raw.calls()).toBeGreaterThan(3);
    // at least so long: a busy machine makes it longer
    const gaps = raw.times.slice(1, 4).map((time, index) => time - (raw.times[index] ?? 0));
    expect(gaps.map((gap, index) => gap > (gapsMs[index] ?? 0) - 3)).toEqual([true, true, true]);
  });

  it('that hangs at the end holds nobody, and what was left is counted', async () => {
    const collector = await startCollector();
    collector.answer(() => 'hang');
    const { sink, write } = open(collector.url);
    write(50);
    await sink.close(50);
    expect([sink.status(), sink.health().lost.shutdown]).toEqual([{ written: 0, dropped: 50 }, 50]);
  });

  it('is shown a token that is read anew', async () => {
    const collector = await startCollector();
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'first\n');
    const { sink, write } = open(collector.url, { credentials: { tokenFile } });
    write(1);
    await until(() => sink.status().written).toBe(1);
    writeFileSync(tokenFile, 'second\n');
    write(1);
    await until(() => sink.status().written).toBe(2);
    expect(collector.asked.map(({ authorization }) => authorization)).toEqual(['Bearer first', 'Bearer second']);
  });

  it('is not redirected to another place with what it is shown', async () => {
    const [first, second] = [await startCollector(), await startCollector()];
    first.answer(() => 307);
    const { sink, write } = open(first.url);
    write(1);
    await until(() => sink.health().state).toBe('failing');
    expect(second.asked).toEqual([]);
  });
});

describe('a collector behind TLS', () => {
  it('is known by its CA and knows us by our certificate', async () => {
    const authority = createAuthority();
    const own = authority.server({ dns: [], ips: ['127.0.0.1'] });
    const client = authority.client({ commonName: 'replica', uris: [] });
    const fileOf = (name: string, pem: string): string => {
      const path = join(folder, `${name}.pem`);
      writeFileSync(path, pem);
      return path;
    };
    const collector = await startCollector({ cert: own.pem, key: own.keyPem, ca: authority.pem });
    const tls = { caFile: fileOf('ca', authority.pem), certFile: fileOf('cert', client.pem), keyFile: fileOf('key', client.keyPem) };
    const { sink, write } = open(collector.url, { tls });
    write(2);
    await until(() => sink.status().written).toBe(2);
    const stranger = open(collector.url, { tls: { ...tls, certFile: null, keyFile: null } });
    stranger.write(1);
    await until(() => stranger.sink.health().state).toBe('failing');
    const unknown = open(collector.url);
    unknown.write(1);
    await until(() => unknown.sink.health().lastError).toContain('certificate');
  });
});

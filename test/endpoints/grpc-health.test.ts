import { afterEach, describe, expect, test } from 'vitest';
import { encodeCheck } from '../support/ext-authz-wire.ts';
import { frame, readAnswer, readFrames } from '../support/grpc-client.ts';
import { CHECK, type Fixture, startGrpc, tokenPep } from '../support/grpc-fixture.ts';
import { delimited, numberOf, readWire } from '../support/proto-wire.ts';

const HEALTH = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';
const SERVICE = 'envoy.service.auth.v3.Authorization';
const [SERVING, NOT_SERVING, SERVICE_UNKNOWN] = [1, 2, 3];

let server: Fixture;
afterEach(() => server.close());

const request = (service: string) => (service === '' ? Buffer.alloc(0) : delimited(1, service));
const status = (message: Buffer) => numberOf(readWire(message), 1);

describe('grpc.health.v1.Health/Check', () => {
  const health = async (service = '') => {
    const answer = await server.client.unary(HEALTH, request(service));
    return [answer.grpcStatus, ...answer.messages.map(status)];
  };

  test('the server and the service, whoever asks', async () => {
    server = await startGrpc({ peps: [tokenPep([])] });
    expect(await health()).toEqual([0, SERVING]);
    expect(await health(SERVICE)).toEqual([0, SERVING]);
  });

  test('an unknown service is NOT_FOUND, bytes that are no request INVALID_ARGUMENT', async () => {
    server = await startGrpc();
    expect(await health('other.Service')).toEqual([5]);
    expect((await server.client.unary(HEALTH, Buffer.from([0xff]))).grpcStatus).toBe(3);
    expect((await server.client.raw(HEALTH, [frame(Buffer.alloc(5_000))])).grpcStatus).toBe(3);
    expect((await server.client.raw(HEALTH, [])).grpcStatus).toBe(3);
  });

  test('not ready is NOT_SERVING, and turns by itself', async () => {
    let ready = false;
    server = await startGrpc({ ready: () => ready });
    expect(await health()).toEqual([0, NOT_SERVING]);
    ready = true;
    expect(await health()).toEqual([0, SERVING]);
  });

  test('a readiness that throws is a failure, never SERVING', async () => {
    server = await startGrpc({
      ready: () => {
        throw new Error('boom');
      },
    });
    expect(await health()).toEqual([13]);
  });

  test('after notice NOT_SERVING, and checks are answered still', async () => {
    server = await startGrpc();
    server.listener.notice();
    expect(await health()).toEqual([0, NOT_SERVING]);
    expect(await health(SERVICE)).toEqual([0, NOT_SERVING]);
    expect((await server.client.unary(CHECK, encodeCheck({}))).grpcStatus).toBe(0);
  });
});

describe('grpc.health.v1.Health/Watch', () => {
  /** Statuses as they come, and a way to wait for the nth. */
  const watch = (service: string) => {
    const stream = server.client.open(WATCH);
    const answer = readAnswer(stream);
    stream.end(frame(request(service)));
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const statuses = () => readFrames(Buffer.concat(chunks)).map(status);
    const until = async (count: number) => {
      while (statuses().length < count) await new Promise((resolve) => stream.once('data', resolve));
      return statuses();
    };
    return { stream, answer, until };
  };

  test('the first status comes at once, the next with notice, and stop ends the watch', async () => {
    server = await startGrpc();
    const { until, answer } = watch(SERVICE);
    expect(await until(1)).toEqual([SERVING]);
    server.listener.notice();
    expect(await until(2)).toEqual([SERVING, NOT_SERVING]);
    await server.listener.stop(60_000);
    expect((await answer).grpcStatus).toBe(14);
  });

  test('readiness that changes is told', async () => {
    let ready = false;
    server = await startGrpc({ ready: () => ready });
    const { until, stream } = watch('');
    expect(await until(1)).toEqual([NOT_SERVING]);
    ready = true;
    expect(await until(2)).toEqual([NOT_SERVING, SERVING]);
    stream.close();
  });

  test('an unknown service is SERVICE_UNKNOWN, and the watch stays open', async () => {
    server = await startGrpc();
    const { until, stream } = watch('other.Service');
    expect(await until(1)).toEqual([SERVICE_UNKNOWN]);
    server.listener.notice();
    await server.client.unary(HEALTH, request(''));
    expect(stream.closed).toBe(false);
    expect(await until(1)).toEqual([SERVICE_UNKNOWN]);
  });
});

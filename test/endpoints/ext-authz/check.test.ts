import { afterEach, describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/contract/decision.ts';
import { encodeCheck, headerOf } from '../../support/ext-authz-wire.ts';
import { frame } from '../../support/grpc-client.ts';
import { CHECK, checkOf, decision, denial, type Fixture, PEP_TOKEN, startGrpc, tokenPep } from '../../support/grpc-fixture.ts';

let server: Fixture;
afterEach(() => server.close());

const never = new Promise<Decision>(() => {});

describe('a decision is an OK RPC', () => {
  test('an allow carries the identity headers by overwrite', async () => {
    server = await startGrpc();
    const check = await server.check();
    expect(check.code).toBe(0);
    expect(check.ok?.headers).toEqual([{ key: 'x-countersign-subject', value: 'agent-7', appendAction: 2 }]);
    expect(check.ok?.remove).toEqual(['x_countersign_subject']);
    expect(check.denied).toBeNull();
  });

  test('a later decision is answered like one at once', async () => {
    server = await startGrpc({ decide: async () => denial(429) });
    const check = await server.check();
    expect([check.code, check.denied?.status]).toEqual([8, 429]);
  });

  test('[asks 7] a failure to decide is no RPC failure', async () => {
    server = await startGrpc({ decide: () => denial(503, { error: { code: 'policy_not_loaded' } }) });
    const check = await server.check();
    expect([check.code, check.denied?.status, headerOf(check.denied?.headers, 'x-countersign-error')]).toEqual([
      13,
      503,
      'policy_not_loaded',
    ]);
  });

  test('a call with a lot of metadata is answered: to reset it would be an RPC failure', async () => {
    server = await startGrpc();
    const metadata = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`x-trace-${index}`, 'v']));
    expect((await server.check({}, metadata)).code).toBe(0);
  });

  test('[asks 94] a PDP that throws, at once or later, is a denied 503', async () => {
    for (const decide of [
      () => {
        throw new Error('boom');
      },
      () => Promise.reject(new Error('boom')),
    ]) {
      server = await startGrpc({ decide });
      const check = await server.check();
      expect([check.code, check.denied?.status, check.ok]).toEqual([13, 503, null]);
      expect(headerOf(check.denied?.headers, 'x-countersign-error')).toBe('internal_error');
      expect(server.log.map(({ event }) => event)).toContain('check_failed');
      await server.close();
    }
  });

  test('[asks 94] a PDP that gives no decision at all never allows', async () => {
    const results: unknown[] = [null, undefined, {}, { effect: 'ALLOW' }, { effect: true }, { ...decision(), effect: ['allow'] }];
    for (const result of results) {
      // @ts-expect-error the wrong type is what is tried
      server = await startGrpc({ decide: () => result });
      const check = await server.check();
      expect(check.code).not.toBe(0);
      expect(check.ok).toBeNull();
      await server.close();
    }
    server = await startGrpc();
  });
});

describe('what cannot be asked is denied by an OK RPC', () => {
  const denied = async (data: Uint8Array[], metadata = {}) => {
    const check = checkOf(await server.client.raw(CHECK, data, { metadata }));
    expect(check.code).not.toBe(0);
    expect(check.ok).toBeNull();
    return [check.denied?.status, headerOf(check.denied?.headers, 'x-countersign-error')];
  };

  test('bytes that are no message, text that is no UTF-8, no HTTP request, nothing at all', async () => {
    server = await startGrpc();
    const badUtf8 = encodeCheck({ http: { path: '/x', headers: [['a', 'b']] } });
    badUtf8.set([0xff, 0xfe], badUtf8.indexOf('/x'));
    for (const bytes of [Buffer.from([1, 2, 3]), badUtf8, encodeCheck({ http: null }), Buffer.alloc(0), Buffer.from([0x0a, 0xff, 0xff])]) {
      expect(await denied([frame(bytes)])).toEqual([400, 'request_message_invalid']);
    }
    expect(server.asked).toEqual([]);
  });

  test('nesting without end', async () => {
    server = await startGrpc({ peps: [tokenPep(['claims'])] });
    let nested: object = {};
    for (let depth = 0; depth < 500; depth++) nested = { a: nested };
    const message = encodeCheck({ filterMetadata: { 'envoy.filters.http.jwt_authn': JSON.parse(JSON.stringify(nested)) } });
    expect(await denied([frame(message)], { 'x-countersign-pep-token': PEP_TOKEN })).toEqual([400, 'request_message_invalid']);
  });

  test('a compressed message', async () => {
    server = await startGrpc();
    expect(await denied([frame(encodeCheck({}), 1)])).toEqual([400, 'request_message_invalid']);
  });

  test('[asks 16] 3.9 MB is answered, 5 MB is drained and denied by 413', async () => {
    server = await startGrpc({ deadlineMs: 5_000 });
    const large = (bytes: number) =>
      frame(encodeCheck({ http: { method: 'POST', path: '/', host: 'h', body: Buffer.alloc(bytes, 0x61) } }));
    const good = await server.client.raw(CHECK, [large(3_900_000)]);
    expect(checkOf(good).code).toBe(0);
    expect(await denied([large(5_000_000)])).toEqual([413, 'message_too_large']);
    expect(server.asked).toHaveLength(1);
  });

  test('a gateway that is not known: 403 and never the 401 of a client', async () => {
    const refused: string[] = [];
    server = await startGrpc({ peps: [tokenPep([])], onRefused: (code) => refused.push(code) });
    for (const metadata of [
      {},
      { 'x-countersign-pep-token': 'wrong' },
      { 'x-countersign-pep-token': '' },
      { authorization: `Bearer ${PEP_TOKEN}` },
    ]) {
      expect(await denied([frame(encodeCheck({}))], metadata)).toEqual([403, 'pep_unauthenticated']);
    }
    expect(server.asked).toEqual([]);
    expect((await server.check({}, { 'x-countersign-pep-token': PEP_TOKEN })).code).toBe(0);
    expect(refused).toEqual(Array(4).fill('pep_unauthenticated'));
    // the connection was authenticated once, which must not hold for a call without the token
    expect(await denied([frame(encodeCheck({}))])).toEqual([403, 'pep_unauthenticated']);
  });

  test('a policy that the gateway may not ask for', async () => {
    server = await startGrpc({ peps: [tokenPep([], ['default'])], policyNames: ['default', 'payments'] });
    const metadata = { 'x-countersign-pep-token': PEP_TOKEN };
    expect(await denied([frame(encodeCheck({ contextExtensions: { policy: 'payments' } }))], metadata)).toEqual([
      403,
      'policy_not_allowed',
    ]);
    expect(server.asked).toEqual([]);
  });

  test('a refusal at the border never becomes an error_response', async () => {
    server = await startGrpc({ errorResponse: true, deadlineMs: 5_000 });
    for (const data of [[frame(Buffer.from([1, 2, 3]))], [frame(encodeCheck({}), 1)], [frame(Buffer.alloc(5_000_000))]]) {
      const check = checkOf(await server.client.raw(CHECK, data));
      expect(check.error).toBeNull();
      expect(check.denied).not.toBeNull();
    }
  });
});

describe('deadlines', () => {
  test('a decision that does not come is a denied 503 within the configured time', async () => {
    server = await startGrpc({ decide: () => never, deadlineMs: 30 });
    const check = await server.check();
    expect([check.code, check.denied?.status, headerOf(check.denied?.headers, 'x-countersign-error')]).toEqual([
      13,
      503,
      'deadline_exceeded',
    ]);
  });

  test('a shorter grpc-timeout is kept, less the way back', async () => {
    server = await startGrpc({ decide: () => never, deadlineMs: 60_000 });
    for (const timeout of ['60m', '50000u', '9m', '0S', '1n']) {
      const check = await server.check({}, { 'grpc-timeout': timeout });
      expect([check.denied?.status, headerOf(check.denied?.headers, 'x-countersign-error')]).toEqual([503, 'deadline_exceeded']);
    }
  });

  test('the question carries the shorter of the two deadlines', async () => {
    server = await startGrpc({ deadlineMs: 150 });
    const before = performance.now();
    await server.check({}, { 'grpc-timeout': '1000m' });
    await server.check({}, { 'grpc-timeout': '10S' });
    await server.check({}, { 'grpc-timeout': '110m' });
    const after = performance.now();
    const [configured, alsoConfigured, shorter] = server.asked.map(({ deadlineAtMs }) => deadlineAtMs);
    for (const [deadlineAtMs, budgetMs] of [
      [configured, 150],
      [alsoConfigured, 150],
      [shorter, 100],
    ]) {
      expect(deadlineAtMs).toBeGreaterThanOrEqual(before + (budgetMs ?? 0));
      expect(deadlineAtMs).toBeLessThanOrEqual(after + (budgetMs ?? 0));
    }
  });

  test('a message that does not come to its end is denied in time, one too long as what it is', async () => {
    server = await startGrpc({ deadlineMs: 30 });
    const half = checkOf(await server.client.raw(CHECK, [frame(encodeCheck({})).subarray(0, 20)], { halfOpen: true }));
    expect([half.code, half.denied?.status]).toEqual([13, 503]);
    const tooLong = checkOf(await server.client.raw(CHECK, [frame(Buffer.alloc(10), 0, 500_000_000)], { halfOpen: true }));
    expect([tooLong.code, tooLong.denied?.status]).toEqual([8, 413]);
  });

  test('error_response is for failures to decide, and only by switch', async () => {
    server = await startGrpc({ decide: () => never, deadlineMs: 30, errorResponse: true });
    const check = await server.check();
    expect([check.code, check.denied, check.error?.status]).toEqual([13, null, 503]);
  });

  test('a decision that comes too late changes nothing', async () => {
    const late: ((made: Decision) => void)[] = [];
    server = await startGrpc({ deadlineMs: 20, decide: () => new Promise((resolve) => late.push(resolve)) });
    expect((await server.check()).denied?.status).toBe(503);
    for (const make of late) make(decision());
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.log.map(({ event }) => event)).toEqual(['check_expired']);
    expect((await server.check()).denied?.status).toBe(503);
  });
});

describe('only these are RPC failures', () => {
  test('an unknown method, an unknown service', async () => {
    server = await startGrpc();
    for (const path of ['/envoy.service.auth.v3.Authorization/Chek', '/envoy.service.auth.v2.Authorization/Check', '/', '/__proto__']) {
      const answer = await server.client.unary(path, encodeCheck({}));
      expect([answer.httpStatus, answer.grpcStatus, answer.trailersOnly]).toEqual([200, 12, true]);
    }
  });

  test('framing that holds no message, or two', async () => {
    server = await startGrpc();
    const whole = frame(encodeCheck({}));
    for (const data of [[], [Buffer.from([0, 0])], [whole.subarray(0, 30)], [whole, whole], [whole, Buffer.from([0])]]) {
      const answer = await server.client.raw(CHECK, data);
      expect([answer.grpcStatus, answer.messages.length]).toEqual([13, 0]);
    }
    expect(server.asked).toEqual([]);
  });

  test('a request that is not gRPC is answered by HTTP', async () => {
    server = await startGrpc();
    const answers = await Promise.all([
      server.client.unary(CHECK, encodeCheck({}), { 'content-type': 'application/json' }),
      server.client.unary(CHECK, encodeCheck({}), { 'content-type': 'application/grpc-web' }),
      server.client.unary(CHECK, encodeCheck({}), { ':method': 'GET' }),
    ]);
    expect(answers.map(({ httpStatus, messages }) => [httpStatus, messages.length])).toEqual([
      [415, 0],
      [415, 0],
      [415, 0],
    ]);
    const other = await server.client.unary(CHECK, encodeCheck({}), { 'content-type': 'application/grpc+proto' });
    expect(checkOf(other).code).toBe(0);
  });

  test('a message may come in any number of pieces', async () => {
    server = await startGrpc();
    const whole = frame(encodeCheck({}));
    const pieces = [...whole].map((byte) => Buffer.from([byte]));
    expect(checkOf(await server.client.raw(CHECK, pieces)).code).toBe(0);
    expect(server.asked[0]?.http?.path).toBe('/orders');
  });
});

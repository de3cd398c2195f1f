import { Agent, request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import type { Listener } from '../../src/contract/lifecycle.ts';
import { type Admission, createAdmission } from '../../src/endpoints/admission.ts';
import { createPepAuth } from '../../src/endpoints/pep-auth.ts';
import { headerOf } from '../support/ext-authz-wire.ts';
import { frame } from '../support/grpc-client.ts';
import { CHECK, decision, PEP_TOKEN, startGrpc, tokenPep } from '../support/grpc-fixture.ts';
import { ALLOW, ask, createMemoryLogger, pepOptions, QUESTION, serve, sha256 } from './fixtures.ts';

/* There is no room: every protocol says so in its own words, fails closed, and asks nobody. */

const opened: Listener[] = [];
afterEach(async () => {
  for (const listener of opened.splice(0)) await listener.stop(1000);
});

const clock = { monotonic: () => performance.now() };
const admissionOf = (heldBytesMax: number, queueMs: number | null = null) =>
  createAdmission({ heldBytesMax, queueMs, clock, logger: createMemoryLogger() });
/** Everything has waited too long. */
function full(): Admission {
  const enter: Admission['enter'] = (work) => work(true);
  const admission = admissionOf(1 << 20);
  return { ...admission, enter, held: { ...admission.held, enter } };
}
/** Busy for so long, so that nothing else is done in the meantime. */
function busy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

async function served(...[decide, more]: Parameters<typeof serve>) {
  const http = await serve(decide, more);
  opened.push(http.listener);
  return http;
}
async function servedGrpc(options: Parameters<typeof startGrpc>[0]) {
  const grpc = await startGrpc(options);
  opened.push({ ...grpc.listener, stop: () => grpc.close() });
  return grpc;
}

describe('over HTTP', () => {
  test('each protocol refuses in its own form', async () => {
    const nginx = pepOptions('nginx', [], { tokenSha256: sha256('nginx-token'), dialect: 'nginx', policies: ['default'] });
    const pepAuth = createPepAuth([pepOptions('local', [], { anonymous: true }), nginx], ['default']);
    const batch = { decideBatch: () => [] };
    const at = await served(undefined, { admission: full(), pepAuth, authzen: { batch, publicUrl: null, evaluationsMax: 5 } });
    const told = async (answer: Response) => ({
      status: answer.status,
      retry: answer.headers.get('retry-after'),
      text: await answer.text(),
    });
    expect(await told(await ask(at, QUESTION))).toMatchObject({ status: 503, retry: '1', text: expect.stringContaining('"overloaded"') });
    const checked = await fetch(`${at.url}/envoy/orders`);
    expect([checked.status, checked.headers.get('x-countersign-error'), checked.headers.get('retry-after')]).toEqual([
      403,
      'overloaded',
      '1',
    ]);
    const forwarded = await fetch(`${at.url}/forward-auth`, { headers: { 'x-countersign-pep-token': 'nginx-token' } });
    const header = (name: string) => forwarded.headers.get(`x-countersign-${name}`);
    expect([forwarded.status, header('status'), header('error'), header('decision')]).toEqual([403, '503', 'overloaded', 'deny']);
    const evaluated = await ask(at, {}, {}, '/access/v1/evaluation');
    expect([evaluated.status, evaluated.headers.get('content-type')]).toEqual([503, 'text/plain; charset=utf-8']);
    expect([at.asked, at.refused]).toEqual([[], ['overloaded', 'overloaded', 'overloaded', 'overloaded']]);
  });

  test('a burst is answered from its front, and the rest is refused unprocessed', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const opening = { done: false };
    const decide = () => {
      if (!opening.done) return gate.then(() => ALLOW);
      busy(20);
      return ALLOW;
    };
    const at = await served(decide, { admission: admissionOf(1 << 20, 30) });
    const agent = new Agent({ keepAlive: true, maxSockets: 40 });
    const headers = { 'content-type': 'application/json' };
    const one = () =>
      new Promise<number>((resolve, reject) => {
        const sent = request({ agent, port: at.port, method: 'POST', path: '/decide', headers }, (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
        });
        sent.on('error', reject).end(JSON.stringify(QUESTION));
      });
    const round = () => Promise.all(Array.from({ length: 40 }, one));
    // the connections that gateways keep open: node accepts new ones one a turn
    const first = round();
    while (at.asked.length < 40) await new Promise((resolve) => setTimeout(resolve, 5));
    release();
    await first;
    opening.done = true;
    at.asked.length = 0;
    const statuses = await round();
    agent.destroy();
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(at.asked).toHaveLength(statuses.filter((status) => status === 200).length);
  });

  test('a body counts until its request is answered, and no longer', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const admission = admissionOf(1 << 20);
    const at = await served(() => gate.then(() => ALLOW), { admission });
    const held = ask(at, QUESTION);
    while (at.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(admission.held.heldBytes).toBe(JSON.stringify(QUESTION).length);
    release();
    expect((await held).status).toBe(200);
    await expect.poll(() => admission.held.heldBytes).toBe(0);
  });
});

describe('over gRPC', () => {
  test('a check is an RPC that is OK with a denied 503; health is answered, and who is unknown is still unknown', async () => {
    const grpc = await servedGrpc({ admission: full(), peps: [tokenPep([])] });
    const { denied } = await grpc.check({}, { 'x-countersign-pep-token': PEP_TOKEN });
    const told = ['x-countersign-error', 'retry-after'].map((name) => headerOf(denied?.headers, name));
    expect([denied?.status, ...told]).toEqual([503, 'overloaded', '1']);
    expect((await grpc.check({}, {})).denied?.status).toBe(403);
    const health = await grpc.client.unary('/grpc.health.v1.Health/Check', Buffer.alloc(0));
    expect([health.grpcStatus, health.messages[0]?.at(-1)]).toEqual([0, 1]);
    expect(grpc.asked).toEqual([]);
  });

  test('more checks at work than may be are denied, and the ones at work are answered', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const grpc = await servedGrpc({ inFlightMax: 2, deadlineMs: 10_000, decide: () => gate.then(() => decision()) });
    const held = [grpc.check(), grpc.check()];
    while (grpc.asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await grpc.check()).denied?.status).toBe(503);
    release();
    for (const answer of await Promise.all(held)) expect(answer.denied).toBeNull();
    expect((await grpc.check()).denied).toBeNull();
  });

  test('a burst is answered from its front, and the rest is denied unprocessed', async () => {
    const decide = () => {
      busy(10);
      return decision();
    };
    const grpc = await servedGrpc({ admission: admissionOf(1 << 20, 30), deadlineMs: 10_000, decide });
    const burst = Array.from({ length: 60 }, () => grpc.check());
    const statuses = (await Promise.all(burst)).map(({ denied }) => denied?.status ?? 200);
    const allowed = statuses.filter((status) => status === 200).length;
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(grpc.asked).toHaveLength(allowed);
    expect(statuses[0]).toBe(200);
  });

  test('whose time is over while they wait are told so, and are not decided', async () => {
    const decide = () => {
      busy(10);
      return decision();
    };
    const grpc = await servedGrpc({ admission: admissionOf(1 << 20), deadlineMs: 10_000, decide });
    const burst = Array.from({ length: 40 }, () => grpc.check({}, { 'grpc-timeout': '60m' }));
    const answers = await Promise.all(burst);
    const late = answers.filter(({ denied }) => headerOf(denied?.headers, 'x-countersign-error') === 'deadline_exceeded');
    expect(late.length).toBeGreaterThan(0);
    expect(late.map(({ denied }) => denied?.status)).toEqual(late.map(() => 503));
    expect(grpc.asked.length + late.length).toBe(answers.length);
  });

  test('health has its turn while questions wait', async () => {
    const decide = () => {
      busy(10);
      return decision();
    };
    const grpc = await servedGrpc({ admission: admissionOf(1 << 20), deadlineMs: 10_000, decide });
    const burst = Array.from({ length: 40 }, () => grpc.check());
    while (grpc.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const health = await grpc.client.unary('/grpc.health.v1.Health/Check', Buffer.alloc(0));
    expect([health.grpcStatus, health.messages[0]?.at(-1)]).toEqual([0, 1]);
    expect(grpc.asked.length).toBeLessThan(40);
    await Promise.all(burst);
  });
});

test('bytes are bounded over both protocols together', async () => {
  const admission = admissionOf(6000);
  const at = await served(undefined, { admission });
  const grpc = await servedGrpc({ admission });
  const open = grpc.client.open(CHECK);
  open.write(frame(Buffer.alloc(5000)).subarray(0, 5000));
  await expect.poll(() => admission.held.heldBytes).toBe(5000);
  const large = { ...QUESTION, context: { filler: 'x'.repeat(2000) } };
  expect((await ask(at, large)).status).toBe(503);
  expect((await grpc.check({ http: { path: `/${'a'.repeat(2000)}` } })).denied?.status).toBe(503);
  expect((await ask(at, QUESTION)).status).toBe(200);
  expect(admission.status().shed.bytes).toBe(2);
  open.close();
  await expect.poll(() => admission.held.heldBytes).toBe(0);
  expect((await ask(at, large)).status).toBe(200);
  expect((await grpc.check()).denied).toBeNull();
});

import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import type { GatewayName } from '../support/gateways.ts';
import { createForwardWorld, type ForwardWorld } from './forward-auth-world.ts';
import { headerValues } from './world.ts';

/** The same recipes for clients that speak HTTP/2, which has no Host, no Connection and other limits. */

const NAMES = ['nginx', 'haproxy', 'caddy', 'envoy'] as const;

let world: ForwardWorld;
let service: Countersign;
let reader: string;
const ports = new Map<GatewayName, number>();

beforeAll(async () => {
  world = await createForwardWorld();
  service = await world.forwardService();
  reader = await world.bearer('agent-a', 'orders:read');
  for (const [name, port] of await Promise.all(NAMES.map(async (one) => [one, (await world.gateway(one, service)).tlsPort] as const))) {
    ports.set(name, port);
  }
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };

/** `reset` where the stream was reset, which is a refusal too. */
function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders | readonly string[], body?: string): Promise<Answer | 'reset'> {
  return new Promise((resolve) => {
    const stream = session.request(headers, { endStream: body === undefined });
    let answer: { status: number; headers: IncomingHttpHeaders } = { status: 0, headers: {} };
    let text = '';
    stream.setEncoding('utf8');
    stream.on('response', (received) => {
      answer = { status: Number(received[':status']), headers: received };
    });
    stream.on('data', (chunk: string) => {
      text += chunk;
    });
    stream.on('error', () => resolve('reset'));
    stream.on('close', () => resolve(answer.status === 0 ? 'reset' : { ...answer, body: text }));
    stream.end(body);
  });
}

const statusOf = (answer: Answer | 'reset') => (answer === 'reset' ? answer : answer.status);

describe.each(NAMES)('%s over HTTP/2', (name) => {
  let session: ClientHttp2Session;
  beforeAll(() => {
    const { pem: cert, keyPem: key } = world.ofA;
    const options = { ca: world.authority.pem, servername: 'localhost', cert, key, strictSingleValueFields: false };
    session = connect(`https://127.0.0.1:${ports.get(name)}`, options);
    session.on('error', () => {});
  });
  afterAll(() => session.destroy());

  const to = (path: string, more: OutgoingHttpHeaders = {}): OutgoingHttpHeaders => ({ ':authority': 'localhost', ':path': path, ...more });

  it('allows, with who asked, the host and nothing that the client made up', async () => {
    const forged = { 'x-countersign-subject': 'forged', x_countersign_subject: 'forged', 'x.countersign.subject': 'forged' };
    expect(statusOf(await ask(session, to('/orders/42?a=1', { authorization: reader, ...forged })))).toBe(200);
    const reached = world.upstream.requests[0];
    expect([reached?.url, reached?.headers.host]).toEqual(['/orders/42?a=1', 'localhost']);
    expect(headerValues(reached?.rawHeaders ?? [], 'x-countersign-subject')).toEqual(['agent-a']);
    expect(reached?.rawHeaders).not.toContain('forged');
  });

  it('refuses with the challenge and the body', async () => {
    const answer = await ask(session, to('/orders', {}));
    expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': expect.stringMatching(/^Bearer/) } });
    expect(answer).toMatchObject({ body: expect.stringContaining('decision_id') });
    expect(world.upstream.begun).toBe(0);
  });

  it('takes the certificate of the connection', async () => {
    const payer = await world.bearer('agent-a', 'payments:write');
    expect(statusOf(await ask(session, to('/payments', { ':method': 'POST', authorization: payer }), '{}'))).toBe(200);
    expect(world.upstream.requests[0]?.headers['x-countersign-assurance']).toBe('3');
  });

  it('sends no other host on than the one that was decided about', async () => {
    const answer = await ask(session, to('/orders', { authorization: reader, host: 'other.example' }));
    expect([200, 400, 421, 'reset']).toContain(statusOf(answer));
    for (const { headers } of world.upstream.requests) expect(headers.host).toBe('localhost');
  });

  it('chooses none of two tokens', async () => {
    const target = [':method', 'GET', ':scheme', 'https', ':authority', 'localhost', ':path', '/orders'];
    expect(statusOf(await ask(session, [...target, 'authorization', reader]))).toBe(200);
    world.upstream.clear();
    const answer = await ask(session, [...target, 'authorization', reader, 'authorization', reader]);
    expect([400, 401, 'reset']).toContain(statusOf(answer));
    expect(world.upstream.begun).toBe(0);
  });
});

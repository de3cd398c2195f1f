import type { ServerResponse } from 'node:http';
import { afterAll, describe, expect, test } from 'vitest';
import type { Logger } from '../../../src/contract/stages.ts';
import { CircuitBreaker } from '../../../src/stores/circuit-breaker.ts';
import { type Answer, hang } from '../../support/introspection-server.ts';
import { silentLogger } from '../fixtures.ts';
import { ACTIVE, createIntrospectionBench, type IntrospectionBench } from './fixtures.ts';

const benches: IntrospectionBench[] = [];
async function bench(...given: Parameters<typeof createIntrospectionBench>): Promise<IntrospectionBench> {
  const made = await createIntrospectionBench(...given);
  benches.push(made);
  return made;
}
afterAll(() => Promise.all(benches.map(({ server }) => server.stop())));

const text =
  (body: string, status = 200, type = 'application/json') =>
  (response: ServerResponse): void =>
    void response.writeHead(status, { 'content-type': type }).end(body);
const good = JSON.stringify(ACTIVE);

describe('a server that does not answer as it should never lets anybody in', () => {
  test.each<[string, Answer]>([
    ['500', text(good, 500)],
    ['503 with a page', text('<html>down</html>', 503, 'text/html')],
    ['400', text('{"error":"invalid_request"}', 400)],
    ['401, our secret is wrong', text('{"error":"invalid_client"}', 401)],
    ['403', text(good, 403)],
    ['201', text(good, 201)],
    ['a redirect', (response) => void response.writeHead(302, { location: '/introspect2' }).end()],
    ['a page of HTML', text('<html>login</html>', 200, 'text/html')],
    ['JSON of another content type', text(good, 200, 'text/plain')],
    ['a JWT that was not asked for (RFC 9701)', text('e30.e30.', 200, 'application/token-introspection+jwt')],
    ['no JSON', text('{"active": true')],
    ['nothing', text('')],
    ['a list', text('[true]')],
    ['null', text('null')],
    ['no `active`', { sub: 'alice' }],
    ['`active` as a text', { ...ACTIVE, active: 'true' }],
    ['`active` as a number', { ...ACTIVE, active: 1 }],
    ['`active` twice', text('{"active":false,"token_type":"Bearer","active":true}')],
    ['`__proto__`', text(`{"__proto__":{"active":true},${good.slice(1)}`)],
    [
      'bytes that are no UTF-8',
      (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.from([0x7b, 0xff])),
    ],
    ['too much', { ...ACTIVE, padding: 'x'.repeat(70_000) }],
    ['a connection that breaks', (response) => void response.socket?.destroy()],
  ])('%s', async (_what, answer) => {
    const { judge, server, identifier } = await bench();
    server.answer = () => answer;
    expect(await judge('good')).toBe('unavailable introspection_unavailable');
    const [status] = identifier.status().introspection?.servers ?? [];
    expect(status).toMatchObject({ state: 'failing', answers: { active: 0, inactive: 0, failed: 1 } });
    expect(status?.lastError).toMatch(/^(introspection_(refused|invalid)|fetch_(failed|too_large))$/);
    server.answer = () => ACTIVE;
    expect(await judge('good')).toBe('present');
    expect(identifier.status().introspection?.servers[0]).toMatchObject({ state: 'ready', lastError: null });
  });

  test('one that is away', async () => {
    const { judge, server } = await bench();
    await server.stop();
    expect(await judge('good')).toBe('unavailable introspection_unavailable');
  });

  test('one that hangs: the request is answered within its deadline, and what comes late serves the next', async () => {
    const { judge, server } = await bench();
    let open = (): void => undefined;
    server.gate = new Promise((resolve) => {
      open = resolve;
    });
    expect(await judge('good', { deadlineMs: 60 })).toBe('unavailable introspection_unavailable');
    const waiting = judge('good');
    open();
    expect(await waiting).toBe('present');
    expect(server.asked).toHaveLength(1);
  });

  test('one that hangs for ever: the question ends by timeoutMs', async () => {
    const { judge, server, identifier } = await bench(undefined, { introspection: { timeoutMs: 50 } });
    server.answer = () => hang;
    expect(await judge('good')).toBe('unavailable introspection_unavailable');
    expect(identifier.status().introspection?.servers[0]).toMatchObject({ inFlight: 0, lastError: 'fetch_failed' });
  });

  test('a known token does not notice', async () => {
    const { judge, server } = await bench();
    expect(await judge('good')).toBe('present');
    await server.stop();
    expect(await judge('good')).toBe('present');
  });
});

describe('a server is spared', () => {
  test('by one address: after so many tokens that are not active its unknown ones are asked about no more', async () => {
    const { judge, server } = await bench(undefined, { options: { verificationBudget: { failuresPerMinute: 3, addressesMax: 10 } } });
    for (let index = 0; index < 3; index++) expect(await judge(`random-${index}`)).toBe('invalid token_inactive');
    expect(await judge('random-4')).toBe('unavailable verification_budget_exhausted');
    expect(await judge('random-0')).toBe('invalid token_inactive');
    expect(await judge('good', { ip: '198.51.100.9' })).toBe('present');
    expect(await judge('good')).toBe('present');
    expect(server.asked).toHaveLength(4);
  });

  test('by many at once: no more than concurrencyMax questions, the rest is unavailable', async () => {
    const { judge, server, identifier } = await bench(undefined, { introspection: { concurrencyMax: 2 } });
    let open = (): void => undefined;
    server.gate = new Promise((resolve) => {
      open = resolve;
    });
    const all = ['a', 'b', 'c', 'd', 'a'].map((token) => judge(token));
    expect(await Promise.all(all.slice(2, 4))).toEqual(Array(2).fill('unavailable introspection_unavailable'));
    expect(identifier.status().introspection?.servers[0]).toMatchObject({ inFlight: 2, shed: 2 });
    open();
    expect(await Promise.all([all[0], all[1], all[4]])).toEqual(Array(3).fill('invalid token_inactive'));
    expect(server.asked).toHaveLength(2);
  });

  test('where it fails again and again: it is left alone, and tried once after a while', async () => {
    let nowMs = 0;
    const breaker = new CircuitBreaker({ failuresMax: 2, openMs: 1000 }, () => nowMs);
    const { judge, server, identifier } = await bench(undefined, { parts: { createBreaker: () => breaker } });
    const state = () => identifier.status().introspection?.servers[0]?.state;
    expect(state()).toBe('never_asked');
    server.answer = () => text('', 500);
    for (const token of ['a', 'b', 'c', 'd']) expect(await judge(token)).toBe('unavailable introspection_unavailable');
    expect(server.asked).toHaveLength(2);
    expect(state()).toBe('open');
    nowMs = 1001;
    server.answer = () => ACTIVE;
    expect(await judge('e')).toBe('present');
    expect(state()).toBe('ready');
    expect(await judge('f')).toBe('present');
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['redirects', (response) => void response.writeHead(302, { location: '/login' }).end()],
    ['shows a page', (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>')],
  ])('where it %s, which no token makes it do: it is left alone, and no caller pays', async (_, answer) => {
    const breaker = new CircuitBreaker({ failuresMax: 3, openMs: 60_000 }, () => 0);
    const options = { verificationBudget: { failuresPerMinute: 1, addressesMax: 10 } };
    const { judge, server } = await bench(undefined, { options, parts: { createBreaker: () => breaker } });
    server.answer = () => answer;
    for (const token of ['a', 'b', 'c', 'd', 'e']) expect(await judge(token)).toBe('unavailable introspection_unavailable');
    expect(server.asked).toHaveLength(3);
  });

  test('but not because of answers to odd tokens: one client cannot take it away from the others', async () => {
    const breaker = new CircuitBreaker({ failuresMax: 1, openMs: 60_000 }, () => 0);
    const { judge, server } = await bench(undefined, { parts: { createBreaker: () => breaker } });
    server.answer = ({ token }) => (token === 'odd' ? text('{"error":"invalid_request"}', 400) : ACTIVE);
    expect(await judge('odd')).toBe('unavailable introspection_unavailable');
    expect(await judge('good')).toBe('present');
  });
});

test('neither tokens nor secrets nor answers get into the log', async () => {
  const lines: string[] = [];
  const write = (event: string, fields?: Readonly<Record<string, unknown>>): void => void lines.push(`${event} ${JSON.stringify(fields)}`);
  const logger: Logger = { ...silentLogger, debug: write, info: write, warn: write, error: write };
  const { judge, server } = await bench(undefined, { parts: { logger } });
  server.answer = () => text('{"error":"alice-was-here"}', 401);
  await judge('opaque-token-text');
  server.answer = () => text('alice-was-here');
  await judge('opaque-token-text');
  server.answer = () => ACTIVE;
  await judge('opaque-token-text');
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['introspection_failed', 'introspection_failed', 'introspection_recovered']);
  expect(lines.join('\n')).not.toMatch(/opaque-token-text|s3cret|alice/);
});

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import type { Gateway } from '../support/gateways.ts';
import { type Received, send } from '../support/http-client.ts';
import { createForwardWorld, type ForwardWorld, tokenOf } from './forward-auth-world.ts';
import { decisionLines, jsonObject } from './world.ts';

/**
 * The same request by nginx and by `/decide`: the same effect, codes, status, challenge and Retry-After. Each way asks a service of its own, so
 * that what is counted and remembered is the same on both sides.
 */

const HOST = 'api.example.com';
const NO_LIMITS = { client: {}, address: {}, token: {}, route: {} };
const RUNS = 30;

type Asked = { readonly method: string; readonly path: string; readonly headers: readonly string[] };
/** What has to be the same; `null` where there is none. */
type Answer = {
  readonly effect: unknown;
  readonly reasons: unknown;
  readonly status: unknown;
  readonly challenge: string | null;
  readonly retryAfter: string | null;
};

let world: ForwardWorld;
let byNginx: Countersign;
let byDecide: Countersign;
let gateway: Gateway;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  world = await createForwardWorld();
  byNginx = await world.forwardService({}, { limits: { rate: NO_LIMITS } });
  byDecide = await world.forwardService({}, { limits: { rate: NO_LIMITS } });
  gateway = await world.gateway('nginx', byNginx);
  tokens['reader'] = await world.bearer('agent-a', 'orders:read');
  tokens['writer'] = await world.bearer('agent-b', 'orders:read', 'orders:write');
  tokens['payer'] = await world.bearer('agent-a', 'payments:write', 'admin');
  tokens['broken'] = `${tokens['reader']?.slice(0, -6)}AAAAAA`;
  tokens['scheme'] = 'Basic YTpi';
  tokens['empty'] = 'Bearer';
});
afterAll(() => world.stop());

const paths = [
  '/orders',
  '/orders/42',
  '/orders//42',
  '/orders/..%2fhealth',
  '/orders/a;b',
  '/payments',
  '/payments/7/refunds',
  '/admin/users/7',
];
const morePaths = ['/health', '/elsewhere', '/orders/42?x=1&x=2', '/orders/%7B1%7D', '/orders/%c3%a9', '/orders/%ff', '/', '/reports/a/b'];
const header = fc.constantFrom(
  ...['accept: text/html', 'user-agent: agent/1.0', 'x-forwarded-for: 198.51.100.9, 10.0.0.1', 'dpop: junk', 'x-api-key: junk'],
  ...['x-client-cert: junk', 'x-original-uri: /health', 'cookie: a=b', 'x-countersign-subject: forged', 'content-type: application/json'],
);
const asked = fc.record({
  method: fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'HEAD'),
  path: fc.constantFrom(...paths, ...morePaths),
  token: fc.constantFrom('none', 'reader', 'writer', 'payer', 'broken', 'scheme', 'empty'),
  headers: fc.uniqueArray(header, { maxLength: 4 }),
});

describe('nginx and /decide', () => {
  it(`answer ${RUNS} generated requests alike`, async () => {
    const effects = new Set<unknown>();
    const run = fc.asyncProperty(asked, async ({ token, headers, ...rest }) => {
      const lines = headers.flatMap((line) => line.split(/: (.*)/).slice(0, 2));
      const authorization = tokens[token];
      const request = { ...rest, headers: authorization === undefined ? lines : [...lines, 'authorization', authorization] };
      const answer = await nginx(request);
      effects.add(answer.effect);
      expect(answer).toEqual(await decide(request));
    });
    await fc.assert(run, { numRuns: RUNS, seed: 7 });
    expect(effects).toEqual(new Set(['allow', 'deny', 'step_up']));
  });
});

async function nginx({ method, path, headers }: Asked): Promise<Answer> {
  world.upstream.clear();
  const answer = await send(gateway.port, { method, path, headers: ['host', HOST, ...headers] });
  const id = answer.headers['x-countersign-decision-id'] ?? world.upstream.requests[0]?.headers['x-countersign-decision-id'];
  const line = await vi.waitFor(() => {
    const found = decisionLines(byNginx).find((one) => one['decision_id'] === id);
    if (found === undefined) throw new Error(`${method} ${path}: ${answer.status}, no decision ${id}`);
    return found;
  });
  // an allow's status is that of the upstream
  const passed = world.upstream.begun > 0;
  expect(passed).toBe(line['effect'] === 'allow');
  return { effect: line['effect'], reasons: line['reasons'], status: passed ? null : answer.status, ...told(answer.headers) };
}

async function decide({ method, path, headers }: Asked): Promise<Answer> {
  const fields: Record<string, string> = {};
  for (let index = 0; index < headers.length; index += 2) fields[headers[index] ?? ''] = headers[index + 1] ?? '';
  // what the recipe sets in place of the client's own
  delete fields['x-client-cert'];
  const body = { request: { method, scheme: 'http', host: HOST, path, headers: fields }, source: { ip: '127.0.0.1' } };
  const answer = await send(byDecide.httpPort, {
    method: 'POST',
    path: '/decide',
    headers: ['content-type', 'application/json', 'x-countersign-pep-token', tokenOf('app')],
    body: JSON.stringify(body),
  });
  const said = jsonObject(answer.body);
  const response = typeof said['response'] === 'object' ? { ...said['response'] } : {};
  const { status = null, headers: sent = {} } = response as { status?: number; headers?: Received['headers'] };
  const reasons = Array.isArray(said['reasons']) ? said['reasons'].map((reason: { code: string }) => reason.code) : null;
  return { effect: said['decision'], reasons, status, ...told(sent) };
}

function told(headers: Received['headers']): Pick<Answer, 'challenge' | 'retryAfter'> {
  return { challenge: headers['www-authenticate'] ?? null, retryAfter: headers['retry-after'] ?? null };
}

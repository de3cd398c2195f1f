import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import type { Envoy } from '../support/envoy.ts';
import { send } from '../support/http-client.ts';
import { createWorld, decisionLines, jsonObject, type World } from './world.ts';

/** A plain client asks `POST /decide` what Envoy asks over gRPC: the same request is the same decision, for the same reasons. */

let world: World;
let service: Countersign;
let envoy: Envoy;

beforeAll(async () => {
  world = await createWorld();
  service = await world.service({ decisions: { log: { sink: 'stdout' } } });
  envoy = await world.envoy([service]);
});
afterAll(() => world.stop());

describe('the same question through both doors', () => {
  it.each([
    ['an allow', 'GET', '/orders/42', ['orders:read'], 'allow', 200],
    ['a public route', 'GET', '/health', [], 'allow', 200],
    ['no token', 'GET', '/orders/42', [], 'deny', 401],
    ['an unknown route', 'GET', '/elsewhere', ['orders:read'], 'deny', 403],
    ['a missing scope', 'POST', '/orders', ['orders:read'], 'step_up', 403],
    ['too little assurance', 'POST', '/payments', ['payments:write'], 'step_up', 403],
  ] as const)('%s', async (_, method, path, scopes, effect, status) => {
    const bearer = scopes.length === 0 ? null : await world.bearer('agent-a', ...scopes);
    const throughEnvoy = await send(envoy.port, { method, path, headers: bearer === null ? [] : ['authorization', bearer] });
    expect(throughEnvoy.status).toBe(status);
    const direct = await decide({
      request: { method, scheme: 'http', host: `127.0.0.1:${envoy.port}`, path, headers: bearer === null ? {} : { authorization: bearer } },
      source: { ip: '127.0.0.1' },
    });
    expect(direct['decision']).toBe(effect);
    const lines = await twoLines(String(direct['decision_id']));
    expect(lines.map((line) => line['effect'])).toEqual([effect, effect]);
    expect(reasonCodes(lines[0])).toEqual(reasonCodes(lines[1]));
    expect(reasonCodes(direct)).toEqual(reasonCodes(lines[1]));
    if (effect === 'allow') {
      expect(direct['response']).toBeUndefined();
    } else {
      const response = direct['response'];
      expect(response).toMatchObject({ status });
      const { decision_id: _own, ...body } = jsonObject(throughEnvoy.body);
      expect(response).toMatchObject({ body });
    }
  });

  it('[asks 6] names the decision by one id in the answer, in the header and in the log', async () => {
    const bearer = await world.bearer('agent-a', 'orders:read');
    world.upstream.clear();
    await send(envoy.port, { path: '/orders', headers: ['authorization', bearer] });
    const allowed = world.upstream.requests[0]?.headers['x-countersign-decision-id'];
    const denied = jsonObject((await send(envoy.port, { path: '/orders' })).body)['decision_id'];
    await logged(String(denied));
    const ids = decisionLines(service).map((line) => line['decision_id']);
    expect(ids).toContain(allowed);
    expect(ids).toContain(denied);
  });
});

async function decide(body: object): Promise<Record<string, unknown>> {
  const answer = await send(service.httpPort, {
    method: 'POST',
    path: '/decide',
    headers: ['content-type', 'application/json'],
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
  expect(answer.headers['cache-control']).toBe('no-store');
  return jsonObject(answer.body);
}

/** The log is written behind the answers: waits for the line of this decision. */
async function logged(id: string): Promise<void> {
  await expect.poll(() => decisionLines(service).some((line) => line['decision_id'] === id), { timeout: 5_000 }).toBe(true);
}

/** The last two decisions, of which this is the second. */
async function twoLines(id: string): Promise<Record<string, unknown>[]> {
  await logged(id);
  return decisionLines(service).slice(-2);
}

function reasonCodes(of: Record<string, unknown> | undefined): unknown[] {
  const reasons = of?.['reasons'];
  if (!Array.isArray(reasons)) throw new Error('no reasons');
  return reasons.map((reason: unknown) => (typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : reason));
}

import { describe, expect, it, test } from 'vitest';
import type { Decision } from '../../../src/contract/decision.ts';
import { withRpcAnswer, withTargetScopes } from '../../../src/decide/mcp/answer.ts';
import { failedDecision } from '../../../src/decide/output.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { call, list, planOf, read } from './message.ts';

const POLICY = { name: 'default', revision: 'r1' };
const failed = failedDecision(SMOKE_FACTS.request, 'deadline_exceeded', POLICY, null);

function denied(status: number, details: Decision['reasons'][number]['details'], isPublic = true): Decision {
  return {
    ...failed,
    error: null,
    reasons: [{ code: 'mcp.x', effect: 'deny', title: 'Not this one', public: isPublic, details }],
    response: {
      status,
      headers: { 'content-type': 'application/problem+json', 'www-authenticate': 'Bearer', 'x-countersign-decision-id': 'id-1' },
      body: { type: 'about:blank', title: 'Forbidden', status, decision_id: 'id-1' },
    },
  };
}

describe('the answer to an MCP client', () => {
  it('is a JSON-RPC error with the id of its request, the status and the headers', () => {
    const { response } = withRpcAnswer(denied(403, {}), read(call('search')));
    expect(response).toEqual({
      status: 403,
      headers: { 'content-type': 'application/json', 'www-authenticate': 'Bearer', 'x-countersign-decision-id': 'id-1' },
      body: { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'Not this one', data: { type: 'about:blank', decision_id: 'id-1' } } },
    });
  });

  it('has the code and the data that the rule says', () => {
    const { response } = withRpcAnswer(
      denied(400, { rpc_code: -32022, rpc_data: { supported: ['2026-07-28'], requested: '1' } }),
      read(list()),
    );
    expect(response?.body).toMatchObject({
      id: 'a',
      error: { code: -32022, data: { supported: ['2026-07-28'], requested: '1', decision_id: 'id-1' } },
    });
  });

  it('does not show a rule that is not public', () => {
    const { response } = withRpcAnswer(denied(403, {}, false), read(list()));
    expect(response?.body).toMatchObject({ error: { code: -32001, message: 'Forbidden' } });
  });

  it('says that no decision could be made', () => {
    expect(withRpcAnswer(failed, read(list())).response).toMatchObject({ status: 503, body: { id: 'a', error: { code: -32603 } } });
  });

  it('has no id where the request had none that can be read', () => {
    for (const text of ['[]', '{"jsonrpc":"2.0"', '{"jsonrpc":"2.0","id":null,"method":"tools/list"}']) {
      const { response } = withRpcAnswer(denied(400, {}), read({ ...list(), text }));
      expect(response?.body).toMatchObject({ jsonrpc: '2.0', error: { code: -32001 } });
      expect(response?.body).not.toHaveProperty('id');
    }
  });

  test.each([
    ['on other routes', null],
    ['where the client sent no message', read({ ...list(), method: 'GET' })],
    ['where the gateway asks for itself', { ...read(list()), source: 'question' as const }],
  ])('is as everywhere %s', (_name, message) => {
    expect(withRpcAnswer(failed, message)).toBe(failed);
  });
});

it('the route is challenged with the scopes of the tool too', () => {
  const route = { ...SMOKE_FACTS.route, scopes: ['mcp'], mcp: planOf() };
  expect(withTargetScopes(route, read(call('comment'))).scopes).toEqual(['mcp', 'tickets:write']);
  expect(withTargetScopes(route, read(call('search')))).toBe(route);
  expect(withTargetScopes(route, read(list()))).toBe(route);
});

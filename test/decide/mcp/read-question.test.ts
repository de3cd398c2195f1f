import { describe, expect, it, test } from 'vitest';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import { mcpOf } from '../../../src/decide/mcp/input.ts';
import { createMcpPlans } from '../../../src/decide/mcp/plans.ts';
import { readMessage } from '../../../src/decide/mcp/read-message.ts';
import { createRouteTable } from '../../../src/decide/routes/route-table.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { LIMITS, list, planOf, requestOf } from './message.ts';

const ROUTE = { ...SMOKE_FACTS.route, mcp: planOf() };

function question(method: string, type: string, id: string, more: Partial<DecisionRequest> = {}): DecisionRequest {
  return { ...SMOKE_FACTS.request, action: { name: method, properties: {} }, resource: { type, id, properties: {} }, ...more };
}
const read = (request: DecisionRequest) => readMessage(request, ROUTE);

describe('a question by AuthZEN’s COAZ-MCP binding', () => {
  test.each([
    ['tools/call', 'tool', 'search', { code: null, list: 'tools', name: 'search', target: 'search' }],
    ['tools/call', 'tool', 'tickets_search', { code: null, list: 'tools', target: 'search' }],
    ['prompts/get', 'prompt', 'triage', { code: null, list: 'prompts', target: 'triage' }],
    ['resources/read', 'resource', 'file:///a', { code: null, list: 'resources', target: 'file:///a' }],
    ['resources/subscribe', 'resource', 'file:///a', { code: null, list: 'resources' }],
    ['completion/complete', 'prompt', 'triage', { code: null, list: 'prompts' }],
    ['completion/complete', 'resource', 'file:///a', { code: null, list: 'resources' }],
    ['tools/list', 'mcp_server', 'https://mcp.example', { code: null, kind: 'request', list: null, target: null }],
    ['ping', 'mcp_server', 'https://mcp.example', { code: null, kind: 'request', list: null }],
    ['tasks/get', 'task', '7', { code: null, kind: 'request', list: null }],
    ['tools/erase', 'tool', 'search', { code: null, kind: 'request', list: null }],
    ['tools/call', 'customer', '7', { code: 'params_invalid' }],
    ['resources/read', 'tool', 'search', { code: 'params_invalid' }],
    ['completion/complete', 'tool', 'search', { code: 'params_invalid' }],
    ['get_customer', 'customer', '7', { code: null, kind: 'declared', list: 'actions', target: 'get_customer' }],
  ])('%s of a %s %s', (method, type, id, wanted) => {
    expect(read(question(method, type, id))).toMatchObject({ source: 'question', method, ...wanted });
  });

  it('is none without an action', () => {
    expect(read(SMOKE_FACTS.request)).toMatchObject({ source: 'question', code: 'params_invalid' });
  });

  it('is not what counts where the gateway hands the message on', () => {
    const request = {
      ...requestOf(list()),
      action: { name: 'tools/call', properties: {} },
      resource: { type: 'tool', id: 'search', properties: {} },
    };
    expect(read(request)).toMatchObject({ source: 'body', method: 'tools/list' });
  });

  it('is held against the token', () => {
    const token = SMOKE_FACTS.identity.signals.token;
    const callerOf = (by: 'countersign' | 'pep' | null, more: Partial<DecisionRequest>) => {
      const value = { subject: 'alice', clientId: 'agent-a', verifiedBy: by };
      const signals = {
        ...SMOKE_FACTS.identity.signals,
        token: by === null ? token : Object.assign({ status: 'present' as const }, { value }),
      };
      const identity = Object.assign({}, SMOKE_FACTS.identity, { signals });
      return mcpOf({ identity, mcp: read(question('tools/call', 'tool', 'search', more)) }, ['caller']);
    };
    const named = (id: string) => ({ subject: { type: 'identity', id, properties: {} } });
    expect(callerOf('countersign', { ...named('alice'), context: { agent: 'agent-a' } })).toEqual({ caller: 'same' });
    expect(callerOf('countersign', named('mallory'))).toEqual({ caller: 'other' });
    expect(callerOf('countersign', { context: { agent: 'agent-b' } })).toEqual({ caller: 'other' });
    expect(callerOf('countersign', {})).toEqual({ caller: 'unchecked' });
    expect(callerOf('pep', named('mallory'))).toEqual({ caller: 'unchecked' });
    expect(callerOf(null, named('mallory'))).toEqual({ caller: 'unchecked' });
  });
});

describe('the route of a question without an HTTP request', () => {
  const entry = (gateways: string[], path = '/mcp') => ({ methods: ['POST'], path, tier: 'medium', mcp: { server: 'tickets', gateways } });
  const tableOf = (routes: object) => createRouteTable(routes, 'default', undefined, createMcpPlans(LIMITS));
  const asking = (name: string) => question('tools/call', 'tool', 'search', { pep: { ...SMOKE_FACTS.request.pep, name } });

  it('is that of its gateway', () => {
    const table = tableOf({ tickets: entry(['mcp-gateway']), other: entry(['billing'], '/billing') });
    expect(table.match(asking('mcp-gateway'))).toMatchObject({ status: 'matched', id: 'tickets', mcp: { server: 'tickets' } });
    expect(table.match(asking('billing'))).toMatchObject({ id: 'other' });
    expect(table.match(asking('edge'))).toMatchObject({ status: 'none' });
  });

  it('is one', () => {
    expect(() => tableOf({ tickets: entry(['a']), other: entry(['a'], '/b') })).toThrow(
      expect.objectContaining({ code: 'bundle_routes_invalid', field: 'other' }),
    );
  });

  it('names a server that there is', () => {
    expect(() => tableOf({ a: { ...entry([]), mcp: { server: 'nobody' } } })).toThrow(
      expect.objectContaining({ code: 'bundle_routes_invalid', field: 'a.mcp.server' }),
    );
    expect(() => createRouteTable({ tickets: entry([]) }, 'default')).toThrow(/limits\.mcp has no such server/);
  });
});

import { beforeAll, describe, expect, it, test } from 'vitest';
import type { Case } from '../../../src/cases/schema.ts';
import { enrichmentOf, identityOf, requestOf } from '../../../src/cases/signals.ts';
import type { Decision } from '../../../src/contract/decision.ts';
import { CountersignError } from '../../../src/contract/errors.ts';
import type { JsonObject } from '../../../src/contract/json.ts';
import type { ActivePolicy } from '../../../src/contract/stages.ts';
import { withTargetScopes } from '../../../src/decide/mcp/answer.ts';
import { createMcpPlans } from '../../../src/decide/mcp/plans.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { loadCases } from '../../cases/load.ts';
import { baseBundle, createTestPolicies } from '../fixtures.ts';
import { call, META, planOf, read } from './message.ts';

/* `denied_as: not_found`: what a caller may not ask for and what is not there are answered by the same bytes, and told apart in the record. */

let policy: ActivePolicy;
beforeAll(async () => {
  policy = await createTestPolicies().activate('default', await baseBundle());
});

const base = loadCases().find(({ name }) => name === 'mcp: a hidden tool of other clients is denied as one that is not there');

type Caller = { readonly client: string; readonly scope: string } | null;
type Asked = {
  readonly method?: string;
  readonly params?: JsonObject;
  readonly headers?: JsonObject;
  readonly rate?: NonNullable<Case['given']['rate']>;
};

function decide(name: string, caller: Caller, asked: Asked = {}): Decision {
  const { rate, method = 'tools/call', params = { name, arguments: { slot: 'a' } }, headers = {} } = asked;
  if (base === undefined) throw new Error('no such case');
  const { token: _token, ...given } = base.given;
  const token = caller === null ? {} : { token: { sub: caller.client, client_id: caller.client, scope: caller.scope } };
  const mirrored = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-name': name };
  const message = {
    ...{ method: 'POST', host: 'api.example', path: '/mcp/vault' },
    headers: { 'content-type': 'application/json', ...mirrored, ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } }),
  };
  const one = { ...base, given: { ...given, ...token, ...(rate === undefined ? {} : { rate }) }, ask: { request: message } };
  const request = requestOf(one);
  const identity = identityOf(one, request);
  return policy.decide(request, identity, enrichmentOf(one, request, identity), policy.routeOf(request)).decision;
}

/** What the client gets, whole. */
const bytesOf = ({ response }: Decision): string => JSON.stringify(response);
const codesOf = ({ effect, reasons }: Decision) => [effect, ...reasons.map(({ code }) => code)];

describe('a tool that the caller may not call', () => {
  test.each<[string, Caller, string, string, Asked]>([
    ['of another client', { client: 'agent-b', scope: 'vault:write' }, 'rotate', 'mcp.target_denied', {}],
    ['whose scope is missing', { client: 'agent-a', scope: 'vault:read' }, 'rotate', 'mcp.scope_missing', {}],
    ['that lets others mirror no argument', { client: 'agent-b', scope: 'other' }, 'open', 'mcp.scope_missing', {}],
    [
      'whose mirrored argument disagrees',
      { client: 'agent-b', scope: 'x' },
      'rotate',
      'mcp.target_denied',
      { headers: { 'mcp-param-slot': 'b' } },
    ],
  ])('%s is answered as one that is not there, and recorded as what it is', (_name, caller, tool, code, asked) => {
    const denied = decide(tool, caller, asked);
    const unknown = decide('melt', caller, asked);
    expect(bytesOf(denied)).toBe(bytesOf(unknown));
    expect(denied.response).toMatchObject({
      status: 400,
      body: { jsonrpc: '2.0', id: 1, error: { code: -32602, message: 'Unknown tool' } },
    });
    expect(bytesOf(denied)).not.toMatch(/mcp\.|scope|authenticate|may not|vault/);
    expect(codesOf(denied).slice(0, 1)).toEqual(['deny']);
    expect(codesOf(denied)).toContain(code);
    expect(codesOf(unknown)).toEqual(['deny', 'mcp.target_denied']);
  });

  it('is not told by what is said of something else', () => {
    const rate = { degraded: false, client: { '10s': 1000, '1m': 1000 } };
    const answers = ['rotate', 'melt', 'open'].map((tool) => decide(tool, { client: 'agent-b', scope: 'vault:read' }, { rate }));
    expect(new Set(answers.map(bytesOf)).size).toBe(1);
    expect(answers.map(codesOf)).toEqual([
      ['deny', 'rate.exceeded', 'mcp.scope_missing', 'mcp.target_denied'],
      ['deny', 'rate.exceeded', 'mcp.target_denied'],
      ['deny', 'rate.exceeded'],
    ]);
  });

  it('is named to nobody who has not said who he is, and neither are its scopes', () => {
    const answers = ['open', 'rotate', 'melt'].map((tool) => decide(tool, null));
    expect(new Set(answers.map(bytesOf)).size).toBe(1);
    const metadata = 'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/mcp/vault"';
    expect(answers[0]?.response).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="countersign", ${metadata}` },
    });
  });

  it('is refused to who may call it as everywhere', () => {
    const own = decide('rotate', { client: 'agent-a', scope: 'vault:write' });
    expect(own.response).toMatchObject({ status: 400, body: { error: { code: -32020 } } });
  });
});

it('a prompt and a resource have their own words', () => {
  const caller = { client: 'agent-a', scope: 'vault:read' };
  expect(decide('p', caller, { method: 'prompts/get', params: { name: 'p' } }).response?.body).toMatchObject({
    error: { code: -32602, message: 'Unknown prompt' },
  });
  expect(decide('vault:///a', caller, { method: 'resources/read', params: { uri: 'vault:///a' } }).response?.body).toMatchObject({
    error: { code: -32602, message: 'Resource not found' },
  });
});

describe('denied_as', () => {
  const plans = (mcp: JsonObject, server: JsonObject = {}) =>
    createMcpPlans({ mcp: { versions: ['2026-07-28'], methods: [], ...mcp, servers: { s: server } } })('s');

  it('is of the server, else of all, else forbidden', () => {
    expect(plans({})?.hidden).toBe(false);
    expect(plans({ denied_as: 'not_found' })?.hidden).toBe(true);
    expect(plans({ denied_as: 'not_found' }, { denied_as: 'forbidden' })?.hidden).toBe(false);
    expect(plans({}, { denied_as: 'not_found' })?.hidden).toBe(true);
  });

  it('is one of two words', () => {
    expect(() => plans({ denied_as: 'hidden' })).toThrow(CountersignError);
    expect(() => plans({}, { denied_as: true })).toThrow(/bundle_data_invalid|data/);
  });

  it('keeps the scopes of a tool out of the first challenge', () => {
    const route = { ...SMOKE_FACTS.route, scopes: ['mcp'], mcp: { ...planOf(), hidden: true } };
    expect(withTargetScopes(route, read(call('comment')))).toBe(route);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { buildBundle } from '../../../src/decide/bundle-build.ts';
import { createTestPolicies, ENTRYPOINT, OPA_BIN } from '../../decide/fixtures.ts';
import { createSigningKey, makeToken } from '../../identify/fixtures.ts';
import { type AuthzenWorld, startAuthzenWorld } from '../../support/authzen-world.ts';
import { copyPolicies } from '../../support/policy-directory.ts';

/* AuthZEN's COAZ-MCP binding, draft 1: the requests that its default mappings make, by the real path and the base pack. */

const AGENT = 'agent-a';
const directory = mkdtempSync(join(tmpdir(), 'countersign-coaz-'));
let token = '';
let world: AuthzenWorld;

beforeAll(async () => {
  const key = await createSigningKey('coaz');
  token = await makeToken(key, { sub: 'alice@example.com', client_id: AGENT, scope: 'crm:read' });
  copyPolicies(directory, {
    routes: { mcp: { methods: ['POST'], path: '/mcp', tier: 'medium', mcp: { server: 'crm', gateways: ['local'] } } },
    limits: {
      mcp: {
        versions: ['2026-07-28'],
        methods: ['initialize', 'ping', 'tools/list', 'tools/call', 'resources/read', 'prompts/get', 'completion/complete', 'tasks/get'],
        servers: {
          crm: {
            tools: {
              get_local_weather: {},
              search: { scopes: ['crm:read'] },
              erase: { scopes: ['crm:write'] },
              other: { clients: ['agent-b'] },
            },
            prompts: { triage: {} },
            resources: { 'file:///a': {} },
            actions: { get_customer: { scopes: ['crm:read'] } },
          },
        },
      },
    },
  });
  const policies = createTestPolicies();
  await policies.activate('default', await buildBundle({ opaBin: OPA_BIN, directory, entrypoint: ENTRYPOINT }));
  world = await startAuthzenWorld({ policies, key, trusts: ['subject'] });
});
afterAll(async () => {
  await world.stop();
  rmSync(directory, { recursive: true, force: true });
});

type Question = {
  readonly action: string;
  readonly type: string;
  readonly id: string;
  readonly subject?: string;
  readonly agent?: string;
  readonly more?: object;
};

async function ask({ action, type, id, subject = 'alice@example.com', agent = AGENT, more = {} }: Question) {
  const answer = await world.post('/access/v1/evaluation', {
    subject: { type: 'identity', id: subject },
    action: { name: action },
    resource: { type, id },
    context: { agent, token, ...more },
  });
  expect(answer.status).toBe(200);
  const { decision, context } = JSON.parse(answer.body);
  return { decision, codes: (context.reasons ?? []).map(({ code }: { code: string }) => code), context };
}

describe('the default mappings', () => {
  test.each<Question>([
    { action: 'initialize', type: 'mcp_server', id: 'https://mcp.example.com', more: { protocol_version: '2025-11-25' } },
    { action: 'ping', type: 'mcp_server', id: 'https://mcp.example.com' },
    { action: 'tools/list', type: 'mcp_server', id: 'https://mcp.example.com' },
    { action: 'tools/call', type: 'tool', id: 'get_local_weather' },
    { action: 'tools/call', type: 'tool', id: 'search' },
    { action: 'resources/read', type: 'resource', id: 'file:///a' },
    { action: 'prompts/get', type: 'prompt', id: 'triage' },
    { action: 'completion/complete', type: 'prompt', id: 'triage' },
    { action: 'tasks/get', type: 'task', id: '7' },
  ])('permit $action of $id', async (question) => {
    expect(await ask(question)).toMatchObject({ decision: true });
  });

  test.each<[Question, string]>([
    [{ action: 'tools/call', type: 'tool', id: 'deploy' }, 'mcp.target_denied'],
    [{ action: 'tools/call', type: 'tool', id: 'other' }, 'mcp.target_denied'],
    [{ action: 'tools/call', type: 'customer', id: 'search' }, 'mcp.message_invalid'],
    [{ action: 'resources/read', type: 'resource', id: 'file:///a/../b' }, 'mcp.target_denied'],
    [{ action: 'tools/erase', type: 'mcp_server', id: 'https://mcp.example.com' }, 'mcp.method_unknown'],
    [{ action: 'logging/setLevel', type: 'mcp_server', id: 'https://mcp.example.com' }, 'mcp.method_unknown'],
    [{ action: 'tools/call', type: 'tool', id: 'search', subject: 'mallory' }, 'mcp.caller_mismatch'],
    [{ action: 'tools/call', type: 'tool', id: 'search', agent: 'agent-b' }, 'mcp.caller_mismatch'],
  ])('deny %j', async (question, code) => {
    expect(await ask(question)).toMatchObject({ decision: false, codes: [code] });
  });

  it('say which scope would do', async () => {
    const { decision, context } = await ask({ action: 'tools/call', type: 'tool', id: 'erase' });
    expect([decision, context.step_up]).toEqual([false, { kind: 'scope', methods: [], scopes: ['crm:write'] }]);
  });

  it('need a token that is verified', async () => {
    const { decision, codes } = await ask({ action: 'tools/call', type: 'tool', id: 'search', more: { token: 'not.a.token' } });
    expect([decision, codes]).toEqual([false, expect.arrayContaining(['identity.token_invalid'])]);
  });
});

describe('declared mappings', () => {
  it('are looked up by their action, whatever resource they name', async () => {
    expect(await ask({ action: 'get_customer', type: 'customer', id: 'cust-12345', more: { case: 'case-67890' } })).toMatchObject({
      decision: true,
    });
    expect(await ask({ action: 'drop_customer', type: 'customer', id: 'cust-12345' })).toMatchObject({
      decision: false,
      codes: ['mcp.target_denied'],
    });
  });

  it('by several evaluations are each their own', async () => {
    const answer = await world.post('/access/v1/evaluations', {
      subject: { type: 'identity', id: 'alice@example.com' },
      context: { agent: AGENT, token },
      evaluations: [
        { action: { name: 'get_customer' }, resource: { type: 'customer', id: '1' } },
        { action: { name: 'write' }, resource: { type: 'storage_object', id: '/bucket/archive/q1.pdf' } },
      ],
    });
    expect(JSON.parse(answer.body).evaluations.map(({ decision }: { decision: boolean }) => decision)).toEqual([true, false]);
  });
});

it('a list is asked about in one batch: identified once, one record a tool', async () => {
  world.asked.identified = 0;
  world.records.length = 0;
  const names = ['get_local_weather', 'search', 'erase', 'other', 'deploy'];
  const answer = await world.post('/access/v1/evaluations', {
    subject: { type: 'identity', id: 'alice@example.com' },
    action: { name: 'tools/call' },
    context: { agent: AGENT, token },
    evaluations: names.map((id) => ({ resource: { type: 'tool', id } })),
  });
  expect(JSON.parse(answer.body).evaluations.map(({ decision }: { decision: boolean }) => decision)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect([world.asked.identified, world.records.length]).toEqual([1, names.length]);
});

it('a gateway of no route is asked for its route', async () => {
  const answer = await world.post(
    '/access/v1/evaluation',
    {
      subject: { type: 'identity', id: 'alice@example.com' },
      action: { name: 'tools/call' },
      resource: { type: 'tool', id: 'search' },
      context: { token, request: { method: 'POST', path: '/mcp' } },
    },
    { authorization: 'Bearer bare-token' },
  );
  expect(JSON.parse(answer.body)).toMatchObject({ decision: true });
  const without = await world.post(
    '/access/v1/evaluation',
    {
      subject: { type: 'identity', id: 'alice@example.com' },
      action: { name: 'tools/call' },
      resource: { type: 'tool', id: 'search' },
      context: { token },
    },
    { authorization: 'Bearer bare-token' },
  );
  expect(JSON.parse(without.body)).toMatchObject({ decision: false, context: { reasons: [{ code: 'not_applicable' }] } });
});

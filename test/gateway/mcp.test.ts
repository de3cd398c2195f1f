import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { sha256 } from '../endpoints/fixtures.ts';
import { createAuthority } from '../support/certificates.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from '../support/countersign.ts';
import { startRecipe } from '../support/gateway-recipes.ts';
import type { Gateway } from '../support/gateways.ts';
import { send } from '../support/http-client.ts';
import { fencedBlocks } from '../support/markdown.ts';
import { type FilterTools, type McpServer, startMcpServer } from '../support/mcp-server.ts';
import { type OidcServer, startOidc } from '../support/oidc.ts';
import { copyPolicies } from '../support/policy-directory.ts';
import { headerValues, jsonObject } from './world.ts';

/* The recipe of docs/mcp.md with a real Envoy and an MCP server behind it. */

const AUDIENCE = 'https://api.example.com/mcp/tickets';
const SCOPES = ['tickets:read', 'tickets:write', 'admin'] as const;
const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
const TOOLS = ['search', 'comment', 'close', 'purge', 'deploy'].map((name) => ({ name, inputSchema: { type: 'object' } }));
const METADATA = 'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/mcp/tickets"';

const page = fencedBlocks(readFileSync(join(PROJECT_ROOT, 'docs/mcp.md'), 'utf8'));
const block = (has: string): string => page.find(({ text }) => text.includes(has))?.text ?? '';
const directory = mkdtempSync(join(tmpdir(), 'countersign-mcp-'));

let oidc: OidcServer;
let server: McpServer;
let service: Countersign;
let envoy: Gateway;
let filter: FilterTools = async (tools) => tools;

beforeAll(async () => {
  oidc = await startOidc({ audience: AUDIENCE, clients: ['agent-a', 'agent-b'].map((id) => ({ id, scopes: SCOPES })) });
  server = await startMcpServer(TOOLS, () => filter);
  const bundle = join(directory, 'policies');
  copyPolicies(bundle, { routes: parse(block('mcp_old:')), limits: parse(block('aliases:')) });
  const config = block('tickets-server')
    .replace('"…"', `"${sha256('edge-token')}"`)
    .replace('https://as.example.com/jwks', oidc.jwksUrl)
    .replace('https://as.example.com', oidc.issuer)
    .replace('bundle: policies', `bundle: ${bundle}`);
  service = await startCountersign({ config: parse(config) });
  const authority = createAuthority();
  envoy = await startRecipe('envoy', {
    ...{ authzPort: service.grpcPort, upstreamPort: server.port, token: 'edge-token' },
    ...{ server: authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] }), clientCa: authority.pem },
  });
  filter = filterOfPage();
});
afterAll(async () => {
  await Promise.all([envoy.stop(), service.stop(), server.stop()]);
  await oidc.stop();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => {
  server.calls.length = 0;
});

/** The function that the page shows, as the server calls it. */
function filterOfPage(name?: string): FilterTools {
  const visibleTools = runInThisContext(`(${block('export async function visibleTools').replace('export ', '')})`);
  return async (tools, { authorization = '' }) => {
    const { sub: subject, client_id: agent } = jsonObject(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const where = { url: `http://127.0.0.1:${service.httpPort}`, pepToken: 'tickets-pep-token' };
    return visibleTools(tools, { ...where, authorization, subject: name ?? subject, agent });
  };
}

type Headers = Readonly<Record<string, string>>;
type Asked = { readonly token?: string | null; readonly headers?: Headers; readonly path?: string; readonly body?: string };

async function ask(message: object, { token = null, headers = {}, path = '/mcp/tickets', body = JSON.stringify(message) }: Asked) {
  const lines = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...headers,
  };
  const answer = await send(envoy.port, { method: 'POST', path, headers: Object.entries(lines).flat(), body });
  return { ...answer, header: (name: string) => headerValues(answer.rawHeaders, name) };
}

const rpc = (method: string, params: object = {}): object => ({ jsonrpc: '2.0', id: 7, method, params: { ...params, _meta: META } });
const mirrored = (method: string, name?: string): Headers => ({
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': method,
  ...(name === undefined ? {} : { 'mcp-name': name }),
});
const call = async (name: string, token: string | null, headers: Headers = {}, args: object = {}) =>
  ask(rpc('tools/call', { name, arguments: args }), { token, headers: { ...mirrored('tools/call', name), ...headers } });
const token = (client: string, ...scopes: (typeof SCOPES)[number][]) => oidc.token(client, scopes);

describe('what is let through', () => {
  it('[asks 93] is what the client asks, with our headers in place of its own', async () => {
    const answer = await call('search', await token('agent-a', 'tickets:read'), {
      'x-countersign-client-id': 'admin',
      'x-countersign-assurance': '4',
      mcp_name: 'purge',
    });
    expect([answer.status, jsonObject(answer.body)]).toMatchObject([200, { id: 7, result: { content: [{ text: 'called search' }] } }]);
    expect(server.calls).toMatchObject([{ method: 'tools/call', name: 'search' }]);
    const [seen] = server.calls;
    expect(seen?.headers).toMatchObject({ 'x-countersign-client-id': 'agent-a', 'x-countersign-assurance': '2', 'mcp-name': 'search' });
    expect(JSON.stringify(seen?.rawHeaders)).not.toMatch(/mcp_name|"admin"/);
  });

  it('is discovery, and the handshake of earlier revisions where a server has them', async () => {
    const bearer = await token('agent-a', 'tickets:read');
    expect((await ask(rpc('server/discover'), { token: bearer, headers: mirrored('server/discover') })).status).toBe(200);
    const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {} } };
    const old = await ask(initialize, { token: bearer, path: '/mcp/old' });
    expect([old.status, jsonObject(old.body)]).toMatchObject([200, { result: { protocolVersion: '2025-11-25' } }]);
    const turnedAway = await ask(initialize, { token: bearer });
    expect([turnedAway.status, jsonObject(turnedAway.body)]).toMatchObject([
      400,
      { id: 1, error: { code: -32022, data: { supported: ['2026-07-28'], requested: '2025-11-25' } } },
    ]);
  });
});

describe('[asks 90] a list', () => {
  const visible = async (client: string, accept: string, ...scopes: (typeof SCOPES)[number][]) => {
    const answer = await ask(rpc('tools/list'), { token: await token(client, ...scopes), headers: { ...mirrored('tools/list'), accept } });
    const { result } = jsonObject(answer.body.replace(/^event: message\ndata: /, ''));
    return Object(result).tools.map(({ name }: { name: string }) => name);
  };

  it('shows what the caller may call or step up to, by JSON and by events', async () => {
    for (const accept of ['application/json', 'text/event-stream']) {
      expect(await visible('agent-a', accept, 'tickets:read')).toEqual(['search', 'comment', 'close', 'purge']);
      expect(await visible('agent-b', accept, 'tickets:read')).toEqual(['search', 'comment']);
    }
  });

  it('is empty where the server asks in another name than the token’s', async () => {
    const honest = filter;
    filter = filterOfPage('mallory');
    try {
      expect(await visible('agent-a', 'application/json', 'tickets:read')).toEqual([]);
    } finally {
      filter = honest;
    }
  });
});

describe('what is refused never reaches the server', () => {
  const refused = async (answer: Awaited<ReturnType<typeof ask>>, status: number, code: number, id: number | null = 7) => {
    expect(server.calls).toEqual([]);
    expect([answer.status, answer.header('content-type')]).toEqual([status, ['application/json']]);
    const body = jsonObject(answer.body);
    expect(body).toMatchObject({ jsonrpc: '2.0', error: { code } });
    expect(body['id'] ?? null).toBe(id);
    return body;
  };

  it('without a token, by a challenge that leads to one', async () => {
    const answer = await call('search', null);
    await refused(answer, 401, -32001);
    expect(answer.header('www-authenticate')).toEqual([`Bearer realm="countersign", scope="tickets:read", ${METADATA}`]);
  });

  test.each(['/mcp/tickets/', '/mcp//tickets', '/mcp/./tickets', '/mcp/other/../tickets'])(
    '[asks 99] by another spelling of the path: %s',
    async (path) => {
      await refused(await ask(rpc('tools/list'), { path, headers: mirrored('tools/list') }), 401, -32001);
    },
  );

  it('[asks 93] to a server that is no route', async () => {
    const answer = await ask(rpc('tools/list'), {
      token: await token('agent-a', 'admin'),
      path: '/mcp/other',
      headers: mirrored('tools/list'),
    });
    expect([answer.status, server.calls]).toEqual([403, []]);
  });

  it('a tool for others, and one that is not listed', async () => {
    await refused(await call('close', await token('agent-b', 'tickets:write')), 403, -32001);
    await refused(await call('deploy', await token('agent-a', 'admin')), 403, -32001);
  });

  it('[asks 97] a tool whose scope is missing, until the client comes back with it', async () => {
    const answer = await call('close', await token('agent-a', 'tickets:read'));
    await refused(answer, 403, -32001);
    expect(answer.header('www-authenticate')).toEqual([
      `Bearer realm="countersign", error="insufficient_scope", scope="tickets:write", ${METADATA}`,
    ]);
    expect((await call('close', await token('agent-a', 'tickets:read', 'tickets:write'))).status).toBe(200);
    expect(server.calls).toMatchObject([{ name: 'close' }]);
  });

  it('[asks 85] a tool that is hidden, by the bytes of one that is not there', async () => {
    const bearers = { b: await token('agent-b', 'tickets:write'), read: await token('agent-a', 'tickets:read') };
    const vault = async (name: string, bearer: string | null) => {
      const params = { name, arguments: { slot: 'a' } };
      const answer = await ask(rpc('tools/call', params), { token: bearer, path: '/mcp/vault', headers: mirrored('tools/call', name) });
      const [id = 'no id'] = answer.header('x-countersign-decision-id');
      const ofOne = /^(?:date|x-envoy-upstream-service-time)$/i;
      const lines = answer.rawHeaders.map((text, index) => (ofOne.test(answer.rawHeaders[index - 1] ?? '') ? '' : text.replace(id, 'id')));
      return { answer, bytes: [answer.status, lines, answer.body.replaceAll(id, 'id')] };
    };
    for (const bearer of [bearers.b, bearers.read, null]) {
      const hidden = await vault('close', bearer);
      expect(hidden.bytes).toEqual((await vault('melt', bearer)).bytes);
      if (bearer === null) await refused(hidden.answer, 401, -32001);
      else expect((await refused(hidden.answer, 400, -32602))['error']).toMatchObject({ message: 'Unknown tool' });
      expect(hidden.answer.body).not.toMatch(/mcp\.|scope/);
    }
    const recorded = () => {
      const lines = service
        .output()
        .split('\n')
        .filter((line) => line.includes('"id":"mcp_vault"'));
      return lines.map((line) => jsonObject(line)).map(({ effect, reasons }) => [effect, reasons]);
    };
    const [listed, scope, nobody] = ['mcp.target_denied', 'mcp.scope_missing', 'identity.token_required'].map((code) => ['deny', [code]]);
    await expect.poll(recorded).toEqual([listed, listed, scope, listed, nobody, nobody]);
  });

  it('a method that nobody listed', async () => {
    await refused(await ask(rpc('tools/erase'), { token: await token('agent-a', 'admin'), headers: mirrored('tools/erase') }), 404, -32601);
  });

  test.each<[string, Headers]>([
    ['[asks 92] no name', { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' }],
    ['another name', mirrored('tools/call', 'search')],
    ['another method', mirrored('tools/list', 'close')],
  ])('headers that disagree with the body: %s', async (_name, headers) => {
    const answer = await ask(rpc('tools/call', { name: 'close' }), { token: await token('agent-a', 'tickets:write'), headers });
    const body = await refused(answer, 400, -32020);
    expect(body).toEqual({
      jsonrpc: '2.0',
      id: 7,
      error: {
        code: -32020,
        message: 'The headers of the MCP request do not agree with its body',
        data: {
          type: 'about:blank',
          decision_id: answer.header('x-countersign-decision-id')[0],
          reasons: [{ code: 'mcp.header_mismatch', title: 'The headers of the MCP request do not agree with its body' }],
        },
      },
    });
  });

  it('a mirrored argument that disagrees', async () => {
    const bearer = await token('agent-a', 'tickets:write');
    await refused(await call('comment', bearer, { 'mcp-param-queue': 'us' }, { queue: 'eu' }), 400, -32020);
    expect((await call('comment', bearer, { 'mcp-param-queue': 'eu' }, { queue: 'eu' })).status).toBe(200);
  });

  it('a batch, a body that is cut, a name twice, no body', async () => {
    const bearer = await token('agent-a', 'tickets:read');
    const post = (body: string) => ask({}, { token: bearer, headers: mirrored('tools/list'), body });
    await refused(await post(JSON.stringify([rpc('tools/list')])), 400, -32600, null);
    await refused(await post(JSON.stringify(rpc('tools/list', { pad: 'x'.repeat(100_000) }))), 413, -32600, null);
    await refused(await post('{"jsonrpc":"2.0","id":7,"method":"tools/list","method":"tools/call"}'), 400, -32700, null);
    await refused(await post(''), 400, -32600, null);
  });
});

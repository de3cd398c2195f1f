import { describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { createMcpPlans } from '../../../src/decide/mcp/plans.ts';
import { call, LIMITS, list, META, planOf, read, type Sent } from './message.ts';

const encoded = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;
const codeOf = (sent: Sent, server?: string) => read(sent, planOf(server)).code;
const without = (sent: Sent, name: string): Sent => ({
  ...sent,
  headers: Object.fromEntries(Object.entries(sent.headers ?? {}).filter(([one]) => one !== name)),
});

describe('headers of the revision', () => {
  it('agree with their body', () => {
    expect(codeOf(call('search'))).toBeNull();
    expect(codeOf(call('search', {}, { 'MCP-Name': encoded('search'), 'mcp-name': [] }))).toBeNull();
    expect(codeOf(call('search', {}, { 'mcp-method': ' tools/call\t' }))).toBeNull();
  });

  it('agree where the name is no plain text', () => {
    for (const name of ['日本', ' padded ', 'line\nbreak', '=?base64?literal?=']) {
      expect(codeOf(call(name, {}, { 'mcp-name': encoded(name) })), name).toBeNull();
    }
  });

  test.each<[string, Sent, string]>([
    ['[asks 92] no name', without(call('search'), 'mcp-name'), 'header_missing'],
    ['no method', without(call('search'), 'mcp-method'), 'header_missing'],
    ['no revision', without(call('search'), 'mcp-protocol-version'), 'header_missing'],
    ['another method', call('search', {}, { 'mcp-method': 'tools/list' }), 'header_mismatch'],
    ['the method in capitals', call('search', {}, { 'mcp-method': 'Tools/Call' }), 'header_mismatch'],
    ['another name', call('search', {}, { 'mcp-name': 'purge' }), 'header_mismatch'],
    ['another name, encoded', call('search', {}, { 'mcp-name': encoded('purge') }), 'header_mismatch'],
    ['the alias beside the own name', call('tickets_search', {}, { 'mcp-name': 'search' }), 'header_mismatch'],
    ['a name where the body has none', list('tools/list', { 'mcp-name': 'purge' }), 'header_mismatch'],
    ['the name twice', call('search', {}, { 'mcp-name': ['search', 'search'] }), 'header_repeated'],
    ['the method twice', call('search', {}, { 'mcp-method': ['tools/call', 'tools/list'] }), 'header_repeated'],
    ['the names joined', call('search', {}, { 'mcp-name': 'search, search' }), 'header_mismatch'],
    ['a name that is no plain text', call('日本', {}, { 'mcp-name': '日本' }), 'header_invalid'],
    ['base64 without its end', call('search', {}, { 'mcp-name': '=?base64?c2VhcmNo' }), 'header_mismatch'],
    ['base64 without padding', call('a', {}, { 'mcp-name': '=?base64?YQ?=' }), 'header_invalid'],
    ['base64 with bits to spare', call('a', {}, { 'mcp-name': '=?base64?YR==?=' }), 'header_invalid'],
    ['base64 of no UTF-8', call('a', {}, { 'mcp-name': '=?base64?/w==?=' }), 'header_invalid'],
    ['the marker in capitals', call('a', {}, { 'mcp-name': '=?BASE64?YQ==?=' }), 'header_mismatch'],
    ['a look-alike of the name', call('search', {}, { mcp_name: 'purge' }), 'header_look_alike'],
    ['a look-alike of a parameter', call('search', {}, { 'mcp.param.queue': 'a' }), 'header_look_alike'],
    ['another revision than the body', list('tools/list', { 'mcp-protocol-version': '2025-11-25' }), 'header_mismatch'],
  ])('%s', (_name, sent, code) => {
    expect(codeOf(sent)).toBe(code);
  });

  it('name a revision that is let in', () => {
    const meta = { ...META, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    const sent: Sent = {
      headers: { 'mcp-protocol-version': '2099-01-01', 'mcp-method': 'tools/list' },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } },
    };
    expect(read(sent)).toMatchObject({ code: 'version_unsupported', version: '2099-01-01' });
  });
});

describe('parameters that a tool mirrors', () => {
  const comment = (args: Parameters<typeof call>[1], headers: Sent['headers']) => codeOf(call('comment', args, headers));

  it('agree', () => {
    expect(comment({ queue: 'eu', flags: { urgent: true } }, { 'Mcp-Param-Queue': 'eu', 'mcp-param-urgent': 'true' })).toBeNull();
    expect(comment({ queue: 'zürich' }, { 'mcp-param-queue': encoded('zürich') })).toBeNull();
    expect(comment({ queue: 42 }, { 'mcp-param-queue': '42.0' })).toBeNull();
    expect(comment({ queue: -7 }, { 'mcp-param-queue': '-7' })).toBeNull();
  });

  it('are not asked for where the argument is not there', () => {
    expect(comment({}, {})).toBeNull();
    expect(comment({ queue: null, flags: 'urgent' }, {})).toBeNull();
  });

  test.each<[string, Parameters<typeof call>[1], Sent['headers'], string]>([
    ['the header is missing', { queue: 'eu' }, {}, 'header_missing'],
    ['of a nested argument too', { flags: { urgent: false } }, {}, 'header_missing'],
    ['another value', { queue: 'eu' }, { 'mcp-param-queue': 'us' }, 'header_mismatch'],
    ['in capitals', { queue: 'eu' }, { 'mcp-param-queue': 'EU' }, 'header_mismatch'],
    ['without an argument', {}, { 'mcp-param-queue': 'eu' }, 'header_mismatch'],
    ['null', { queue: null }, { 'mcp-param-queue': 'null' }, 'header_mismatch'],
    ['a text for a number', { queue: 42 }, { 'mcp-param-queue': '4.2e1' }, 'header_mismatch'],
    ['a number that is not whole', { queue: 4.5 }, { 'mcp-param-queue': '4.5' }, 'header_mismatch'],
    ['an object', { queue: { a: 1 } }, { 'mcp-param-queue': '[object Object]' }, 'header_mismatch'],
    [
      'a member that all objects have',
      { queue: 'eu', flags: {} },
      { 'mcp-param-queue': 'eu', 'mcp-param-urgent': 'undefined' },
      'header_mismatch',
    ],
    ['twice', { queue: 'eu' }, { 'mcp-param-queue': ['eu', 'eu'] }, 'header_repeated'],
    ['other characters', { queue: 'zürich' }, { 'mcp-param-queue': 'zürich' }, 'header_invalid'],
  ])('%s', (_name, args, headers, code) => {
    expect(comment(args, headers)).toBe(code);
  });

  it('that nobody listed are left alone, as intermediaries have to', () => {
    expect(codeOf(call('search', {}, { 'mcp-param-queue': 'eu' }))).toBeNull();
  });
});

describe('earlier revisions, where a server has them', () => {
  const legacy = (method: string, headers: Sent['headers'], params: Record<string, string> = {}): Sent => ({
    headers: headers ?? {},
    body: { jsonrpc: '2.0', id: 1, method, params },
  });

  it('need no mirrored headers', () => {
    expect(read(legacy('tools/list', { 'mcp-protocol-version': '2025-11-25' }), planOf('both'))).toMatchObject({
      code: null,
      version: '2025-11-25',
    });
    expect(read(legacy('tools/list', {}), planOf('both'))).toMatchObject({ code: null, version: '2025-03-26' });
    expect(codeOf(legacy('initialize', {}, { protocolVersion: '2025-06-18' }), 'both')).toBeNull();
  });

  it('have to agree with those that are there', () => {
    const headers = { 'mcp-protocol-version': '2025-11-25', 'mcp-method': 'tools/call', 'mcp-name': 'search' };
    expect(codeOf(legacy('tools/list', headers), 'both')).toBe('header_mismatch');
    expect(codeOf(legacy('tools/call', { ...headers, 'mcp-name': 'purge' }, { name: 'search' }), 'both')).toBe('header_mismatch');
  });

  it('are turned away elsewhere', () => {
    expect(codeOf(legacy('tools/list', {}))).toBe('header_missing');
    expect(codeOf(legacy('tools/list', { 'mcp-protocol-version': '2025-11-25' }))).toBe('version_unsupported');
    expect(read(legacy('initialize', {}, { protocolVersion: '2025-06-18' }))).toMatchObject({
      code: 'version_unsupported',
      version: '2025-06-18',
    });
  });
});

describe('the data of servers', () => {
  const server = (tickets: JsonObject) => ({ mcp: { ...LIMITS.mcp, servers: { tickets } } });

  it('has nothing where a bundle says nothing', () => {
    expect(createMcpPlans({})('tickets')).toBeUndefined();
    expect(createMcpPlans(undefined)('tickets')).toBeUndefined();
  });

  it('has the defaults, or its own', () => {
    expect(createMcpPlans(server({}))('tickets')).toMatchObject({ versions: ['2026-07-28'], methods: new Set(LIMITS.mcp.methods) });
    expect(createMcpPlans(server({ methods: ['ping'] }))('tickets')?.methods).toEqual(new Set(['ping']));
  });

  test.each<[string, JsonObject, string]>([
    ['a header that is none', { tools: { a: { params: { 'a b': ['a'] } } } }, 'servers.tickets.tools.a.params.a b'],
    ['a parameter twice', { tools: { a: { params: { A: ['a'], a: ['b'] } } } }, 'servers.tickets.tools.a.params'],
    ['an alias that is a tool', { aliases: { a: 'b' }, tools: { a: {}, b: {} } }, 'servers.tickets.aliases.a'],
    ['a revision that is none', { versions: ['1.0'] }, 'servers.tickets.versions.0'],
    ['a member that is not known', { tool: {} }, 'servers.tickets'],
    ['a scope that no challenge can name', { tools: { a: { scopes: ['a b'] } } }, 'servers.tickets.tools.a.scopes.0'],
  ])('is refused with %s', (_name, data, field) => {
    expect(() => createMcpPlans(server(data))).toThrow(
      expect.objectContaining({ code: 'bundle_data_invalid', field: `countersign.limits.mcp.${field}` }),
    );
  });
});

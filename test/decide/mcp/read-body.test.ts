import { describe, expect, it, test } from 'vitest';
import type { JsonValue } from '../../../src/contract/json.ts';
import { readMessage } from '../../../src/decide/mcp/read-message.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { call, list, META, planOf, read, requestOf, type Sent } from './message.ts';

const rpc = (more: Record<string, JsonValue>): Sent => ({
  ...list(),
  body: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: META }, ...more },
});

describe('a message that can be read', () => {
  it('is a call with its tool and arguments', () => {
    expect(read(call('search', { query: 'a' }))).toEqual({
      ...{ server: 'tickets', source: 'body', code: null, kind: 'request', id: 1, version: '2026-07-28', method: 'tools/call' },
      ...{ list: 'tools', name: 'search', target: 'search', arguments: { query: 'a' }, subject: null, agent: null },
    });
  });

  it('[asks 91] has the name that was sent and the tool’s own one', () => {
    expect(read(call('tickets_search'))).toMatchObject({ code: null, server: 'tickets', name: 'tickets_search', target: 'search' });
    for (const name of ['Search', 'tickets-search', 'TICKETS_SEARCH']) expect(read(call(name))).toMatchObject({ name, target: name });
  });

  it('has no target where its method has none', () => {
    expect(read(list())).toMatchObject({ code: null, id: 'a', method: 'tools/list', list: null, name: null, target: null, arguments: {} });
  });

  test.each([
    ['prompts/get', { name: 'triage' }, 'triage', { list: 'prompts', target: 'triage' }],
    ['resources/read', { uri: 'file:///a?b' }, 'file:///a?b', { list: 'resources', target: 'file:///a?b' }],
  ])('is about what %s names', (method, params, name, wanted) => {
    const { headers } = list(method, { 'mcp-name': name });
    const message = read({ headers, body: { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } } });
    expect(message).toMatchObject({ code: null, method, ...wanted });
  });

  test.each([
    [
      { type: 'ref/prompt', name: 'triage' },
      { code: null, list: 'prompts', target: 'triage' },
    ],
    [
      { type: 'ref/resource', uri: 'file:///{a}' },
      { code: null, list: 'resources', target: 'file:///{a}' },
    ],
    [{ type: 'ref/other', name: 'x' }, { code: 'params_invalid' }],
    [null, { code: 'params_invalid' }],
  ])('is about what a completion refers to: %j', (ref, wanted) => {
    const method = 'completion/complete';
    expect(read({ ...list(method), body: { jsonrpc: '2.0', id: 1, method, params: { ref, _meta: META } } })).toMatchObject(wanted);
  });

  it('may be a notification, which has no id', () => {
    expect(read({ ...list(), body: { jsonrpc: '2.0', method: 'tools/list' } })).toMatchObject({
      code: null,
      kind: 'notification',
      id: undefined,
    });
  });
});

describe('a message that is refused', () => {
  test.each<[string, Sent, string, unknown]>([
    ['by another method than POST', { ...list(), method: 'GET' }, 'not_post', undefined],
    ['without a body', { ...list(), text: null }, 'body_absent', undefined],
    ['with an empty body', { ...list(), text: '' }, 'body_absent', undefined],
    ['of which the gateway has no body', { ...list('tools/list', { 'content-length': '50' }), text: null }, 'body_absent', undefined],
    ['that was cut', { ...list(), truncated: true }, 'body_truncated', undefined],
    ['that is too large', { ...call('search', { a: 'x'.repeat(65_536) }) }, 'body_too_large', undefined],
    ['without a content type', { ...list(), contentType: null }, 'body_type', undefined],
    ['of another content type', { ...list(), contentType: 'text/plain' }, 'body_type', undefined],
    ['that is no JSON', { ...list(), text: '{"jsonrpc":' }, 'body_invalid', undefined],
    [
      'with a name twice',
      { ...list(), text: '{"jsonrpc":"2.0","id":1,"method":"tools/list","m\\u0065thod":"tools/call"}' },
      'body_invalid',
      undefined,
    ],
    [
      'that is too deep',
      { ...list(), text: `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":${'['.repeat(40)}${']'.repeat(40)}}` },
      'body_invalid',
      undefined,
    ],
    ['with half a character', { ...list(), text: '{"jsonrpc":"2.0","id":"\\ud800","method":"tools/list"}' }, 'body_invalid', undefined],
    ['that is a batch', { ...list(), body: [{ jsonrpc: '2.0', id: 1, method: 'tools/list' }] }, 'batch', undefined],
    ['that is an empty batch', { ...list(), body: [] }, 'batch', undefined],
    ['that is no object', { ...list(), body: 'tools/list' }, 'message_invalid', undefined],
    ['of another JSON-RPC', rpc({ jsonrpc: '1.0' }), 'message_invalid', 1],
    ['without a method', { ...list(), body: { jsonrpc: '2.0', id: 1 } }, 'message_invalid', 1],
    ['whose method is no text', rpc({ method: 7 }), 'message_invalid', 1],
    ['that answers', { ...list(), body: { jsonrpc: '2.0', id: 1, result: {} } }, 'message_invalid', 1],
    ['that asks and answers', rpc({ result: {} }), 'message_invalid', 1],
    ['whose method is endless', rpc({ method: 'x'.repeat(129) }), 'message_invalid', 1],
    ['whose tool is endless', call('x'.repeat(2049)), 'params_invalid', 1],
    ['whose id is null', rpc({ id: null }), 'message_invalid', undefined],
    ['whose id is a fraction', rpc({ id: 1.5 }), 'message_invalid', undefined],
    [
      'whose id loses digits',
      { ...list(), text: '{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/list"}' },
      'message_invalid',
      undefined,
    ],
    ['whose parameters are a list', rpc({ params: [] }), 'params_invalid', 1],
    ['whose method is there in another spelling too', rpc({ Method: 'tools/call' }), 'message_ambiguous', 1],
    ['whose parameters are there in another spelling too', rpc({ PARAMS: { name: 'purge' } }), 'message_ambiguous', 1],
    ['with a letter that folds to one of ours', rpc({ paramſ: { name: 'purge' } }), 'message_ambiguous', 1],
    [
      'whose tool is there in another spelling too',
      { ...call('search'), body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'search', Name: 'purge', _meta: META } } },
      'message_ambiguous',
      1,
    ],
    [
      'that calls nothing',
      { ...call('search'), body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { _meta: META } } },
      'params_invalid',
      1,
    ],
    ['that calls a nameless tool', { ...call(''), headers: call('search').headers }, 'params_invalid', 1],
    ['whose arguments are a list', call('search', []), 'params_invalid', 1],
    [
      'that does not say its revision itself',
      { ...list(), body: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} } },
      'meta_missing',
      1,
    ],
  ])('%s', (_name, sent, code, id) => {
    expect(read(sent)).toMatchObject({ code, id });
  });
});

it('is not looked at on other routes', () => {
  expect(readMessage(requestOf(list()), SMOKE_FACTS.route)).toBeNull();
});

it('is refused where the border had to leave headers out', () => {
  const many = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`x-${index}`, '1']));
  expect(read({ ...list(), headers: { ...list().headers, ...many } }, planOf())).toMatchObject({ code: 'header_invalid' });
});

import { describe, expect, it } from 'vitest';
import type { ClientResponse, Decision } from '../../src/contract/decision.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import { maskDecision, maskHeaders } from '../../src/record/mask-decision.ts';
import { answer } from '../decide/answer.ts';

const SECRET = 'backend-secret';
const input = { request: { query: { q: ['sent-by-client'] }, body: { status: 'parsed', json: { note: 'body-of-client' } } } };

const decided = (details: JsonObject, more: Partial<Decision> = {}): Decision => {
  const made = answer([['a.shown', 'deny']]);
  return { ...made, reasons: [{ code: 'a.shown', effect: 'deny', title: 'Shown', public: true, details }], ...more };
};
const detailsOf = (details: JsonObject): JsonObject | undefined => maskDecision(decided(details), input).reasons[0]?.details;

describe('what those see who may only look', () => {
  it.each<[string, JsonObject, JsonObject]>([
    ['headers', { upstream_headers: { 'x-b': SECRET, 'x-n': 7 } }, { upstream_headers: { 'x-b': '***', 'x-n': '***' } }],
    [
      'headers deeper down',
      { deeper: [{ response_headers: { 'x-b': [SECRET] } }] },
      { deeper: [{ response_headers: { 'x-b': ['***'] } }] },
    ],
    ['a header value again', { headers_to_set: { 'x-b': SECRET }, why: `set ${SECRET}` }, { headers_to_set: { 'x-b': '***' }, why: '***' }],
    ['a scheme', { sent: 'Bearer abc' }, { sent: '***' }],
    ['a JWT', { sent: 'eyJhbGciOi.eyJ' }, { sent: '***' }],
    ['a secret by its name', { api_key: 'k' }, { api_key: '***' }],
    ['a text of the client', { said: 'it says sent-by-client', body: 'body-of-client' }, { said: '***', body: '***' }],
    ['limits and counts stay', { limit: 'client-10s', count: 12, open: true }, { limit: 'client-10s', count: 12, open: true }],
  ])('%s', (_, details, shown) => {
    expect(detailsOf(details)).toEqual(shown);
  });

  it('an argument of an MCP tool is a text of the client, also where no rule looks at the body', () => {
    const asked = { mcp: { status: 'read', arguments: { query: 'asked-by-client' } } };
    expect(maskDecision(decided({ said: 'for asked-by-client' }), asked).reasons[0]?.details).toEqual({ said: '***' });
    const read = {
      mcp: { status: 'read', name: 'https://files.example/a?key=k-of-client', target: 'https://files.example/a?key=k-of-client' },
    };
    const said = { said: 'for https://files.example/a?key=k-of-client' };
    expect(maskDecision(decided(said), read).reasons[0]?.details).toEqual({ said: '***' });
  });

  it('obligations, dynamic metadata, headers and texts keep their names only', () => {
    const shown = maskDecision(
      decided(
        {},
        {
          obligations: [{ id: 'header', value: SECRET, more: { deep: [SECRET] } }],
          dynamicMetadata: { backend: SECRET, nested: { list: [SECRET, null] } },
          response: { status: 403, headers: { 'x-b': SECRET, 'content-type': 'text/plain' }, body: {}, text: SECRET },
        },
      ),
      input,
    );
    expect(shown).toMatchObject({
      obligations: [{ id: 'header', value: '***', more: { deep: ['***'] } }],
      dynamicMetadata: { backend: '***', nested: { list: ['***', null] } },
      response: { headers: { 'x-b': '***', 'content-type': 'text/plain' }, text: '***' },
    });
    expect(JSON.stringify(shown)).not.toContain(SECRET);
  });

  describe('of a policy that decides itself', () => {
    const said = 'asks for sent-by-client';
    const reasons = [{ ...decided({}).reasons[0], title: said, titleSaid: true }] as Decision['reasons'];
    const shownOf = (response: Partial<ClientResponse>) => {
      const { id } = decided({});
      const whole = { status: 403, headers: { 'www-authenticate': `Bearer error_description="${said}"` }, ...response };
      return maskDecision(decided({}, { reasons, response: { body: { decision_id: id }, ...whole } }), input);
    };

    it('a title is what it says, also in the answer to the client', () => {
      const { id } = decided({});
      const body = { type: 'about:blank', title: 'Forbidden', status: 403, decision_id: id, reasons: [{ code: 'a.shown', title: said }] };
      const shown = shownOf({ body });
      expect(JSON.stringify(shown)).not.toContain('sent-by-client');
      expect(shown.reasons[0]?.title).toBe('***');
      expect(shown.response?.body).toEqual({ ...body, reasons: [{ code: 'a.shown', title: '***' }] });
    });

    it.each<[string, JsonObject]>([
      ['a member of its own', { note: said }],
      ['a title of its own', { title: said }],
      ['reasons of its own', { reasons: [{ code: 'a.shown', title: 'Shown', why: said }] }],
    ])('a body that it made is its own though it names the decision: %s', (_, more) => {
      const { id } = decided({});
      const body = { type: 'about:blank', title: 'Forbidden', status: 403, decision_id: id, ...more };
      const shown = shownOf({ body });
      expect(JSON.stringify(shown)).not.toContain('sent-by-client');
      expect(shown.response?.body).toMatchObject({ decision_id: id, status: 403 });
    });
  });

  it('without the input every text may be a credential', () => {
    const shown = maskDecision(decided({ limit: 'client-10s', count: 2 }), null);
    expect(shown.reasons[0]?.details).toEqual({ limit: '***', count: 2 });
  });

  it('why a rule is undecided is said by the host', () => {
    const details = { cause: 'input_undefined', missing: ['input.token'], at: 'a.rego:3', said: 'sent-by-client' };
    const reasons = [{ code: 'a.shown', effect: 'undecided' as const, title: 'Shown', public: true, details }];
    expect(maskDecision({ ...decided({}), reasons }, input).reasons[0]?.details).toEqual({ ...details, said: '***' });
  });
});

it('a simulation keeps the names of headers, and what the host says of the caller', () => {
  const allowed = answer([['a.shown', { effect: 'allow', upstream_headers: { 'x-b': SECRET } }]], { subject: 'agent-a' });
  const { upstream } = maskHeaders({ ...allowed, upstream: { ...allowed.upstream, queryToSet: [['key', SECRET]] } });
  expect(upstream).toMatchObject({ headersToSet: { 'x-b': '***', 'x-countersign-subject': 'agent-a' }, queryToSet: [['key', '***']] });
});

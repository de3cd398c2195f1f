import { createServer, type Server } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type Client, type ClientOptions, createClient } from '../../src/client/client.ts';
import { readAnswer } from '../../src/client/read-answer.ts';
import { serve } from '../endpoints/fixtures.ts';
import { ALLOW, type Behaviour, DENY, says, startLyingServer } from './lying-server.ts';

const QUESTION = { request: { method: 'GET', host: 'api.example', path: '/a' } };

const running: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
function clientOf(url: string, options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ url, timeoutMs: 2000, ...options });
  running.push({ stop: () => client.close() });
  return client;
}
async function against(behaviour: Behaviour, options: Partial<ClientOptions> = {}) {
  const server = await startLyingServer(behaviour);
  running.push(server);
  return { server, client: clientOf(server.url, options) };
}

describe('an answer', () => {
  it('of the real listener is understood, allow and deny', async () => {
    const served = await serve();
    running.push({ stop: () => served.listener.stop(100) });
    const client = clientOf(served.url, { token: 'edge-token' });
    expect(await client.decide(QUESTION)).toMatchObject({
      allowed: true,
      effect: 'allow',
      failure: null,
      decisionId: 'id-1',
      response: null,
    });
    expect(served.asked[0]?.pep.name).toBe('edge');
    expect(await clientOf(served.url, { token: 'other' }).decide(QUESTION)).toMatchObject({
      allowed: false,
      failure: { code: 'refused', detail: 'pep_unauthenticated' },
      response: { status: 503, headers: { 'retry-after': '1' } },
    });
    expect(await client.report({ decision_id: 'x', outcome: 'success' })).toEqual({
      ok: false,
      failure: { code: 'refused', detail: 'feedback_not_allowed' },
    });
  });

  it('that allows has all that is to be done with the request', async () => {
    const { client } = await against(says({ ...ALLOW, would: 'deny', obligations: [{ type: 'log' }] }));
    expect(await client.decide(QUESTION)).toEqual({
      allowed: true,
      effect: 'allow',
      failure: null,
      would: 'deny',
      decisionId: 'd1',
      reasons: [{ code: 'access.granted', effect: 'allow', title: 'Granted', details: {} }],
      assurance: { level: 2, required: 1 },
      riskScore: 5,
      stepUp: null,
      obligations: [{ type: 'log' }],
      upstream: {
        headersToSet: { 'x-countersign-subject': 'agent-a' },
        headersToRemove: ['x_countersign_subject'],
        ...{ responseHeadersToSet: {}, responseHeadersToAdd: {}, queryToSet: {}, queryToRemove: [] },
      },
      response: null,
      answer: expect.objectContaining({ decision: 'allow' }),
    });
  });

  it('that steps up says by what, and what the caller is to get', async () => {
    const stepUp = { kind: 'authentication', methods: ['token'], acr_values: ['urn:loa:3'], max_age_seconds: 300 };
    const response = { status: 401, headers: { 'www-authenticate': ['Bearer a', 'DPoP b'] }, body: 'text' };
    const { client } = await against(says({ ...DENY, decision: 'step_up', step_up: stepUp, response }));
    expect(await client.decide(QUESTION)).toMatchObject({
      allowed: false,
      effect: 'step_up',
      failure: null,
      stepUp: { kind: 'authentication', methods: ['token'], acrValues: ['urn:loa:3'], maxAgeSeconds: 300, scopes: [] },
      response,
    });
  });

  it('that denies is one, however little of it can be read', async () => {
    const { client } = await against(says({ decision: 'deny', response: { status: 200, headers: {}, body: {} }, reasons: 'none' }));
    expect(await client.decide(QUESTION)).toMatchObject({ allowed: false, effect: 'deny', failure: null, response: { status: 403 } });
  });

  const { upstream } = ALLOW;
  it.each([
    ['another effect', { ...ALLOW, decision: 'permit' }, 'effect_unknown'],
    ['a boolean', { ...ALLOW, decision: true }, 'effect_unknown'],
    ['no effect', { ...ALLOW, decision: undefined }, 'effect_unknown'],
    ['no id', { ...ALLOW, decision_id: undefined }, 'answer_invalid'],
    ['an error', { ...ALLOW, error: { code: 'internal_error' } }, 'answer_invalid'],
    ['an answer for the caller', { ...ALLOW, response: DENY.response }, 'answer_invalid'],
    ['another mode', { ...ALLOW, would: 'allow' }, 'answer_invalid'],
    ['no reasons', { ...ALLOW, reasons: [] }, 'answer_invalid'],
    ['no obligations', { ...ALLOW, obligations: undefined }, 'answer_invalid'],
    ['obligations that are texts', { ...ALLOW, obligations: ['log'] }, 'answer_invalid'],
    ['no upstream', { ...ALLOW, upstream: undefined }, 'answer_invalid'],
    ['headers that are numbers', { ...ALLOW, upstream: { ...upstream, headers_to_set: { a: 1 } } }, 'answer_invalid'],
    ['a header that ends the line', { ...ALLOW, upstream: { ...upstream, headers_to_set: { a: 'b\r\nc: d' } } }, 'answer_invalid'],
    ['a name that is none', { ...ALLOW, upstream: { ...upstream, response_headers_to_add: { 'a b': 'c' } } }, 'answer_invalid'],
    ['no removals', { ...ALLOW, upstream: { headers_to_set: {} } }, 'answer_invalid'],
    ['a list', [ALLOW], 'answer_invalid'],
    ['half of it', JSON.stringify(ALLOW).slice(0, -1), 'answer_invalid'],
    ['the effect twice', JSON.stringify(ALLOW).replace('{', '{"decision":"deny",'), 'answer_invalid'],
    ['nothing', '', 'answer_invalid'],
  ])('that allows with %s is a deny', async (_what, body, code) => {
    const { client } = await against(says(body));
    expect(await client.decide(QUESTION)).toMatchObject({ allowed: false, effect: 'deny', failure: { code }, response: { status: 503 } });
  });

  it.each([
    ['of another type', says(ALLOW, 200, { 'content-type': 'text/html' }), 'answer_invalid', null],
    ['of no type', says(ALLOW, 200, {}), 'answer_invalid', null],
    ['with another status', says(ALLOW, 201), 'refused', 'http_201'],
    ['that sends elsewhere', says('', 302, { location: 'http://127.0.0.1:1/' }), 'refused', 'http_302'],
    ['of a proxy', says('<html>', 502, { 'content-type': 'text/html' }), 'refused', 'http_502'],
    [
      'that refuses',
      says({ code: 'request_invalid', status: 400 }, 400, { 'content-type': 'application/problem+json' }),
      'refused',
      'request_invalid',
    ],
    ['that refuses with words', says({ code: 'not a code: secret' }, 400), 'refused', 'http_400'],
  ])('%s is a deny', async (_what, behaviour, code, detail) => {
    const { client } = await against(behaviour);
    expect(await client.decide(QUESTION)).toMatchObject({ allowed: false, failure: { code, detail } });
  });

  it('allows only where it says so, whatever it is', () => {
    const members = fc.record(
      { decision: fc.constantFrom('allow', 'deny', 'step_up', 'ALLOW', true, null), error: fc.anything() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.anything().map((value) => JSON.stringify(value) ?? ''),
          members.map((one) => JSON.stringify(one)),
        ),
        (text) => {
          const outcome = readAnswer({ status: 200, contentType: 'application/json', bytes: Buffer.from(text) });
          expect(outcome.allowed).toBe(false);
          expect(outcome.response?.status).toBeGreaterThanOrEqual(400);
        },
      ),
    );
  });
});

describe('a failure is a deny', () => {
  it('where nobody listens', async () => {
    const client = clientOf('http://127.0.0.1:1');
    expect(await client.decide(QUESTION)).toMatchObject({ allowed: false, failure: { code: 'unreachable', detail: 'ECONNREFUSED' } });
    expect(await client.report({ decision_id: 'x', outcome: 'success' })).toMatchObject({ ok: false, failure: { code: 'unreachable' } });
  });

  it.each([
    ['never answers', () => undefined],
    ['begins to answer', (response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{')],
  ] satisfies [string, Behaviour][])('where the server %s', async (_what, behaviour) => {
    const { client } = await against(behaviour, { timeoutMs: 100 });
    expect(await client.decide(QUESTION)).toMatchObject({ allowed: false, failure: { code: 'timeout' } });
  });

  it('where the connection is taken and nothing is said', async () => {
    const server: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    running.push({ stop: () => server.close() });
    const address = server.address();
    const client = clientOf(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, { timeoutMs: 100 });
    expect(await client.decide(QUESTION)).toMatchObject({ allowed: false, failure: { code: 'timeout' } });
  });

  it('where half of the answer comes, and where it does not end', async () => {
    const half = await against((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write(JSON.stringify(ALLOW));
      setTimeout(() => response.destroy(), 20);
    });
    expect(await half.client.decide(QUESTION)).toMatchObject({ allowed: false, failure: { code: 'unreachable' } });
    const long = await against(says({ ...ALLOW, filling: 'x'.repeat(5000) }), { answerBytesMax: 4096 });
    expect(await long.client.decide(QUESTION)).toMatchObject({ allowed: false, failure: { code: 'answer_too_large' } });
  });

  it('where the caller has gone, there are too many, or the client is closed', async () => {
    const { client } = await against(() => undefined, { inFlightMax: 1 });
    const left = new AbortController();
    const first = client.decide(QUESTION, { signal: left.signal });
    expect(await client.decide(QUESTION)).toMatchObject({ allowed: false, failure: { code: 'overloaded' } });
    left.abort();
    expect(await first).toMatchObject({ allowed: false, failure: { code: 'aborted' } });
    expect(await client.decide(QUESTION, { signal: left.signal })).toMatchObject({ allowed: false, failure: { code: 'aborted' } });
    client.close();
    expect(await client.decide(QUESTION)).toMatchObject({ allowed: false, failure: { code: 'closed' } });
  });

  it('where the question or the token cannot be sent', async () => {
    const { client, server } = await against(says(ALLOW));
    const cycle: Record<string, never> = {};
    Object.assign(cycle, { cycle });
    expect(await client.decide({ context: cycle })).toMatchObject({ allowed: false, failure: { code: 'question_invalid', detail: null } });
    expect(await clientOf(server.url, { token: 'a\r\nb' }).decide(QUESTION)).toMatchObject({
      allowed: false,
      failure: { code: 'question_invalid' },
    });
    const throwing = (): string => {
      throw new Error('no token');
    };
    expect(await clientOf(server.url, { token: throwing }).decide(QUESTION)).toMatchObject({ allowed: false });
    expect(server.calls).toEqual([]);
  });

  it('where the address is not safe there is no client', () => {
    for (const url of ['http://pdp.example', 'ftp://pdp.example', 'pdp']) expect(() => createClient({ url })).toThrow(TypeError);
    for (const one of [{ url: 'https://pdp.example' }, { url: 'http://pdp.example', allowInsecureHttp: true }]) createClient(one).close();
  });
});

describe('connections', () => {
  it('are kept, and are no more than they may be', async () => {
    const { client, server } = await against(says(ALLOW), { connectionsMax: 2 });
    for (let at = 0; at < 5; at++) expect((await client.decide(QUESTION)).allowed).toBe(true);
    expect(server.sockets).toHaveLength(1);
    await Promise.all(Array.from({ length: 20 }, () => client.decide(QUESTION)));
    expect(server.sockets).toHaveLength(2);
    expect(server.calls.at(-1)).toMatchObject({ url: '/decide', body: JSON.stringify(QUESTION) });
  });

  it('that the server has closed meanwhile are replaced, once', async () => {
    const { client, server } = await against((response, request, call) => {
      // the second question is reset on the kept connection, as by a server that has closed it
      if (call === 2) request.socket.resetAndDestroy();
      else says(ALLOW)(response, request, call);
    });
    expect((await client.decide(QUESTION)).allowed).toBe(true);
    expect((await client.decide(QUESTION)).allowed).toBe(true);
    expect(server.calls).toHaveLength(3);
    const broken = await against((response, request, call) => {
      if (call >= 2) request.socket.resetAndDestroy();
      else says(ALLOW)(response, request, call);
    });
    await broken.client.decide(QUESTION);
    expect(await broken.client.decide(QUESTION)).toMatchObject({ allowed: false, failure: { code: 'unreachable' } });
    expect(broken.server.calls).toHaveLength(3);
  });

  it('show the token of now, below the path of the URL', async () => {
    const { server } = await against(says(ALLOW));
    let token = 'one';
    const client = clientOf(`${server.url}/base/`, { token: () => token });
    await client.decide(QUESTION);
    token = 'two';
    await client.decide(QUESTION);
    expect(server.calls.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/base/decide', 'Bearer one'],
      ['/base/decide', 'Bearer two'],
    ]);
  });
});

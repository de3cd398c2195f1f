import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { assertionOf, type CountersignOptions, createAssertionGuard, createCountersign, outcomeOf } from '../../src/client/express.ts';
import { createAuthority } from '../support/certificates.ts';
import { send } from '../support/http-client.ts';
import { createAssertionWorld } from './assertion-world.ts';
import { ALLOW, type Behaviour, DENY, says, startLyingServer } from './lying-server.ts';

const running: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push({
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/** What the application saw of a request. */
type Seen = {
  readonly headers: IncomingMessage['headers'];
  readonly raw: readonly string[];
  readonly distinct: object;
  readonly decision: unknown;
};

async function application(behaviour: Behaviour, options: Partial<CountersignOptions> = {}, timeoutMs = 2000) {
  const pdp = await startLyingServer(behaviour);
  const client = createClient({ url: pdp.url, timeoutMs });
  running.push(pdp, { stop: () => client.close() });
  const seen: Seen[] = [];
  const errors: unknown[] = [];
  const app = express();
  app.use('/api', createCountersign({ client, ...options }));
  app.get('/api/orders', (request, response) => {
    const { headers, rawHeaders: raw, headersDistinct: distinct } = request;
    seen.push({ headers, raw, distinct, decision: outcomeOf(request)?.decisionId });
    response.json({ ok: true });
  });
  const failed: express.ErrorRequestHandler = (error, _request, response, _next) => {
    errors.push(error);
    response.status(500).end();
  };
  app.use(failed);
  const port = await listen(createServer(app));
  return { port, pdp, seen, errors, questions: () => pdp.calls.map(({ body }): Record<string, unknown> => JSON.parse(body)) };
}

describe('the question', () => {
  it('has the whole target, every header in its spelling, and the peer', async () => {
    const { port, questions } = await application(says(ALLOW));
    const headers = [
      'Host',
      'api.example',
      'X-Dup',
      'a',
      'x-dup',
      'b',
      'X_Api_Key',
      'k',
      'Authorization',
      'Bearer t',
      'X-Utf8',
      'caf\xc3\xa9',
    ];
    expect((await send(port, { path: '/api/orders?a=%2Fb', headers: [...headers, '__proto__', 'x'] })).status).toBe(200);
    expect(questions()).toEqual([
      {
        request: {
          method: 'GET',
          scheme: 'http',
          host: 'api.example',
          path: '/api/orders?a=%2Fb',
          headers: expect.objectContaining({
            'x-dup': ['a', 'b'],
            x_api_key: ['k'],
            authorization: ['Bearer t'],
            'x-utf8': ['café'],
          }),
        },
        source: { ip: '127.0.0.1', port: expect.any(Number) },
      },
    ]);
    expect(Object.hasOwn(Object(questions()[0]?.['request']).headers, '__proto__')).toBe(true);
  });

  it("has what the application adds, and a certificate that the application's TLS verified", async () => {
    const authority = createAuthority();
    const pdp = await startLyingServer(says(ALLOW));
    const client = createClient({ url: pdp.url });
    running.push(pdp, { stop: () => client.close() });
    const guard = createCountersign({ client, question: () => ({ resource: { type: 'order', id: '7' }, policy: 'orders' }) });
    const own = authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });
    const tls = { cert: own.pem, key: own.keyPem, ca: authority.pem, requestCert: true, rejectUnauthorized: false };
    const port = await listen(createTlsServer(tls, (request, response) => guard(request, response, () => response.end('passed'))));
    const certificate = authority.client({ commonName: 'a', uris: ['spiffe://td.test/a'] });
    const { pem: cert, keyPem: key } = certificate;
    expect((await send(port, { path: '/', tls: { ca: authority.pem, cert, key } })).body).toBe('passed');
    expect((await send(port, { path: '/', tls: { ca: authority.pem } })).body).toBe('passed');
    const foreign = createAuthority().client({ commonName: 'a', uris: ['spiffe://td.test/a'] });
    expect((await send(port, { path: '/', tls: { ca: authority.pem, cert: foreign.pem, key: foreign.keyPem } })).body).toBe('passed');
    const [with_, without, wrong] = pdp.calls.map(({ body }) => JSON.parse(body));
    expect(with_).toMatchObject({
      request: { scheme: 'https', path: '/' },
      tls: { version: 'TLSv1.3' },
      resource: { type: 'order', id: '7' },
      policy: 'orders',
    });
    expect(with_.certificate.pem.replaceAll(/\s/g, '')).toBe(cert.replaceAll(/\s/g, ''));
    expect([without.certificate, wrong.certificate]).toEqual([undefined, undefined]);
  });
});

describe('an allow', () => {
  it('goes on with the headers that Countersign sets, and no copy of the client', async () => {
    const upstream = {
      headers_to_set: { 'x-countersign-subject': 'agent-a', 'x-several': ['1', '2'] },
      headers_to_remove: ['authorization', 'x_countersign_subject'],
      response_headers_to_set: { 'dpop-nonce': 'n' },
      response_headers_to_add: { 'set-cookie': ['a=1', 'b=2'] },
    };
    const { port, seen } = await application(says({ ...ALLOW, upstream }));
    const forged = [
      'X-Countersign-Subject',
      'root',
      'x-countersign-subject',
      'root',
      'X_Countersign_Subject',
      'root',
      'Authorization',
      'Bearer t',
    ];
    const answer = await send(port, { path: '/api/orders', headers: [...forged, 'x-other', 'o'] });
    expect([answer.status, answer.headers['dpop-nonce'], answer.headers['set-cookie']]).toEqual([200, 'n', ['a=1', 'b=2']]);
    const [{ headers, raw, distinct, decision } = { headers: {}, raw: [], distinct: {}, decision: null }] = seen;
    expect(headers).toMatchObject({ 'x-countersign-subject': 'agent-a', 'x-several': '1, 2', 'x-other': 'o' });
    expect(distinct).toMatchObject({ 'x-countersign-subject': ['agent-a'], 'x-several': ['1', '2'] });
    expect(JSON.stringify([headers, raw, distinct])).not.toMatch(/root|authorization/i);
    expect(raw.join(' ')).toContain('x-countersign-subject agent-a');
    expect(decision).toBe('d1');
  });

  it('that changes the query, or has obligations that nobody meets, does not go on', async () => {
    const query = { ...ALLOW, upstream: { ...ALLOW.upstream, query_parameters_to_set: { a: 'b' } } };
    const changed = await application(says(query));
    expect((await send(changed.port, { path: '/api/orders' })).status).toBe(403);
    const obliged = { ...ALLOW, obligations: [{ type: 'log' }, { type: 'mask' }] };
    for (const fulfil of [undefined, (one: object) => JSON.stringify(one).includes('log')]) {
      const { port, seen } = await application(says(obliged), fulfil === undefined ? {} : { fulfil });
      expect((await send(port, { path: '/api/orders' })).status).toBe(403);
      expect(seen).toEqual([]);
    }
    const met = await application(says(obliged), { fulfil: async () => true });
    expect((await send(met.port, { path: '/api/orders' })).status).toBe(200);
  });
});

describe('everything else', () => {
  it('is what Countersign says: status, challenges, headers and body', async () => {
    const told = {
      status: 401,
      headers: {
        'content-type': 'application/problem+json',
        'www-authenticate': ['Bearer error="insufficient_user_authentication"', 'DPoP'],
      },
      body: { status: 401, decision_id: 'd1' },
    };
    const { port, seen } = await application(
      says({ ...DENY, decision: 'step_up', step_up: { kind: 'authentication', methods: [] }, response: told }),
    );
    const answer = await send(port, { path: '/api/orders' });
    expect([answer.status, answer.headers['content-type'], JSON.parse(answer.body)]).toEqual([401, 'application/problem+json', told.body]);
    expect(answer.rawHeaders.filter((_text, at) => answer.rawHeaders[at - 1]?.toLowerCase() === 'www-authenticate')).toEqual(
      told.headers['www-authenticate'],
    );
    expect(seen).toEqual([]);
  });

  it.each([
    ['an answer that is none', says('{}'), 503],
    ['no answer', () => undefined, 503],
    ['a refusal of the question', says({ code: 'pep_unauthenticated' }, 401, { 'www-authenticate': 'Bearer realm="PDP"' }), 503],
    ['a deny without an answer', says({ decision: 'deny' }), 403],
    [
      'a deny without headers',
      says({ decision: 'deny', response: { status: 403, headers: { 'cache-control': 'no-store' }, body: {} } }),
      403,
    ],
  ] satisfies [string, Behaviour, number][])('%s is no pass', async (_what, behaviour, status) => {
    const { port, seen } = await application(behaviour, {}, 100);
    const answer = await send(port, { path: '/api/orders' });
    expect([answer.status, answer.headers['www-authenticate'], answer.headers['cache-control']]).toEqual([status, undefined, 'no-store']);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(seen).toEqual([]);
  });

  it("is told before it is done, and what the application's own functions throw stops the request", async () => {
    const told: (string | undefined)[] = [];
    const denied = await application(says('', 500), { onOutcome: ({ failure }) => void told.push(failure?.code) });
    await send(denied.port, { path: '/api/orders' });
    expect(told).toEqual(['refused']);
    const throwing = (): never => {
      throw new Error('mine');
    };
    for (const options of [{ question: throwing }, { onOutcome: throwing }, { fulfil: throwing }]) {
      const { port, seen, errors } = await application(says({ ...ALLOW, obligations: [{}] }), options);
      expect((await send(port, { path: '/api/orders' })).status).toBe(500);
      expect([seen, errors]).toEqual([[], [new Error('mine')]]);
    }
  });

  it('is not asked for a caller that has gone', async () => {
    const told: (string | undefined)[] = [];
    const { port, pdp } = await application(() => undefined, { onOutcome: ({ failure }) => void told.push(failure?.code) }, 60_000);
    const left = new AbortController();
    const asked = fetch(`http://127.0.0.1:${port}/api/orders`, { signal: left.signal }).catch(() => null);
    await expect.poll(() => pdp.calls.length).toBe(1);
    left.abort();
    await asked;
    await expect.poll(() => told).toEqual(['aborted']);
  });
});

describe('a guard', () => {
  it('lets pass what has an assertion of its route, and says nothing to the rest', async () => {
    const { verifier, assertion, served } = await createAssertionWorld();
    const codes: string[] = [];
    const guard = createAssertionGuard({ verifier: verifier(), onRefused: (code) => void codes.push(code) });
    const app = express().use(guard);
    app.get('/', (request, response) => response.json(assertionOf(request)?.client));
    const port = await listen(createServer(app));
    const ask = (...values: string[]) => send(port, { path: '/', headers: values.flatMap((value) => ['x-countersign-assertion', value]) });
    served.failing = true;
    expect((await ask(assertion())).status).toBe(503);
    served.failing = false;
    const other = createAssertionGuard({ verifier: verifier(), onRefused: (code) => void codes.push(code) });
    const second = express().use(other);
    second.get('/', (request, response) => response.json(assertionOf(request)?.client));
    const good = await listen(createServer(second));
    const askGood = (...values: string[]) =>
      send(good, { path: '/', headers: values.flatMap((value) => ['X-Countersign-Assertion', value]) });
    expect(await askGood(assertion())).toMatchObject({ status: 200, body: '"c1"' });
    expect((await askGood(assertion(), assertion())).status).toBe(403);
    expect((await askGood()).status).toBe(403);
    expect(JSON.parse((await askGood('x')).body)).toEqual({ type: 'about:blank', title: 'Forbidden', status: 403 });
    expect(codes).toEqual(['assertion_keys_unavailable', 'assertion_multiple', 'assertion_missing', 'assertion_malformed']);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headerOf } from '../../support/ext-authz-wire.ts';
import { ALLOW, NO_DEFAULT, OBJECT, ROLES, SAID } from './envoy-policies.ts';
import { activePolicy, type PolicyServer, servePolicy } from './policy.ts';

/* Policies in the plugin's form, out of plain `opa build`, through the real gRPC border. */

const OUR_ID = /^id-\d+$/;
const bearer = (claims: object): string => `Bearer e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
const http = (path: string, headers: readonly (readonly [string, string])[] = [], method = 'GET') => ({
  http: { method, path, host: 'api.example', scheme: 'https', headers },
});

describe('a boolean', () => {
  let server: PolicyServer;
  beforeAll(async () => {
    server = await servePolicy(await activePolicy(ROLES, { contract: 'envoy', entrypoint: ALLOW, input: { credentials: true } }));
  });
  afterAll(() => server.close());

  it.each([
    ['GET', '/books/1', { role: 'reader' }, 0],
    ['POST', '/books', { role: 'reader' }, 7],
    ['POST', '/books', { role: 'writer' }, 0],
    ['GET', '/books/1/pages', { role: 'writer' }, 7],
    ['GET', '/books/1', { role: 'nobody' }, 7],
  ])('%s %s by %j', async (method, path, claims, code) => {
    const { check } = await server.ask(http(path, [['authorization', bearer(claims)]], method));
    expect([check.code, check.ok === null]).toEqual([code, code !== 0]);
  });

  it('a refusal has the answer of the service: 403 and a problem with the id of the decision', async () => {
    const { check } = await server.ask(http('/books/1'));
    expect(check.denied?.status).toBe(403);
    expect(JSON.parse(check.denied?.body ?? '')).toMatchObject({ status: 403, decision_id: expect.stringMatching(OUR_ID) });
    expect(check.metadata).toMatchObject({ decision: 'deny', reasons: ['policy.deny'], decision_id: expect.stringMatching(OUR_ID) });
  });

  it('the credential is not in the document that is logged', async () => {
    const secret = bearer({ role: 'reader', sub: 'canary-subject' });
    const { check, input } = await server.ask(
      http('/books/1?key=canary-query', [
        ['authorization', secret],
        ['cookie', 'canary-cookie'],
      ]),
    );
    expect(check.code).toBe(0);
    expect(JSON.stringify(input)).not.toMatch(/canary|e30\./);
    expect(input).toMatchObject({
      attributes: { request: { http: { method: 'GET', path: '/books/1***', headers: { authorization: '***', cookie: '***' } } } },
    });
  });
});

it('without `credentials` no credential reaches the policy', async () => {
  const server = await servePolicy(await activePolicy(ROLES, { contract: 'envoy', entrypoint: ALLOW }));
  const { check } = await server.ask(http('/books/1', [['authorization', bearer({ role: 'reader' })]]));
  expect(check.code).toBe(7);
  await server.close();
});

it('undefined is a refusal that says so', async () => {
  const server = await servePolicy(await activePolicy(NO_DEFAULT, { contract: 'envoy', entrypoint: ALLOW }));
  expect((await server.ask(http('/public'))).check.code).toBe(0);
  const { check } = await server.ask(http('/private'));
  expect([check.code, check.ok, check.denied?.status, headerOf(check.denied?.headers, 'x-countersign-error')]).toEqual([
    13,
    null,
    503,
    'policy_result_invalid',
  ]);
  await server.close();
});

describe('an object', () => {
  let server: PolicyServer;
  beforeAll(async () => {
    server = await servePolicy(
      await activePolicy(OBJECT, { contract: 'envoy', entrypoint: 'envoy/authz/decision', input: { credentials: true } }),
    );
  });
  afterAll(() => server.close());

  it('[asks 2] [asks 4] an allow: every member in its own field', async () => {
    const { check } = await server.ask(
      http('/open/1?tenant=acme&debug=1', [
        ['x-secret', 's'],
        ['x-tenant', 'forged'],
      ]),
    );
    expect(check.code).toBe(0);
    expect(check.ok?.headers).toEqual(
      expect.arrayContaining([
        { key: 'x-tenant', value: 'acme', appendAction: 2 },
        { key: 'x-by', value: 'policy', appendAction: 2 },
      ]),
    );
    // a name that is set is not removed, and ours stay ours
    expect(check.ok?.remove).toContain('x-secret');
    expect(check.ok?.remove).not.toContain('x-by');
    expect(headerOf(check.ok?.headers, 'x-countersign-decision-id')).toMatch(OUR_ID);
    expect(check.ok?.responseHeaders).toEqual([
      { key: 'x-served', value: 'a', appendAction: 0 },
      { key: 'x-served', value: 'b', appendAction: 0 },
    ]);
    expect(headerOf(check.ok?.headers, 'x-served')).toBeNull();
    expect(check.ok?.queryToSet).toEqual([
      ['page', '1'],
      ['tag', 'a'],
      ['tag', 'b'],
    ]);
    expect(check.ok?.queryToRemove).toEqual(['debug']);
    expect(check.metadata).toMatchObject({
      tier: 'gold',
      n: 3,
      nested: { list: [1, 0, 'x'] },
      decision: 'allow',
      decision_id: expect.stringMatching(OUR_ID),
    });
    expect(check.denied).toBeNull();
  });

  it('[asks 3] [asks 89] a refusal: status, headers and body of the policy, for the client', async () => {
    const { check } = await server.ask(http('/shut/2?tenant=acme', [], 'PUT'));
    expect([check.code, check.denied?.status, check.denied?.body]).toEqual([16, 401, 'no PUT for shut/2']);
    expect(headerOf(check.denied?.headers, 'x-tenant')).toBe('acme');
    expect(headerOf(check.denied?.headers, 'content-type')).toBe('text/plain; charset=utf-8');
    expect(headerOf(check.denied?.headers, 'www-authenticate')).not.toBeNull();
    expect(headerOf(check.denied?.headers, 'x-countersign-decision-id')).toMatch(OUR_ID);
    expect(check.metadata).toMatchObject({ tier: 'gold', decision: 'deny' });
    expect(check.ok).toBeNull();
    const other = await server.ask(http('/shut', [['authorization', 'Basic x']]));
    expect([other.check.code, other.check.denied?.status]).toEqual([7, 404]);
  });
});

describe('what a result may be', () => {
  let server: PolicyServer;
  beforeAll(async () => {
    server = await servePolicy(await activePolicy(SAID, { contract: 'envoy', entrypoint: ALLOW }));
  });
  afterAll(() => server.close());
  const said = async (result: unknown) => (await server.ask(http('/', [['x-result', JSON.stringify(result)]]))).check;

  it.each<[unknown]>([
    ['yes'],
    [1],
    [null],
    [[]],
    [{}],
    [{ headers: {} }],
    [{ allowed: 'true' }],
    [{ allowed: null }],
    [{ allowed: 1 }],
    [{ allowed: true, headers: 'x' }],
    [{ allowed: true, headers: { 'bad name': 'x' } }],
    [{ allowed: true, headers: { ':path': '/admin' } }],
    [{ allowed: true, headers: { a: {} } }],
    [{ allowed: true, request_headers_to_remove: 'x' }],
    [{ allowed: true, request_headers_to_remove: [1] }],
    [{ allowed: true, response_headers_to_add: [1] }],
    [{ allowed: true, query_parameters_to_set: ['a'] }],
    [{ allowed: true, query_parameters_to_remove: {} }],
    [{ allowed: true, dynamic_metadata: [] }],
    [{ allowed: false, http_status: '403' }],
    [{ allowed: false, http_status: 999 }],
    [{ allowed: false, http_status: 403.5 }],
    [{ allowed: false, body: {} }],
    [{ allowed: false, dynamic_metadata: 'x' }],
  ])('%j is no decision: a refusal with 503', async (result) => {
    const check = await said(result);
    expect([check.code, check.ok, headerOf(check.denied?.headers, 'x-countersign-error')]).toEqual([13, null, 'policy_result_invalid']);
  });

  it('[asks 5] header values that are no texts become texts, null leaves one out; a list of objects is a list of lines', async () => {
    const check = await said({ allowed: true, headers: [{ a: true, b: 7, c: null }, { A: 'x' }] });
    const own = check.ok?.headers.filter(({ key }) => /^[abc]$/.test(key)) ?? [];
    expect(own.map(({ key, value, appendAction }) => `${key}=${value} ${appendAction}`).sort()).toEqual(['a=true 2', 'a=x 0', 'b=7 2']);
  });

  it('members that do not count for the effect are not read: a policy may always have a status', async () => {
    expect((await said({ allowed: true, http_status: 200, body: {} })).code).toBe(0);
    expect((await said({ allowed: false, request_headers_to_remove: 7 })).denied?.status).toBe(403);
  });

  it.each([100, 200, 204, 299])('a refusal with the status %i stays one', async (status) => {
    const check = await said({ allowed: false, http_status: status });
    expect([check.code, check.denied?.status]).toEqual([7, 403]);
  });

  it('a redirect has its header as the policy wrote it, and no body', async () => {
    const location = 'https://login.example/?back=%2Fa%20b&x=1';
    const check = await said({ allowed: false, http_status: 302, headers: { Location: location, 'Set-Cookie': ['a=1', 'b=2'] } });
    expect([check.denied?.status, check.denied?.body, headerOf(check.denied?.headers, 'location')]).toEqual([302, '', location]);
    expect(check.denied?.headers.filter(({ key }) => key === 'set-cookie')).toEqual([
      { key: 'set-cookie', value: 'a=1', appendAction: 2 },
      { key: 'set-cookie', value: 'b=2', appendAction: 0 },
    ]);
  });

  it('a value that would break a header is made harmless, and headers of ours are not taken', async () => {
    const check = await said({
      allowed: true,
      headers: { a: 'x\r\ny: z', 'x-countersign-subject': 'admin', 'X_Countersign.Risk': '0', host: 'evil' },
    });
    expect(headerOf(check.ok?.headers, 'a')).toBe('x%0D%0Ay: z');
    expect(check.ok?.headers.map(({ value }) => value)).not.toEqual(expect.arrayContaining(['admin']));
    expect(headerOf(check.ok?.headers, 'x_countersign.risk')).toBeNull();
    expect(headerOf(check.ok?.headers, 'host')).toBeNull();
  });

  it('[asks 89] a body beyond the bound is not sent: the answer is that of the service', async () => {
    const policy = await activePolicy(
      'package envoy.authz\n\nallow := {"allowed": false, "body": concat("", [c | some _ in numbers.range(0, 70000); c := "x"])}\n',
      { contract: 'envoy', entrypoint: ALLOW },
    );
    const large = await servePolicy(policy);
    const { check } = await large.ask(http('/'));
    expect([check.denied?.status, JSON.parse(check.denied?.body ?? '').status]).toEqual([403, 403]);
    await large.close();
  });
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import type { Envoy } from '../support/envoy.ts';
import { type Sent, send } from '../support/http-client.ts';
import { createWorld, decisionLines, headerValues, jsonObject, type World } from './world.ts';

/* A policy in the form of opa-envoy-plugin's, without anything of ours in it, behind a real Envoy: it decodes the bearer itself. */

const POLICY = `package envoy.authz

import input.attributes.request.http as http_request

default allowed := false

allowed if {
  http_request.method == "GET"
  input.parsed_path[0] == "orders"
  "orders:read" in split(claims.scope, " ")
}

allowed if {
  http_request.method == "POST"
  input.parsed_path == ["orders"]
  not input.truncated_body
  input.parsed_body.amount < 100
}

claims := json.unmarshal(base64url.decode(payload)) if {
  startswith(lower(http_request.headers.authorization), "bearer ")
  [_, payload, _] := split(split(http_request.headers.authorization, " ")[1], ".")
}

default http_status := 401

http_status := 403 if claims

http_status := 302 if input.parsed_path[0] == "moved-away"

headers["x-user"] := claims.sub if allowed

headers["x-lines"] := ["a", "b"]

headers["location"] := "https://login.example/?back=%2F" if not allowed

default subject := "nobody"

subject := claims.sub

decision := {
  "allowed": allowed,
  "headers": headers,
  "response_headers_to_add": {"x-served-by": "policy", "x-two": ["1", "2"]},
  "request_headers_to_remove": ["authorization", "x-drop"],
  "query_parameters_to_set": {"tenant": "acme"},
  "query_parameters_to_remove": ["debug"],
  "dynamic_metadata": {"subject": subject, "deep": {"list": [1, "two"]}},
  "body": json.marshal({"refused": concat("/", input.parsed_path)}),
  "http_status": http_status,
}
`;

let world: World;
let service: Countersign;
let envoy: Envoy;
let reader: string;

beforeAll(async () => {
  world = await createWorld();
  const bundle = join(world.directory, 'plugin-policy');
  mkdirSync(bundle);
  writeFileSync(join(bundle, 'policy.rego'), POLICY);
  service = await world.service({
    policy: { bundle, contract: 'envoy', entrypoint: 'envoy/authz/decision', input: { credentials: true } },
    decisions: { deadlineMs: 1000, log: { input: 'full' } },
  });
  const metadata = (name: string) => `%DYNAMIC_METADATA(envoy.filters.http.ext_authz:${name})%`;
  envoy = await world.envoy([service], {
    requestBody: { bytesMax: 200, allowPartial: true },
    timeoutMs: 2000,
    upstreamHeaders: { 'x-meta-subject': metadata('subject'), 'x-meta-deep': metadata('deep'), 'x-meta-id': metadata('decision_id') },
  });
  reader = await world.bearer('agent-a', 'orders:read');
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

const ask = (sent: Sent) => send(envoy.port, sent);
const posted = (body: string) =>
  ask({ method: 'POST', path: '/orders', headers: ['authorization', reader, 'content-type', 'application/json'], body });

describe('an allow', () => {
  it('every member of the decision reaches Envoy and does what it says', async () => {
    const answer = await ask({
      path: '/orders/7?debug=1&x=a%20b&tenant=forged',
      headers: ['Authorization', reader, 'X-User', 'forged', 'x-drop', 'me', 'x-keep', 'me'],
    });
    expect(answer.status).toBe(200);
    expect([answer.headers['x-served-by'], answer.headers['x-two']]).toEqual(['policy', '1, 2']);
    expect(answer.headers['x-user']).toBeUndefined();
    const echoed = world.upstream.requests[0];
    const raw = echoed?.rawHeaders ?? [];
    expect(headerValues(raw, 'x-user')).toEqual(['agent-a']);
    // Envoy joins the lines of a request's header, which is the same (RFC 9110 section 5.3)
    expect(headerValues(raw, 'x-lines')).toEqual(['a,b']);
    expect(echoed?.headers).toMatchObject({ 'x-keep': 'me', 'x-meta-subject': 'agent-a', 'x-meta-deep': '{"list":[1,"two"]}' });
    expect(echoed?.headers['x-meta-id']).toBe(echoed?.headers['x-countersign-decision-id']);
    expect([echoed?.headers.authorization, echoed?.headers['x-drop']]).toEqual([undefined, undefined]);
    const url = new URL(echoed?.url ?? '', 'http://upstream');
    expect([url.pathname, [...url.searchParams].sort()]).toEqual([
      '/orders/7',
      [
        ['tenant', 'acme'],
        ['x', 'a b'],
      ],
    ]);
  });

  it('of a body that the policy reads', async () => {
    expect((await posted('{"amount": 99}')).status).toBe(200);
    expect((await posted('{"amount": 100}')).status).toBe(403);
  });
});

describe('a refusal', () => {
  it('has the status, the headers and the body of the policy', async () => {
    const answer = await ask({ path: '/elsewhere/1' });
    expect([answer.status, jsonObject(answer.body)]).toEqual([401, { refused: 'elsewhere/1' }]);
    expect(answer.headers['x-lines']).toBe('a, b');
    expect(answer.headers['x-countersign-decision-id']).toBeDefined();
    expect(world.upstream.begun).toBe(0);
    expect((await ask({ path: '/elsewhere', headers: ['authorization', reader] })).status).toBe(403);
  });

  it('may be a redirect, whose address is as it was written', async () => {
    const answer = await ask({ path: '/moved-away' });
    expect([answer.status, answer.headers.location]).toEqual([302, 'https://login.example/?back=%2F']);
  });

  it('[asks 17] of a body that Envoy cut, and of one that is no JSON', async () => {
    expect((await posted(`{"amount": 1, "note": "${'x'.repeat(400)}"}`)).status).toBe(403);
    const broken = await posted('{"amount": 1');
    expect([broken.status, broken.headers['x-countersign-error']]).toEqual([400, 'request_invalid']);
    expect(world.upstream.requests).toEqual([]);
  });
});

it('over /decide the same policy says the same', async () => {
  const decide = async (body: object) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`http://127.0.0.1:${service.httpPort}/decide`, { method: 'POST', headers, body: JSON.stringify(body) });
    return jsonObject(await answer.text());
  };
  const request = { method: 'GET', scheme: 'https', host: 'api.example', path: '/orders/7?debug=1', headers: { Authorization: reader } };
  expect(await decide({ request })).toMatchObject({
    decision: 'allow',
    reasons: [{ code: 'policy.allow' }],
    upstream: {
      headers_to_set: { 'x-user': 'agent-a', 'x-lines': ['a', 'b'] },
      headers_to_remove: expect.arrayContaining(['authorization', 'x-drop']),
      response_headers_to_add: { 'x-served-by': 'policy', 'x-two': ['1', '2'] },
      query_parameters_to_set: { tenant: 'acme' },
      query_parameters_to_remove: ['debug'],
    },
    dynamic_metadata: { subject: 'agent-a' },
  });
  expect(await decide({ request: { ...request, headers: {} } })).toMatchObject({
    decision: 'deny',
    response: { status: 401, headers: { 'x-lines': ['a', 'b'] }, body: '{"refused":"orders/7"}' },
  });
});

it('[asks 83] no credential is in the log, although the policy sees it', async () => {
  const canary = 'canary-5f0c';
  await ask({
    path: `/orders?key=${canary}-q`,
    headers: ['authorization', `Bearer ${canary}-a`, 'cookie', `s=${canary}-c`, 'x-odd', `${canary}-h`],
  });
  await expect
    .poll(() => decisionLines(service).filter(({ policy }) => jsonObject(JSON.stringify(policy))['name'] === 'default').length)
    .toBeGreaterThan(3);
  expect(service.output()).not.toContain(canary);
  expect(service.output()).not.toContain(reader.slice(7));
});

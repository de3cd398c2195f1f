import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bindingSeen } from '../../src/cases/differences.ts';
import type { Case } from '../../src/cases/schema.ts';
import type { Decision } from '../../src/contract/decision.ts';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import type { Listener } from '../../src/contract/lifecycle.ts';
import type { Clock, Pdp } from '../../src/contract/stages.ts';
import type { PolicySet } from '../../src/decide/policies.ts';
import { createGrpcServer } from '../../src/endpoints/grpc-server.ts';
import { createHttpServer } from '../../src/endpoints/http-server.ts';
import type { PepAuth } from '../../src/endpoints/pep-auth.ts';
import { baseBundle, createTestPolicies, SILENT } from '../decide/fixtures.ts';
import { type CheckParts, encodeCheck, headerOf } from '../support/ext-authz-wire.ts';
import { connectGrpc } from '../support/grpc-client.ts';
import { CHECK, checkOf } from '../support/grpc-fixture.ts';
import { send } from '../support/http-client.ts';
import { checkCase } from './check.ts';
import { loadCases } from './load.ts';
import { authorizationOf, type CasePath, createCasePath, createTestIssuer, proofsOf, type TestIssuer } from './path.ts';
import { askedBody, casePep } from './question.ts';
import { txnTokensOf } from './txn-token.ts';

/* Both listeners, once for all cases; the path behind them is the case's own. */

let issuer: TestIssuer;
let policies: PolicySet;
let current: { readonly path: CasePath; readonly one: Case } | null = null;
let http: Listener;
let grpc: Listener;
let httpPort = 0;
let grpcPort = 0;

function now(): { readonly path: CasePath; readonly one: Case } {
  if (current === null) throw new Error('no case is on');
  return current;
}

beforeAll(async () => {
  issuer = await createTestIssuer();
  policies = createTestPolicies();
  await policies.activate('default', await baseBundle());
  const pdp: Pdp = { decide: (request) => now().path.pdp.decide(request) };
  const pepAuth: PepAuth = { named: () => null, authenticate: () => casePep(now().one) };
  const clock: Clock = { now: () => now().path.clock.now(), monotonic: () => performance.now() };
  const endpoint = { pdp, pepAuth, clock, newId: () => '01978a3c-0000-7000-8000-000000000001', logger: SILENT, deadlineMs: 1000 };
  const where = { host: '127.0.0.1', port: 0, tls: null };
  http = createHttpServer({
    ...endpoint,
    ...where,
    publicHosts: [],
    headerMaxBytes: 16_384,
    inFlightMax: 16,
    bodyMaxBytes: 1 << 20,
    bodyTimeoutMs: 1000,
    onRefused: () => {},
  });
  grpc = createGrpcServer({
    ...endpoint,
    ...where,
    messageMaxBytes: 4 << 20,
    errorResponse: false,
    claimsMetadata: { namespace: 'envoy.filters.http.jwt_authn', key: null },
    ready: () => true,
  });
  httpPort = (await http.start()).port;
  grpcPort = (await grpc.start()).port;
});
afterAll(async () => {
  await Promise.all([http.stop(1000), grpc.stop(1000)]);
});

const cases = loadCases().filter(({ levels }) => levels.includes('wire'));
const named = cases.map((one) => [`${one.file}: ${one.name}`, one] as const);

async function through<T>(one: Case, ask: (body: JsonObject) => Promise<T>): Promise<{ answer: T; decision: Decision }> {
  const path = await createCasePath(one, policies, issuer);
  current = { path, one };
  try {
    const authorization = await authorizationOf(one, issuer);
    const answer = await ask(askedBody(one, authorization, await proofsOf(one, authorization, issuer), await txnTokensOf(one, issuer)));
    expect(path.records).toHaveLength(1);
    const record = path.records[0];
    if (record === undefined) throw new Error('nothing was recorded');
    const { decision, route, identity } = record;
    checkCase(one, decision, {
      route: route?.id ?? '',
      subject: identity?.subject.id ?? null,
      client: identity?.subject.client ?? null,
      binding: bindingSeen(identity),
      error: decision.error?.code ?? null,
    });
    return { answer, decision };
  } finally {
    path.stop();
    current = null;
  }
}

describe('cases, over POST /decide', () => {
  it.each(named)('%s', async (_name, one) => {
    const { answer, decision } = await through(one, (body) =>
      send(httpPort, {
        method: 'POST',
        path: '/decide',
        headers: ['content-type', 'application/json'],
        body: JSON.stringify(body),
      }),
    );
    expect(answer.status).toBe(200);
    const body: unknown = JSON.parse(answer.body);
    expect(body).toMatchObject({
      decision: one.want.effect,
      reasons: decision.reasons.map(({ code, effect, title }) => ({ code, effect, title })),
      assurance: decision.assurance,
      risk: { score: decision.risk.score },
    });
    const response = isJsonObject(body) ? body['response'] : undefined;
    if (decision.response === null) expect(response).toBeUndefined();
    else expect(response).toEqual({ ...decision.response });
  });
});

/** What ext_authz cannot carry is not asked there: certificates by their fields, a gateway's own rate, an asserted subject. */
function checkParts(body: JsonObject): CheckParts | null {
  const { request, source, token, ...others } = body;
  if (!isJsonObject(request) || Object.keys(others).length > 0) return null;
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  const ip = isJsonObject(source) ? text(source['ip']) : null;
  if (isJsonObject(source) && 'forwarded_for' in source) return null;
  const claims = isJsonObject(token) && isJsonObject(token['claims']) ? token['claims'] : null;
  const headers: [string, string][] = [];
  for (const [name, value] of Object.entries(isJsonObject(request['headers']) ? request['headers'] : {})) {
    for (const one of Array.isArray(value) ? value : [value]) headers.push([name, String(one)]);
  }
  return {
    http: {
      method: text(request['method']) ?? 'GET',
      host: text(request['host']) ?? '',
      path: text(request['path']) ?? '/',
      scheme: text(request['scheme']) ?? 'https',
      headers: request['body_truncated'] === true ? [...headers, ['x-envoy-auth-partial-body', 'true']] : headers,
      ...(typeof request['body'] === 'string' ? { body: request['body'] } : {}),
    },
    ...(ip === null ? {} : { sourceIp: ip }),
    ...(claims === null ? {} : { claims }),
  };
}

const carried = named.filter(([, one]) => checkParts(askedBody(one, null)) !== null && !('token' in one.ask));

describe('cases, over ext_authz', () => {
  it('carries most of them', () => expect(carried.length).toBeGreaterThan(named.length / 2));

  it.each(carried)('%s', async (_name, one) => {
    const { answer, decision } = await through(one, async (body) => {
      const parts = checkParts(body);
      if (parts === null) throw new Error('cannot be carried');
      // a gateway is asked once a connection who it is, and each case has its own
      const client = await connectGrpc(`http://127.0.0.1:${grpcPort}`);
      try {
        return checkOf(await client.unary(CHECK, encodeCheck(parts)));
      } finally {
        client.session.destroy();
      }
    });
    expect(answer.code === 0).toBe(one.want.effect === 'allow');
    expect(answer.ok !== null).toBe(one.want.effect === 'allow');
    expect(answer.error).toBeNull();
    if (decision.response === null) {
      for (const [name, value] of Object.entries(decision.upstream.headersToSet)) expect(headerOf(answer.ok?.headers, name)).toBe(value);
      for (const { appendAction } of answer.ok?.headers ?? []) expect(appendAction).toBe(2);
      expect(new Set(answer.ok?.remove)).toEqual(new Set(decision.upstream.headersToRemove));
      return;
    }
    expect(answer.denied?.status).toBe(decision.response.status);
    for (const [name, value] of Object.entries(decision.response.headers)) expect(headerOf(answer.denied?.headers, name)).toBe(value);
    expect(JSON.parse(answer.denied?.body ?? '')).toEqual(decision.response.body);
  });
});

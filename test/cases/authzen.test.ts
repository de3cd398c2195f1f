import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Case } from '../../src/cases/schema.ts';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import type { Listener } from '../../src/contract/lifecycle.ts';
import type { PolicySet } from '../../src/decide/policies.ts';
import { createHttpServer } from '../../src/endpoints/http-server.ts';
import { baseBundle, createTestPolicies, SILENT } from '../decide/fixtures.ts';
import { send } from '../support/http-client.ts';
import { loadCases } from './load.ts';
import { authorizationOf, type CasePath, createCasePath, createTestIssuer, proofsOf, type TestIssuer } from './path.ts';
import { askedBody, casePep } from './question.ts';
import { txnTokensOf } from './txn-token.ts';

/* The same request has the same decision by AuthZEN as by /decide: every case of the wire, each against a path of its own. */

let issuer: TestIssuer;
let policies: PolicySet;
let listener: Listener;
let port = 0;
let current: { readonly path: CasePath; readonly one: Case } | null = null;

function now(): { readonly path: CasePath; readonly one: Case } {
  if (current === null) throw new Error('no case is on');
  return current;
}

beforeAll(async () => {
  issuer = await createTestIssuer();
  policies = createTestPolicies();
  await policies.activate('default', await baseBundle());
  listener = createHttpServer({
    pdp: { decide: (request) => now().path.pdp.decide(request) },
    authzen: { batch: { decideBatch: () => [] }, publicUrl: null, evaluationsMax: 1 },
    pepAuth: { named: () => null, authenticate: () => casePep(now().one) },
    clock: { now: () => now().path.clock.now(), monotonic: () => performance.now() },
    newId: () => '01978a3c-0000-7000-8000-000000000001',
    logger: SILENT,
    deadlineMs: 5000,
    host: '127.0.0.1',
    port: 0,
    tls: null,
    publicHosts: [],
    headerMaxBytes: 16_384,
    inFlightMax: 16,
    bodyMaxBytes: 1 << 20,
    bodyTimeoutMs: 1000,
  });
  port = (await listener.start()).port;
});
afterAll(() => listener.stop(1000));

async function ask(one: Case, path: string, body: JsonObject): Promise<JsonObject> {
  const own = await createCasePath(one, policies, issuer);
  current = { path: own, one };
  try {
    const answer = await send(port, { method: 'POST', path, headers: ['content-type', 'application/json'], body: JSON.stringify(body) });
    expect([path, answer.status, answer.status === 200 ? '' : answer.body]).toEqual([path, 200, '']);
    return JSON.parse(answer.body);
  } finally {
    own.stop();
    current = null;
  }
}

const codesOf = (reasons: unknown): unknown[] =>
  Array.isArray(reasons) ? reasons.map((one) => (isJsonObject(one) ? one['code'] : null)) : [];
/** AuthZEN asks for all three of every question. */
const ABOUT = { subject: { type: 'user', id: 'alice' }, action: { name: 'read' }, resource: { type: 'record', id: '1' } };

const cases = loadCases().filter(({ levels }) => levels.includes('wire'));

describe('cases, by AuthZEN and by POST /decide', () => {
  it.each(cases.map((one) => [`${one.file}: ${one.name}`, one] as const))('%s', async (_name, one) => {
    const authorization = await authorizationOf(one, issuer);
    const asked = askedBody(one, authorization, await proofsOf(one, authorization, issuer), await txnTokensOf(one, issuer));
    const question: JsonObject = { ...ABOUT, ...asked };
    const { subject = null, action = null, resource = null, context, ...evidence } = question;
    const byDecide = await ask(one, '/decide', question);
    const rest = isJsonObject(context) ? context : {};
    const byAuthzen = await ask(one, '/access/v1/evaluation', { subject, action, resource, context: { ...rest, ...evidence } });
    const told = isJsonObject(byAuthzen['context']) ? byAuthzen['context'] : {};
    expect(byAuthzen['decision']).toBe(byDecide['decision'] === 'allow');
    expect('step_up' in told).toBe(byDecide['decision'] === 'step_up');
    if (byDecide['decision'] !== 'allow') expect(codesOf(told['reasons'])).toEqual(codesOf(byDecide['reasons']));
    expect(told['step_up']).toEqual(byDecide['step_up']);
  });
});

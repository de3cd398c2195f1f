import { beforeAll, describe, expect, it } from 'vitest';
import { bindingSeen, type SeenRecord } from '../../src/cases/differences.ts';
import { Case } from '../../src/cases/schema.ts';
import type { Decision } from '../../src/contract/decision.ts';
import type { DecisionRecord } from '../../src/contract/record.ts';
import type { PolicySet } from '../../src/decide/policies.ts';
import { receiveDecide } from '../../src/endpoints/decide/receive.ts';
import { baseBundle, createTestPolicies } from '../decide/fixtures.ts';
import { checkCase } from './check.ts';
import { loadCases } from './load.ts';
import { authorizationOf, type CasePath, createCasePath, createTestIssuer, proofsOf, type TestIssuer } from './path.ts';
import { askedBody, casePep } from './question.ts';
import { txnTokensOf } from './txn-token.ts';

let issuer: TestIssuer;
let policies: PolicySet;
beforeAll(async () => {
  issuer = await createTestIssuer();
  policies = createTestPolicies();
  await policies.activate('default', await baseBundle());
});

const cases = loadCases().filter(({ levels }) => levels.includes('pdp'));

describe('cases, at the level of the whole path', () => {
  it.each(cases.map((one) => [`${one.file}: ${one.name}`, one] as const))('%s', async (_name, one) => {
    const path = await createCasePath(one, policies, issuer);
    try {
      const authorization = await authorizationOf(one, issuer);
      const decision = await ask(path, one, authorization, await proofsOf(one, authorization, issuer), await txnTokensOf(one, issuer));
      expect(path.records).toHaveLength(1);
      checkCase(one, decision, seen(path.records[0]));
    } finally {
      path.stop();
    }
  });
});

it('[asks 29] a token that is known from an earlier call is held to the scopes of this one', async () => {
  const readOrder: Case = Case.parse({
    name: 'a read',
    given: { token: { sub: 'agent-a', client_id: 'agent-a', scope: 'orders:read' } },
    ask: { request: { method: 'GET', path: '/orders/42' } },
    want: { effect: 'allow', reasons: ['access.scope_granted'], record: { route: 'orders_read' } },
  });
  const path = await createCasePath(readOrder, policies, issuer);
  const authorization = await authorizationOf(readOrder, issuer);
  const writeOrder = { ...readOrder, ask: { request: { method: 'POST', path: '/orders' } } };
  const effects: string[] = [];
  for (const one of [readOrder, writeOrder, readOrder]) effects.push((await ask(path, one, authorization)).effect);
  path.stop();
  expect(effects).toEqual(['allow', 'step_up', 'allow']);
});

async function ask(
  path: CasePath,
  one: Case,
  authorization: string | null,
  proofs: readonly string[] = [],
  txnTokens: readonly string[] = [],
): Promise<Decision> {
  const asked = {
    id: '01978a3c-0000-7000-8000-000000000001',
    pep: casePep(one),
    receivedAtMs: path.clock.now(),
    deadlineAtMs: path.clock.monotonic() + 1000,
    explain: false,
  };
  const request = receiveDecide(Buffer.from(JSON.stringify(askedBody(one, authorization, proofs, txnTokens))), asked);
  if ('refused' in request) throw new Error(`refused: ${request.refused} ${request.field ?? ''}`);
  return path.pdp.decide(request);
}

function seen(record: DecisionRecord | undefined): SeenRecord {
  expect(record?.cause ?? null).toBeNull();
  return {
    route: record?.route?.id ?? 'no route was recorded',
    subject: record?.identity?.subject.id ?? null,
    client: record?.identity?.subject.client ?? null,
    binding: bindingSeen(record?.identity ?? null),
    error: record?.decision.error?.code ?? null,
  };
}

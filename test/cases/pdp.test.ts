import { beforeAll, describe, expect, it } from 'vitest';
import type { DecisionRecord } from '../../src/contract/record.ts';
import type { PolicySet } from '../../src/decide/policies.ts';
import { receiveDecide } from '../../src/endpoints/decide/receive.ts';
import { baseBundle, createTestPolicies } from '../decide/fixtures.ts';
import { bindingSeen, checkCase, type SeenRecord } from './check.ts';
import { loadCases } from './load.ts';
import { authorizationOf, createCasePath, createTestIssuer, proofsOf, type TestIssuer } from './path.ts';
import { askedBody, casePep } from './question.ts';

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
      const bytes = Buffer.from(JSON.stringify(askedBody(one, authorization, await proofsOf(one, authorization, issuer))));
      const asked = {
        id: '01978a3c-0000-7000-8000-000000000001',
        pep: casePep(one),
        receivedAtMs: path.clock.now(),
        deadlineAtMs: path.clock.monotonic() + 1000,
        explain: false,
      };
      const request = receiveDecide(bytes, asked);
      if ('refused' in request) throw new Error(`refused: ${request.refused} ${request.field ?? ''}`);
      const decision = await path.pdp.decide(request);
      expect(path.records).toHaveLength(1);
      checkCase(one, decision, seen(path.records[0]));
    } finally {
      path.stop();
    }
  });
});

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

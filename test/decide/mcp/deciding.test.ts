import { beforeAll, describe, expect, it } from 'vitest';
import { identityOf, requestOf } from '../../../src/cases/signals.ts';
import type { ActivePolicy } from '../../../src/contract/stages.ts';
import type { PolicySet } from '../../../src/decide/policies.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { loadCases } from '../../cases/load.ts';
import { baseBundle, createTestPolicies } from '../fixtures.ts';

let set: PolicySet;
let policy: ActivePolicy;
beforeAll(async () => {
  set = createTestPolicies();
  policy = await set.activate('default', await baseBundle());
});

const call = loadCases().find(({ name }) => name === 'mcp: a tool is granted with its scope');
if (call === undefined) throw new Error('no such case');
const request = requestOf(call);

describe('no decision on a call of a tool', () => {
  it('is a JSON-RPC error too', () => {
    expect(set.failed(request, 'deadline_exceeded', policy)).toMatchObject({
      effect: 'deny',
      error: { code: 'deadline_exceeded' },
      response: { status: 503, headers: { 'retry-after': '1' }, body: { jsonrpc: '2.0', id: 1, error: { code: -32603 } } },
    });
  });

  it('is a problem where no policy says that it is one', () => {
    expect(set.failed(request, 'policy_not_loaded', null).response?.body).toMatchObject({ status: 503, title: expect.any(String) });
  });
});

it('what no rule looks at is not in the input: arguments stay out of the base pack', () => {
  const decide = (asked: typeof request) => policy.decide(asked, identityOf(call, asked), SMOKE_FACTS.enrichment, policy.routeOf(asked));
  const { input } = decide(request);
  expect(Object(input('referenced')).mcp).toMatchObject({ method: 'tools/call', target: 'search' });
  expect(Object(input('referenced')).mcp).not.toHaveProperty('arguments');
  expect(Object(input('full')).mcp.arguments).toEqual({ query: 'a' });
});

import { describe, expect, it } from 'vitest';
import type { RequestFlag } from '../../src/contract/request.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { ownData } from '../../src/decide/tenant-data.ts';
import { decided, plainBundle } from './contracts/policy.ts';
import { createTestPolicies, policyOptions } from './fixtures.ts';

/* Several policies in one process: which of them answers, and what each one can see. */

const ENTRYPOINT = 'acme/authz/decision';
/** Shows all that it can see of any tenant, and of b by its name. */
const SPY = `package acme.authz

all := {name: secret | secret := data.tenants[name].secret}

b := [secret | secret := data.tenants.b.secret]

decision := {"effect": "deny", "response": {"body": {"all": all, "b": b}}}
`;
const DATA = { tenants: { a: { secret: 'of-a' }, b: { secret: 'of-b' } }, shared: 1 };
const options = policyOptions({ contract: 'decision', entrypoint: ENTRYPOINT });
const set = (policyByHost: Readonly<Record<string, string>> = {}) =>
  createTestPolicies({ policies: { default: options, a: options, b: options }, policyByHost });

describe('data', () => {
  it.each([
    ['a', { all: { a: 'of-a' }, b: [] }],
    ['b', { all: { b: 'of-b' }, b: ['of-b'] }],
    ['default', { all: {}, b: [] }],
  ])('the policy %s sees its own root at most, although its bundle has all of them', async (name, seen) => {
    const policy = await set().activate(name, plainBundle(SPY, ENTRYPOINT, { data: DATA }));
    expect(decided(policy, SMOKE_FACTS.request).decision.response?.body).toEqual(seen);
  });

  it.each<[object, object]>([
    [{ x: 1 }, { x: 1 }],
    [
      { tenants: { a: 1, b: 2 }, x: 1 },
      { tenants: { a: 1 }, x: 1 },
    ],
    [{ tenants: { b: 2 } }, {}],
    [{ tenants: ['of-b'] }, {}],
    [{ tenants: 'of-b' }, {}],
    [{ tenants: { constructor: 1 } }, {}],
  ])('%j is %j for a', (data, own) => {
    expect(ownData(JSON.parse(JSON.stringify(data)), 'a')).toEqual(own);
  });
});

describe('selection', () => {
  const http = (host: string) => ({
    method: 'GET',
    scheme: 'https',
    host,
    port: 443,
    path: '/b',
    pathRaw: '/b',
    segments: ['b'],
    query: new Map([['policy', ['b']]]),
    headers: new Map([['policy', ['b']]]),
    body: { status: 'absent', reason: null, contentType: null, size: null, json: null } as const,
    pathAmbiguous: false,
  });
  const asked = (policies: readonly string[], host: string | null, name: string | null = null, flags: readonly RequestFlag[] = []) => ({
    ...SMOKE_FACTS.request,
    policyName: name,
    flags,
    http: host === null ? null : http(host),
    pep: { ...SMOKE_FACTS.request.pep, policies },
  });
  const loaded = async () => {
    const policies = set({ 'a.example': 'a', 'b.example': 'b', 'x.example': 'default' });
    for (const name of ['default', 'a', 'b']) await policies.activate(name, plainBundle(SPY, ENTRYPOINT, { data: DATA }));
    return policies;
  };
  const all = ['default', 'a', 'b'];

  it.each<[string, ReturnType<typeof asked>, object]>([
    ['the host of a', asked(all, 'a.example'), { name: 'a' }],
    ['the host of b', asked(all, 'b.example'), { name: 'b' }],
    ['a host of nobody', asked(all, 'c.example'), { name: 'default' }],
    ['no request', asked(all, null), { name: 'default' }],
    ['a name goes before the host', asked(all, 'a.example', 'b'), { name: 'b' }],
    ['the only policy goes before the host', asked(['b'], 'a.example'), { name: 'b' }],
    ['the host of a policy that is not this gateway’s', asked(['default', 'b'], 'a.example'), { refused: 'policy_not_allowed' }],
    ['neither the host nor default', asked(['a', 'b'], 'c.example'), { refused: 'policy_not_allowed' }],
    ['two readings of the host', asked(all, 'a.example', null, ['host_conflict']), { refused: 'policy_unknown' }],
    ['a host that does not parse', asked(all, '', null, ['host_invalid']), { refused: 'policy_unknown' }],
    ['a name that nobody configured', asked(all, 'a.example', 'nobody'), { refused: 'policy_unknown' }],
    ['a name of Object.prototype', asked(all, 'a.example', 'constructor'), { refused: 'policy_unknown' }],
    ['a host of Object.prototype', asked(all, 'constructor'), { name: 'default' }],
    ['a foreign name', asked(['a'], 'a.example', 'b'), { refused: 'policy_not_allowed' }],
  ])('%s', async (_what, request, found) => {
    expect((await loaded()).select(request)).toMatchObject(found);
  });

  it('a deny for an unknown name does not repeat it: it would be a label without bounds', async () => {
    const policies = await loaded();
    const decision = policies.failed(asked(all, 'a.example', 'nobody-knows'), 'policy_unknown', null);
    expect(decision).toMatchObject({ effect: 'deny', error: { code: 'policy_unknown' }, response: { status: 503 }, policy: { name: '' } });
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/contract/json.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import type { ActivePolicy } from '../../../src/contract/stages.ts';
import type { RecordedDecision, RecordedPolicy } from '../../../src/decide/recorded/recorded-decision.ts';
import { openRecorded } from '../../../src/decide/recorded/recorded-policy.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import type { InputMode } from '../../../src/record/build-line.ts';
import { buildLine } from '../../../src/record/build-line.ts';
import { parseLine } from '../../../src/replay/parse-line.ts';
import { loadCases } from '../../cases/load.ts';
import { lineOfCase } from '../../replay/recorded.ts';
import { bundleWith, editBundle, editData } from '../bundles.ts';
import { plainBundle } from '../contracts/policy.ts';
import { baseBundle, createTestPolicies, ENTRYPOINT, policyOptions } from '../fixtures.ts';

const RULES = { name: 'default', contract: 'rules', entrypoint: ENTRYPOINT, memoryPagesMax: 512 } as const;
const ENVOY = { name: 'default', contract: 'envoy', entrypoint: 'envoy/authz/allow', memoryPagesMax: 512 } as const;
const OWN = { name: 'default', contract: 'decision', entrypoint: 'acme/authz/decision', memoryPagesMax: 512 } as const;

let base: Uint8Array;
let policy: ActivePolicy;
beforeAll(async () => {
  base = await baseBundle();
  policy = await createTestPolicies().activate('default', base);
});

function recordOf(line: object): RecordedDecision {
  const parsed = parseLine(Buffer.from(JSON.stringify(line)));
  if (parsed.kind !== 'decision') throw new Error(parsed.kind);
  return parsed.record;
}

/** A case that the base pack allows for a token, on `orders_read`. */
function allowed(mode: InputMode): RecordedDecision {
  const one = loadCases().find(({ name }) => name === 'a token with the scope of the route');
  const found = one ?? loadCases().find(({ want }) => want.effect === 'allow' && want.record.route === 'orders_read');
  if (found === undefined) throw new Error('no such case');
  return recordOf(lineOfCase(policy, found, mode));
}

const withRule = (body: string): Promise<Uint8Array> =>
  bundleWith({ 'countersign/rules/acme/own.rego': `# METADATA\n# title: Own\npackage countersign.rules.acme.own\n\n${body}\n` });

const own = async (body: string): Promise<RecordedPolicy> => openRecorded(await withRule(body), RULES);

it('says where an exception took a verdict back: no bundle has it', async () => {
  const recorded = await openRecorded(base, RULES);
  const record = { ...allowed('full'), excepted: true };
  expect(recorded.decide(record)).toMatchObject({ decided: true, effect: 'allow', notReevaluated: ['exceptions'] });
  const [one] = loadCases();
  if (one === undefined) throw new Error('no case');
  expect(recordOf({ ...lineOfCase(policy, one, 'full'), exceptions: [{ id: 'inc-7' }] }).excepted).toBe(true);
});

it('says where data lay over the bundle', async () => {
  const recorded = await openRecorded(base, RULES);
  expect(recorded.revisionIsHash).toBe(true);
  const record = allowed('full');
  const { name, revision } = record.policy;
  expect(recorded.decide(record)).toMatchObject({ notReevaluated: [] });
  expect(recorded.decide({ ...record, policy: { name, revision: `${revision}+d12` } })).toMatchObject({
    effect: 'allow',
    notReevaluated: ['pushed_data'],
  });
});

describe('what a record does not hold', () => {
  it('is named where another rule reads it, and is there in full', async () => {
    const other = await own(
      'verdict := "deny" if input.signals.token.value.acr == "never"\n\nverdict := "clear" if input.signals.token.value.acr != "never"',
    );
    const path = 'signals.token.value.acr';
    expect(other.decide(allowed('referenced'))).toEqual({ decided: false, why: 'not_recorded', path });
    expect(other.decide(allowed('none'))).toEqual({ decided: false, why: 'no_input', path: '' });
  });

  it('is no matter where the signal could not have it', async () => {
    const other = await own(
      'verdict := "clear" if input.signals.api_key.status == "absent"\n\nverdict := "deny" if input.signals.api_key.value.expires_at == 7',
    );
    expect(other.decide(allowed('referenced'))).toMatchObject({ decided: true, effect: 'allow' });
  });

  it('is taken from the rest of the line where that has it', async () => {
    const other = await own(
      'verdict := "clear" if input.request.host == ""\n\nverdict := "deny" if {\n\tinput.request.host != ""\n\tinput.time.weekday_utc > 0\n}',
    );
    expect(other.decide(allowed('referenced'))).toMatchObject({ decided: true, effect: 'deny', reasons: ['acme.own'], status: 403 });
  });

  it.each([
    ['a text of the query', 'input.request.query.id', { request: { query: { id: ['***'] } } }],
    ['a secret in the context', 'input.context.api_key', { context: { api_key: '***' } }],
    ['a parameter of a path', 'input.request.path', { request: { path: '/orders/1;***' } }],
  ])('%s is hidden', async (_name, path, hidden) => {
    const other = await own(`verdict := "clear" if ${path} == "x"\n\nverdict := "deny" if ${path} != "x"`);
    const record = allowed('full');
    const input = laidOver(record.input ?? {}, hidden);
    expect(other.decide({ ...record, input })).toEqual({ decided: false, why: 'hidden', path: path.replace('input.', '') });
  });

  it('a bundle of plain `opa build` may read everything', async () => {
    const plain = await editBundle(base, (files) => {
      const manifest: unknown = JSON.parse(String(Buffer.from(files.get('.manifest') ?? '')));
      files.set('.manifest', JSON.stringify({ ...(typeof manifest === 'object' ? manifest : {}), metadata: {} }));
    });
    const recorded = await openRecorded(plain, RULES);
    expect(recorded.decide(allowed('referenced'))).toMatchObject({ decided: false, why: 'not_recorded' });
    expect(recorded.decide(allowed('full'))).toMatchObject({ decided: true, effect: 'allow' });
  });
});

function laidOver(input: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = { ...input };
  for (const [name, value] of Object.entries(over)) merged[name] = { ...Object(input[name]), ...Object(value) };
  return merged;
}

describe('what the host matches', () => {
  const edited = async (edit: (ours: Record<string, unknown>) => object): Promise<RecordedPolicy> =>
    openRecorded(await editData(base, (data) => ({ ...data, countersign: edit(Object(data['countersign'])) })), RULES);

  it.each(['full', 'referenced'] as const)('a route is matched again by what the record has of the request, %s', async (mode) => {
    const none = await edited((ours) => ({ ...ours, routes: {} }));
    // the revision is that of the base pack, since its manifest was not edited: an equal name proves nothing
    expect(none.revision).toBe(allowed(mode).policy.revision);
    expect(none).toMatchObject({ revisionIsHash: false });
    expect(none.decide(allowed(mode))).toMatchObject({ decided: true, effect: 'deny', notReevaluated: ['rate.route'] });
  });

  it('an address that is on the new list, and one that is no longer', async () => {
    const listed = loadCases().find(({ want }) => want.reasons.includes('network.address_blocked'));
    if (listed === undefined) throw new Error('no such case');
    const record = recordOf(lineOfCase(policy, listed, 'referenced'));
    const blocks = (addresses: readonly string[]) =>
      edited((ours) => {
        const limits = Object(ours['limits']);
        return { ...ours, limits: { ...limits, network: { ...limits.network, addresses_blocked: addresses } } };
      });
    expect((await blocks([])).decide(record)).toMatchObject({ reasons: expect.not.arrayContaining(['network.address_blocked']) });
    expect((await blocks([`${record.address}`])).decide(record)).toMatchObject({ reasons: ['network.address_blocked'] });
  });

  it('whether its route is enforced', async () => {
    const passing = await edited((ours) => {
      const routes = Object.entries(Object(ours['routes'])).map(([id, route]) => [id, { ...Object(route), enforce: false }]);
      return { ...ours, routes: Object.fromEntries(routes) };
    });
    const recorded = await openRecorded(base, RULES);
    const one = loadCases().find(({ want }) => want.effect === 'deny' && want.record.route === 'orders_read');
    if (one === undefined) throw new Error('no such case');
    const denied = recordOf({ ...lineOfCase(policy, one, 'full'), enforced: false, monitored_by: 'route' });
    expect(denied).toMatchObject({ effect: 'deny', monitoredBy: 'route' });
    expect(passing.decide(denied)).toMatchObject({ effect: 'deny', enforced: false });
    expect(recorded.decide(denied)).toMatchObject({ effect: 'deny', enforced: true });
    expect(recorded.decide({ ...denied, monitoredBy: 'pep' })).toMatchObject({ effect: 'deny', enforced: false });
    expect(passing.decide(allowed('full'))).toMatchObject({ effect: 'allow', enforced: true });
  });

  it('no message to an MCP server, where an older line knows of none', async () => {
    const looks = await own('verdict := "clear" if is_null(input.mcp)');
    const record = allowed('full');
    const { mcp, ...input } = { ...Object(record.input) };
    expect(mcp).toBeNull();
    expect(looks.decide({ ...record, input })).toMatchObject({ decided: true, effect: 'allow' });
  });

  it('a source that was not asked', async () => {
    const other = await own('verdict := {"effect": "clear", "collect": ["sources.credit"]} if input.version == 1');
    expect(other.decide(allowed('full'))).toEqual({ decided: false, why: 'not_collected', path: 'sources.credit' });
  });
});

describe('a policy that cannot evaluate', () => {
  it('denies, as it would in the service', async () => {
    const recorded = await openRecorded(plainBundle('package acme.authz\n\ndecision := 7\n', OWN.entrypoint), OWN);
    expect(recorded.decide(allowed('full'))).toMatchObject({
      decided: true,
      effect: 'deny',
      reasons: ['policy_result_invalid'],
      status: 503,
    });
  });
});

const HTTP: NonNullable<DecisionRequest['http']> = {
  method: 'GET',
  scheme: 'https',
  host: 'api.example',
  port: null,
  path: '/open/7',
  pathRaw: '/open/7',
  segments: ['open', '7'],
  query: new Map(),
  headers: new Map([['x-tenant', ['acme']]]),
  body: { status: 'absent', reason: null, contentType: null, size: null, json: null },
  pathAmbiguous: false,
};

/** The record of a question that only its request says anything of. */
function recordBy(decider: ActivePolicy): RecordedDecision {
  const { identity, enrichment } = SMOKE_FACTS;
  const request = { ...SMOKE_FACTS.request, http: HTTP };
  const route = decider.routeOf(request);
  const evaluated = decider.decide(request, identity, enrichment, route);
  const times = { identify: 0, enrich: 0, decide: 0, total: 0 };
  return recordOf(buildLine({ ...evaluated, request, route, identity, enrichment, times }, 'full'));
}

describe('the contract envoy', () => {
  const bundle = (body: string): Uint8Array => plainBundle(`package envoy.authz\n\n${body}\n`, ENVOY.entrypoint);
  const said = (packed: Uint8Array, paths: readonly (readonly string[])[]): Promise<Uint8Array> =>
    editBundle(packed, (files) =>
      files.set(
        '.manifest',
        JSON.stringify({
          ...JSON.parse(String(files.get('.manifest'))),
          metadata: { countersign: { version: 1, rules: {}, schemas: {}, input: paths } },
        }),
      ),
    );
  const PATH = [['input', 'parsed_path']];
  const HEADER = [['input', 'attributes', 'request', 'http', 'headers', 'x-tenant']];

  it('decides the plugin document again, and not what is hidden of it', async () => {
    const before = await createTestPolicies({ policies: { default: policyOptions({ ...ENVOY }) } }).activate(
      'default',
      bundle('default allow := false\n\nallow if input.parsed_path[0] == "open"'),
    );
    const record = recordBy(before);
    expect(record).toMatchObject({ effect: 'allow', reasons: ['policy.allow'] });
    const closed = bundle('default allow := false\n\nallow if input.parsed_path[0] == "closed"');
    expect((await openRecorded(await said(closed, PATH), ENVOY)).decide(record)).toEqual({
      decided: true,
      effect: 'deny',
      reasons: ['policy.deny'],
      status: 403,
      enforced: true,
      notReevaluated: [],
    });
    const byHeader = bundle('default allow := false\n\nallow if input.attributes.request.http.headers["x-tenant"] == "acme"');
    const path = 'attributes.request.http.headers.x-tenant';
    expect((await openRecorded(await said(byHeader, HEADER), ENVOY)).decide(record)).toEqual({ decided: false, why: 'hidden', path });
    // who built it said nothing of what it reads
    expect((await openRecorded(closed, ENVOY)).decide(record)).toMatchObject({ decided: false, why: 'hidden' });
    expect((await openRecorded(base, RULES)).decide(record)).toMatchObject({ decided: false, why: 'other_contract' });
    expect((await openRecorded(await said(closed, PATH), ENVOY)).decide(allowed('full'))).toMatchObject({ why: 'other_contract' });
  });
});

describe('the contract decision', () => {
  it('decides our input again', async () => {
    const rego = (host: string): string =>
      `package acme.authz\n\ndefault decision := {"effect": "step_up", "reasons": ["acme.more"], "step_up": {"kind": "binding", "methods": ["dpop"]}}\n\ndecision := {"effect": "allow", "reasons": ["acme.host"]} if input.request.host == "${host}"\n`;
    const set = createTestPolicies({ policies: { default: policyOptions({ ...OWN }) } });
    const record = recordBy(await set.activate('default', plainBundle(rego('api.example'), OWN.entrypoint)));
    expect(record).toMatchObject({ effect: 'allow', reasons: ['acme.host'] });
    expect((await openRecorded(plainBundle(rego('api.example'), OWN.entrypoint), OWN)).decide(record)).toMatchObject({
      effect: 'allow',
      reasons: ['acme.host'],
      status: null,
    });
    expect((await openRecorded(plainBundle(rego('other.example'), OWN.entrypoint), OWN)).decide(record)).toMatchObject({
      effect: 'step_up',
      reasons: ['acme.more'],
      status: 401,
    });
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { createTestPolicies, policyOptions } from '../fixtures.ts';
import { ALLOW, NO_DEFAULT, OBJECT, ROLES } from './envoy-policies.ts';
import { activePolicy, decided, plainBundle } from './policy.ts';

/* What a bundle of each contract must be, before it becomes active. */

const scratch = mkdtempSync(join(tmpdir(), 'countersign-envoy-contract-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const envoy = { contract: 'envoy', entrypoint: ALLOW } as const;

it.each([ROLES, NO_DEFAULT])('plain `opa build` is enough: no METADATA, no default', async (rego) => {
  expect((await activePolicy(rego, envoy)).revision).toMatch(/^[0-9a-f]{16}$/);
});

it('Rego from before 1.0, built as such', async () => {
  const rego =
    'package istio.authz\n\nimport input.attributes.request.http as request\n\ndefault allow = false\n\nallow {\n  request.method == "GET"\n  input.parsed_path = ["a", _]\n}\n';
  const policy = await activePolicy(rego, { contract: 'envoy', entrypoint: 'istio/authz/allow' }, { flags: ['--v0-compatible'] });
  const ask = (pathRaw: string) => decided(policy, { ...SMOKE_FACTS.request, http: { ...httpOf(pathRaw) } }).decision.effect;
  expect([ask('/a/1'), ask('/a'), ask('/b/1')]).toEqual(['allow', 'deny', 'deny']);
});

const httpOf = (pathRaw: string) => ({
  method: 'GET',
  scheme: 'https',
  host: 'api.example',
  port: null,
  path: pathRaw,
  pathRaw,
  segments: [],
  query: new Map(),
  headers: new Map(),
  body: { status: 'absent', reason: null, contentType: null, size: null, json: null } as const,
  pathAmbiguous: false,
});

it('a question that is about no request is refused, as by the plugin', async () => {
  const { decision } = decided(await activePolicy('package envoy.authz\n\nallow := true\n', envoy), SMOKE_FACTS.request);
  expect(decision).toMatchObject({ effect: 'deny', error: { code: 'request_invalid' } });
});

it.each(['envoy', 'decision'] as const)('[asks 58] a policy of the contract %s that says nothing denies everything', async (contract) => {
  const policy = await activePolicy('package envoy.authz\n\nallow if false\n', { contract, entrypoint: ALLOW });
  for (const request of [SMOKE_FACTS.request, { ...SMOKE_FACTS.request, http: httpOf('/') }, { ...SMOKE_FACTS.request, explain: true }]) {
    const { decision } = decided(policy, request);
    expect([decision.effect, decision.error === null]).toEqual(['deny', false]);
  }
});

it('explain shows our own signals', async () => {
  const policy = await activePolicy('package envoy.authz\n\nallow := true\n', envoy);
  const { decision } = decided(policy, { ...SMOKE_FACTS.request, http: httpOf('/'), explain: true });
  expect(decision.explanation).toMatchObject({ signals: { token: { status: 'absent' } }, verdicts: [] });
});

it('a folder of Rego that does not hold to `opa check --strict` is compiled too', async () => {
  const directory = join(scratch, 'folder');
  mkdirSync(directory);
  writeFileSync(
    join(directory, 'policy.rego'),
    OBJECT.replace('package envoy.authz', 'package envoy.authz\n\nimport input.attributes.unused as unused'),
  );
  const set = createTestPolicies({
    policies: { default: policyOptions({ contract: 'envoy', entrypoint: 'envoy/authz/decision', bundle: directory }) },
  });
  await set.load();
  expect(set.status()).toMatchObject([{ state: 'active', rules: 0, lastError: null }]);
});

const refusal = (rego: string, options: Parameters<typeof activePolicy>[1], more = {}) =>
  activePolicy(rego, options, more).then(
    () => null,
    (error: unknown) => error,
  );

it.each(['"yes"', '7', '["a"]'])('an entry point that gives %s could never decide', async (value) => {
  const rego = `package envoy.authz\n\nallow := ${value}\n`;
  expect(await refusal(rego, envoy)).toMatchObject({ code: 'bundle_smoke_failed' });
  expect(await refusal(rego, { ...envoy, contract: 'decision' })).toMatchObject({ code: 'bundle_smoke_failed' });
});

it('[asks 59] a wrong entry point is refused by its name', async () => {
  const set = createTestPolicies({ policies: { default: policyOptions({ contract: 'envoy', entrypoint: 'envoy/authz/deny' }) } });
  await expect(set.activate('default', plainBundle(ROLES, ALLOW))).rejects.toMatchObject({
    code: 'bundle_entrypoint_missing',
    field: 'envoy/authz/deny',
  });
});

it.each([{ envoy: { authz: { allow: true } } }, { envoy: true }, { envoy: { authz: { users: {} } } }])(
  'data %j would take the place of the rules',
  async (data) => {
    // opa build itself sees only some of it
    const file = plainBundle('package envoy.authz\n\nallow := false\n', ALLOW);
    const { editData } = await import('../bundles.ts');
    const set = createTestPolicies({ policies: { default: policyOptions(envoy) } });
    await expect(set.activate('default', await editData(file, () => data))).rejects.toMatchObject({ code: 'bundle_data_shadows_rules' });
  },
);

it('a package of the base may have any text: there is no base here', async () => {
  expect(
    await activePolicy('package countersign.lib.is\n\nallow := true\n', { contract: 'envoy', entrypoint: 'countersign/lib/is/allow' }),
  ).toMatchObject({ name: 'default' });
});

it('an instance that is asked for a builtin that is not there is refused by its name', async () => {
  const rego = 'package envoy.authz\n\nallow if http.send({"method": "get", "url": "http://x"}).status_code == 200\n';
  expect(await refusal(rego, envoy)).toMatchObject({ code: 'bundle_builtin_missing', field: expect.stringContaining('http.send') });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { fencedBlocks } from '../../support/markdown.ts';
import { bundleWith } from '../bundles.ts';
import { createTestPolicies, PROJECT_ROOT, policyOptions } from '../fixtures.ts';
import { ALLOW } from './envoy-policies.ts';
import { activePolicy, decided, servePolicy } from './policy.ts';

/* The policies of docs/policy-contracts.md do what it says of them. */

const [own = '', envoy = ''] = fencedBlocks(readFileSync(join(PROJECT_ROOT, 'docs/policy-contracts.md'), 'utf8'))
  .filter(({ info }) => info === 'rego')
  .map(({ text }) => text);

it('the one that decides itself compiles beside the base pack, and refuses what it knows nothing of', async () => {
  const set = createTestPolicies({ policies: { default: policyOptions({ contract: 'decision', entrypoint: 'acme/authz/decision' }) } });
  const bundle = await bundleWith({ 'acme.rego': own, '.manifest': '{"roots":[""],"rego_version":1}' }, 'acme/authz/decision');
  const { decision } = decided(await set.activate('default', bundle), SMOKE_FACTS.request);
  expect(decision).toMatchObject({ effect: 'deny', reasons: [{ code: 'acme.not_granted' }] });
});

it('the one for the plugin lets readers read', async () => {
  const server = await servePolicy(await activePolicy(envoy, { contract: 'envoy', entrypoint: ALLOW, input: { credentials: true } }));
  const ask = (role: string) => {
    const token = `e30.${Buffer.from(JSON.stringify({ sub: 'ann', role })).toString('base64url')}.c2ln`;
    return server.ask({
      http: { method: 'GET', path: '/people/1', host: 'api.example', scheme: 'https', headers: [['authorization', `Bearer ${token}`]] },
    });
  };
  expect((await ask('reader')).check).toMatchObject({ code: 0, metadata: { user: 'ann' } });
  expect((await ask('nobody')).check).toMatchObject({ code: 7, denied: { status: 403, body: 'Not for you' } });
  await server.close();
});

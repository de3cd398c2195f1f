import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';

const NAMESPACE = 'judged';
const DRY = 'dryRun=All&fieldValidation=Strict';

let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
  await server.createNamespace(NAMESPACE);
});
afterAll(() => server.stop());

async function refusalOf(object: JsonObject): Promise<unknown> {
  const path = await server.kube.pathOf({ ...object, metadata: { name: 'odd' } }, NAMESPACE);
  const body = { ...object, metadata: { name: 'odd' } };
  return (await server.kube.ask('POST', `${path.replace(/\/odd$/, '')}?${DRY}`, { body })).body['message'];
}

test('is the version of which the chart is said to be tried', async () => {
  const { gitVersion, major, minor } = (await server.kube.must('GET', '/version')).body;
  expect([gitVersion, major, minor]).toEqual(['v1.34.4', '1', '34']);
});

test.each<[string, JsonObject, string]>([
  [
    'a pod that the profile does not let in',
    { apiVersion: 'v1', kind: 'Pod', spec: { containers: [{ name: 'a', image: 'a' }] } },
    'violates PodSecurity "restricted',
  ],
  [
    'an account that is not there',
    { apiVersion: 'v1', kind: 'Pod', spec: { serviceAccountName: 'nobody', containers: [{ name: 'a', image: 'a' }] } },
    'serviceaccount "nobody" not found',
  ],
  ['a misspelt field', { apiVersion: 'v1', kind: 'ConfigMap', date: {} }, 'unknown field "date"'],
  [
    'a misspelt field of another project',
    { apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor', spec: { selector: {}, endpoints: [{ prot: 'http' }] } },
    'unknown field "spec.endpoints[0].prot"',
  ],
  [
    'what only a rule of another project forbids',
    {
      apiVersion: 'gateway.envoyproxy.io/v1alpha1',
      kind: 'SecurityPolicy',
      spec: { targetRefs: [{ group: '', kind: 'Service', name: 'a' }] },
    },
    'this policy can only have a targetRefs[*].group of gateway.networking.k8s.io',
  ],
])('refuses %s', async (_what, object, said) => {
  expect(await refusalOf(object)).toContain(said);
});

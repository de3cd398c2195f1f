import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { createRelease, HELM_NAMES, valuesOf } from '../support/cluster-helm.ts';
import { at, createHelm, objectsOf, SCENARIOS } from '../support/helm.ts';
import { fencedBlocks } from '../support/markdown.ts';
import { differences } from '../support/stored-object.ts';

const NAMESPACE = 'odd';
const OTHER_NAMESPACES = ['istio-system', 'istio-ingress', 'countersign', 'edge', 'envoy-gateway-system'];
const GATEWAYS = join(import.meta.dirname, '../../docs/gateways');
const PEP = `config: {peps: [{name: edge, tokenSha256: "${'0'.repeat(64)}"}]}\n`;
/** As long as Helm lets a release be. */
const LONG = 'a-release-whose-name-is-as-long-as-helm-lets-it-be-53';

let server: ApiServer;
const helm = createHelm();
beforeAll(async () => {
  server = await startApiServer();
  for (const name of [NAMESPACE, ...OTHER_NAMESPACES]) await server.createNamespace(name);
});
afterAll(async () => {
  helm.close();
  await server.stop();
});

/** What the API server says against these objects, and what it would change in them, were they created; nothing is. */
async function refusals(objects: readonly JsonObject[]): Promise<string[]> {
  const said: string[] = [];
  for (const body of objects.filter(({ kind }) => kind !== 'Pod')) {
    const path = (await server.kube.pathOf(body, NAMESPACE)).replace(/\/[^/]+$/, '');
    const answer = await server.kube.ask('POST', `${path}?dryRun=All&fieldValidation=Strict`, { body });
    if (answer.status === 201) said.push(...answer.warnings, ...differences(body, answer.body, `${body['kind']} `));
    else said.push(`${body['kind']}: ${String(answer.body['message'])}`);
  }
  return said;
}

describe.each([LONG, 'my.release.1'])('a release named %s', (release) => {
  test.each(SCENARIOS)('is taken: %s', async (scenario) => {
    expect(await refusals((await helm.render({ scenario, release, namespace: NAMESPACE })).objects)).toEqual([]);
  });
});

test.each([
  'podAnnotations: {number: "1", truth: "true"}\ncommonLabels: {version: "1.10", empty: ""}\npodLabels: {on: "on"}',
  'service: {http: {type: LoadBalancer, annotations: {a: "1"}}, grpc: {type: NodePort, headless: true}}',
  'autoscaling: {enabled: true, cpuPercent: 0, custom: {metric: "1", averageValue: 500m}}',
  'autoscaling: {enabled: true, behavior: {scaleDown: {stabilizationWindowSeconds: 600}}}\npodDisruptionBudget: {maxUnavailable: 30%}',
  'networkPolicy: {askers: [], operators: [], egress: []}',
  'geoip: {update: initContainer, databases: [{file: a.mmdb, from: "https://files.example/a.mmdb"}]}',
  'geoip: {update: volume, volume: {persistentVolumeClaim: {claimName: a}}, databases: [{file: a.mmdb, from: "https://files.example/a.mmdb"}]}',
  'redis: {mode: standalone, host: redis, urlSecret: {name: "1", key: url}}',
  'tls: {grpc: {secret: "1", clientCa: {secret: "2"}}, http: {secret: a.b}}\nsecretFiles: [a.b, "1"]',
  'tolerations: [{operator: Exists}]\nnodeSelector: {pool: "1"}\npriorityClassName: "1"\nimagePullSecrets: [{name: "1"}]',
  'podSecurityContext: {runAsUser: null, runAsGroup: null, fsGroup: null}',
  'replicas: 0\nlifecycle: {preStopSeconds: 0}',
  'serviceAccount: {create: false}\nnetworkPolicy: {enabled: false}\npodDisruptionBudget: {enabled: false}',
])('values are taken: %s', async (values) => {
  expect(await refusals((await helm.render({ values: PEP + values, namespace: NAMESPACE })).objects)).toEqual([]);
});

test.each(['istio.md', 'envoy-gateway.md'])('every object of the recipe %s is one to its project', async (page) => {
  const blocks = fencedBlocks(readFileSync(join(GATEWAYS, page), 'utf8')).filter(({ info }) => info === 'yaml');
  const objects = blocks.flatMap(({ text }) => objectsOf(text)).filter((object) => at(object, 'metadata') !== undefined);
  expect(objects.length).toBeGreaterThan(3);
  expect(await refusals(objects)).toEqual([]);
});

test.each(HELM_NAMES)('the largest bundle that the chart takes fits into the release of %s, and one more version of it', async (name) => {
  const release = createRelease(server, name, NAMESPACE);
  const file = join(server.folder, 'bundle.txt');
  const args = ['--set', 'policies.source=configMap', '--set-file', `policies.configMap.bundleBase64=${file}`];
  for (const verb of ['install', 'upgrade']) {
    writeFileSync(file, randomBytes((430_080 / 4) * 3).toString('base64'));
    expect(await release.helm(verb, ...valuesOf('default'), ...args)).toMatchObject({ ok: true, problems: '' });
  }
  expect(await release.helm('uninstall')).toMatchObject({ ok: true });
});

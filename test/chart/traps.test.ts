import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { chartConfig, serviceContainer } from '../support/chart-config.ts';
import { at, createHelm, names, one, podOf, podsOf } from '../support/helm.ts';

/* What would be accepted, and then not work or not protect: refused, told in the notes, or made to work. */

const helm = createHelm();
afterAll(() => helm.close());

const HASH = '0'.repeat(64);
const PEP = `config: {peps: [{name: edge, tokenSha256: "${HASH}"}]}\n`;
const notes = async (values: string) => (await helm.render({ values })).notes;
const testEnv = async (values: string) =>
  at(podOf(one(await helm.render({ values }), 'Pod', 'cs-countersign-test')), 'containers', 'test', 'env');

describe('the chart refuses', () => {
  const SIDECAR = 'sidecar: {enabled: true, containers: [{name: g}], ports: [{name: web, port: 80, targetPort: 80}]}\n';
  test.each([
    ['a CA for certificates of gateways at a listener without TLS', 'tls: {grpc: {clientCa: {configMap: ca}}}', 'tls.grpc.clientCa asks'],
    ['the same over HTTP', 'tls: {grpc: {secret: s}, http: {clientCa: {secret: ca}}}', 'tls.http.clientCa asks'],
    ['scaling by nothing', 'autoscaling: {enabled: true, cpuPercent: 0}', 'by what?'],
    ['a metric without a goal', 'autoscaling: {enabled: true, custom: {metric: m}}', 'averageValue must say'],
    ['more pods at least than at most', 'autoscaling: {enabled: true, minReplicas: 11}', 'more than maxReplicas'],
    ['a gateway that asks about nothing', 'istio: {authorizationPolicy: {enabled: true, rules: []}}', 'let everything pass'],
    [
      'what needs a Service beside a sidecar',
      `${SIDECAR}envoyGateway: {securityPolicy: {enabled: true, targetRefs: [{name: g}]}}\nistio: {destinationRule: {enabled: true}}`,
      'and envoyGateway.securityPolicy, istio.destinationRule would need one',
    ],
    [
      'a bundle that Helm could not keep',
      `policies: {source: configMap, configMap: {bundleBase64: "${'A'.repeat(430_081)}"}}`,
      "at '/policies/configMap/bundleBase64': maxLength: got 430,081, want 430,080",
    ],
  ])('%s', async (_what, values, said) => {
    const { ok, output } = await helm.tryRender({ values: PEP + values });
    expect([ok, output]).toEqual([false, expect.stringContaining(said)]);
  });
});

test('the largest bundle fits twice, as Helm compresses it, into a Secret of 1 MiB, beside the chart and as much as that again', () => {
  // what does not compress: all 64 characters at random, as of a packed bundle
  const bundle = Buffer.from(
    Array.from({ length: (430_080 * 3) / 4 }, (_, index) => (index * 2_654_435_761 + (index >> 3) * 40_503) >>> 13),
  ).toString('base64');
  const release = gzipSync(JSON.stringify({ config: bundle, manifest: bundle }), { level: 9 }).toString('base64');
  expect(release.length).toBeLessThan(1_048_576 - 150_000);
});

test('whom Helm takes along by a condition of another chart does not mind it', async () => {
  expect(await helm.tryRender({ values: `${PEP}enabled: true` })).toMatchObject({ ok: true });
});

describe('gateways that a Secret has', () => {
  const BY_SECRET = 'secretEnv: [{name: COUNTERSIGN_PEPS, secret: a, key: peps.json}]\n';

  test.each([
    ['alone', BY_SECRET],
    ['in place of an anonymous one', `${BY_SECRET}config: {allowAnonymous: true, peps: [{name: a, anonymous: true}]}`],
  ])('%s: `helm test` expects to be refused, and the notes show a token', async (_how, values) => {
    expect(await testEnv(values)).not.toContainEqual({ name: 'ANONYMOUS', value: 'true' });
    expect(await notes(values)).toContain('authorization: Bearer $TOKEN');
    expect(await notes(values)).not.toContain('no PEP authentication');
  });
});

describe('the first decision', () => {
  const CERTIFICATE = 'config: {peps: [{name: edge, certificate: {dns: a.example}}]}\n';

  test('is asked for with a certificate where HTTP wants one', async () => {
    const text = await notes(`${CERTIFICATE}tls: {http: {secret: s, clientCa: {secret: ca}}}`);
    expect(text).toContain('curl -sk https://127.0.0.1:8080/decide');
    expect(text).toContain('--cert gateway.crt --key gateway.key');
    expect(text).not.toContain('$TOKEN');
    expect(await notes(`${PEP}tls: {http: {secret: s}}`)).not.toContain('--cert');
  });

  test('is promised to nobody who could not get it', async () => {
    const text = await notes(CERTIFICATE);
    expect(text).not.toContain('curl');
    expect(text).toContain('comes through a gateway, by gRPC');
    expect(text).toContain('cs-countersign-grpc.default.svc.cluster.local:9191');
  });
});

test.each([
  ['redis names a Redis, and redis.mode is none', 'redis: {host: r.data}', 'redis: {mode: standalone, host: r.data}'],
  [
    'policies.url names a policy, and policies.source is image',
    'policies: {url: {bundle: "https://b"}}',
    'policies: {source: url, url: {bundle: "https://b"}}',
  ],
  [
    'policies.configMap names a policy, and policies.source is image',
    'policies: {configMap: {name: p}}',
    'policies: {source: configMap, configMap: {name: p}}',
  ],
  ['policies.volume names a policy, and policies.source is image', 'policies: {volume: {source: {emptyDir: {}}}}', ''],
])('the notes warn: %s', async (warning, where, whereNot) => {
  expect(await notes(PEP + where)).toContain(`WARNING: ${warning}: it is not used.`);
  expect(await notes(PEP + whereNot)).not.toContain('it is not used');
});

test('in a mesh whoever is out of it can scrape, and `helm test` asks for no decision', async () => {
  const chart = await helm.render({ scenario: 'istio-mesh' });
  expect(at(one(chart, 'PeerAuthentication'), 'spec')).toMatchObject({
    mtls: { mode: 'STRICT' },
    portLevelMtls: { '9090': { mode: 'PERMISSIVE' } },
  });
  const env = at(podOf(one(chart, 'Pod', 'cs-countersign-test')), 'containers', 'test', 'env');
  expect(env).toEqual([expect.objectContaining({ name: 'READY_URL' }), { name: 'ANONYMOUS', value: 'true' }]);
});

test('names are asked for at a cache of the node too', async () => {
  const chart = await helm.render({ values: PEP });
  expect(at(one(chart, 'NetworkPolicy'), 'spec', 'egress', 0, 'to')).toEqual([
    { namespaceSelector: {} },
    { ipBlock: { cidr: '169.254.20.10/32' } },
  ]);
});

test('every pod can be pulled and run where those of the service can', async () => {
  const PLACE = 'imagePullSecrets: [{name: pull}]\nnodeSelector: {disk: ssd}\ntolerations: [{key: t}]\n';
  const chart = await helm.render({
    values: `${PEP}${PLACE}redis: {mode: dev}\ngeoip: {update: cronJob, databases: [{file: a.mmdb, from: "https://f.example/a.mmdb"}]}`,
  });
  const pods = podsOf(chart.objects);
  expect(pods.length).toBe(4);
  for (const pod of pods)
    expect(pod).toMatchObject({ imagePullSecrets: [{ name: 'pull' }], nodeSelector: { disk: 'ssd' }, tolerations: [{ key: 't' }] });
});

test('no pod at all can be wanted', async () => {
  const chart = await helm.render({ values: `${PEP}replicas: 0` });
  expect(at(one(chart, 'Deployment'), 'spec', 'replicas')).toBe(0);
  expect(names(chart)).toContain('PodDisruptionBudget/cs-countersign');
  expect(chartConfig(chart).peps.length).toBe(1);
});

test.each(['minimal', 'sidecar'])(
  'a pod of %s is restarted when it is stuck, and out of the traffic when it is not ready, by no dependency',
  async (scenario) => {
    const container = serviceContainer(await helm.render({ scenario }));
    const probe = (path: string) => expect.objectContaining({ httpGet: { path, port: 'operations' } });
    expect(container).toMatchObject({ startupProbe: probe('/livez'), livenessProbe: probe('/livez'), readinessProbe: probe('/readyz') });
    expect(at(container, 'ports', 'operations', 'containerPort')).toBe(9090);
  },
);

test('pods roll when the file of their gateway changes', async () => {
  const checksum = async (more: string) =>
    at(
      one(await helm.render({ scenario: 'sidecar', values: more }), 'Deployment'),
      'spec',
      'template',
      'metadata',
      'annotations',
      'checksum/gateway',
    );
  expect(await checksum('')).toMatch(/^[0-9a-f]{64}$/);
  expect(await checksum('sidecar: {files: {b: c}}')).not.toBe(await checksum(''));
  expect(await checksum('replicas: 9')).toBe(await checksum(''));
});

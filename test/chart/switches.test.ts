import { afterAll, describe, expect, test } from 'vitest';
import { chartConfig, environmentOf, serviceContainer } from '../support/chart-config.ts';
import { at, createHelm, names, one, podOf, type Rendered } from '../support/helm.ts';

const helm = createHelm();
afterAll(() => helm.close());

const PEP = 'config: {peps: [{name: edge, tokenSha256: "0000000000000000000000000000000000000000000000000000000000000000"}]}\n';
/** The default values, a gateway that may ask, and these. */
const rendered = (values = '') => helm.render({ values: PEP + values });
const pod = (chart: Rendered) => podOf(one(chart, 'Deployment', 'cs-countersign')) ?? {};

describe('what runs', () => {
  test('is the version of the chart, or a tag, or a digest', async () => {
    const image = async (values: string) => at(pod(await rendered(values)), 'containers', 'countersign', 'image');
    expect(await image('')).toBe('registry.example/countersign:0.1.0');
    expect(await image('image: {repository: r.example/c, tag: "2"}')).toBe('r.example/c:2');
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(await image(`image: {repository: r.example/c, tag: "2", digest: "${digest}"}`)).toBe(`r.example/c@${digest}`);
  });

  test('rolls when its configuration changes, and only then', async () => {
    const checksum = async (values: string) =>
      at(one(await helm.render({ values }), 'Deployment'), 'spec', 'template', 'metadata', 'annotations', 'checksum/config');
    const before = await checksum(PEP);
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    expect(await checksum(`${PEP}replicas: 5`)).toBe(before);
    expect(await checksum(PEP.replace('{peps', '{log: {level: debug}, peps'))).not.toBe(before);
  });

  test('has no token of the API server, by its account and by its pods', async () => {
    const chart = await rendered();
    expect(one(chart, 'ServiceAccount')['automountServiceAccountToken']).toBe(false);
    expect(pod(chart)).toMatchObject({
      serviceAccountName: 'cs-countersign',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
    });
    const own = await rendered('serviceAccount: {create: false, name: given}');
    expect(names(own).some((name) => name.startsWith('ServiceAccount/'))).toBe(false);
    expect(pod(own)['serviceAccountName']).toBe('given');
  });

  test('is what the values say, whatever the release is called', async () => {
    expect(names(await helm.render({ values: PEP, release: 'countersign' }))).toContain('Deployment/countersign');
    expect(names(await rendered('fullnameOverride: pdp'))).toContain('Deployment/pdp');
    expect(names(await rendered('nameOverride: pdp'))).toContain('Deployment/cs-pdp');
  });
});

describe('how it ends', () => {
  const grace = async (values: string) => pod(await helm.render({ values }))['terminationGracePeriodSeconds'];

  test('has the time of preStop and of its own drain: the notice, then each bound one after the other', async () => {
    expect(await grace(PEP)).toBe(5 + Math.ceil((3000 + 3 * 5000) / 1000) + 3);
    const slow = PEP.replace('{peps', '{drain: {noticeMs: 10000, boundMs: 30500}, peps');
    expect(await grace(slow)).toBe(5 + Math.ceil((10_000 + 3 * 30_500) / 1000) + 3);
    expect(await grace(`${PEP}lifecycle: {preStopSeconds: 30}`)).toBe(30 + 18 + 3);
    expect(await grace(`${PEP}lifecycle: {terminationGracePeriodSeconds: 600}`)).toBe(600);
  });

  test('waits before SIGTERM without a shell, and keeps every pod while it rolls', async () => {
    const chart = await rendered();
    expect(serviceContainer(chart)['lifecycle']).toEqual({ preStop: { sleep: { seconds: 5 } } });
    expect(serviceContainer(await rendered('lifecycle: {preStopSeconds: 0}'))['lifecycle']).toBeUndefined();
    expect(at(one(chart, 'Deployment'), 'spec', 'strategy', 'rollingUpdate')).toEqual({ maxSurge: 1, maxUnavailable: 0 });
  });
});

describe('where policies come from', () => {
  test('the image, a ConfigMap of yours, one that the chart makes, a volume, a server', async () => {
    const bundle = async (values: string) => chartConfig(await rendered(values)).policy.bundle;
    expect(await bundle('')).toBe('/app/policies.tar.gz');
    expect(await bundle('policies: {source: configMap, configMap: {name: mine, key: p.tar.gz}}')).toBe(
      '/etc/countersign/policies/p.tar.gz',
    );
    expect(await bundle('policies: {source: volume, volume: {source: {emptyDir: {}}, path: a/b.tar.gz}}')).toBe(
      '/etc/countersign/policies/a/b.tar.gz',
    );
    expect(await bundle('policies: {source: url, url: {bundle: "https://b.example/p.tar.gz"}}')).toBe('https://b.example/p.tar.gz');
  });

  test('a ConfigMap is followed: it is mounted whole, and made of base64 where none is named', async () => {
    const mine = await rendered('policies: {source: configMap, configMap: {name: mine}}');
    expect(at(pod(mine), 'volumes', 'policies')).toEqual({ name: 'policies', configMap: { name: 'mine' } });
    expect(at(serviceContainer(mine), 'volumeMounts', 'policies')).toEqual({
      name: 'policies',
      mountPath: '/etc/countersign/policies',
      readOnly: true,
    });
    expect(names(mine).filter((name) => name.startsWith('ConfigMap/'))).toEqual(['ConfigMap/cs-countersign']);
    const made = await rendered('policies: {source: configMap, configMap: {bundleBase64: "H4sI\\nAAAA\\n"}}');
    expect(one(made, 'ConfigMap', 'cs-countersign-policies')['binaryData']).toEqual({ 'policy.tar.gz': 'H4sIAAAA' });
    expect(at(pod(made), 'volumes', 'policies', 'configMap', 'name')).toBe('cs-countersign-policies');
  });

  test("a server's token is a file of a Secret", async () => {
    const chart = await rendered(
      'policies: {source: url, url: {bundle: "https://b.example/p.tar.gz", tokenSecret: {name: reader, key: t}}}',
    );
    expect(at(pod(chart), 'volumes', 'policy-token', 'secret', 'secretName')).toBe('reader');
    expect(chartConfig(chart).policy.credentials.tokenFile).toBe('/etc/countersign/policy-token/t');
  });
});

test('secrets come as variables and as files, by reference', async () => {
  const chart = await rendered(
    'secretEnv: [{name: COUNTERSIGN_IDENTITY_DPOP_NONCE_SECRET, secret: s, key: dpop-nonce-secret}]\nsecretFiles: [hash-keys]',
  );
  expect(at(serviceContainer(chart), 'env', 'COUNTERSIGN_IDENTITY_DPOP_NONCE_SECRET')).toEqual({
    name: 'COUNTERSIGN_IDENTITY_DPOP_NONCE_SECRET',
    valueFrom: { secretKeyRef: { name: 's', key: 'dpop-nonce-secret' } },
  });
  expect(at(pod(chart), 'volumes', 'secret-0', 'secret')).toEqual({ secretName: 'hash-keys' });
  expect(at(serviceContainer(chart), 'volumeMounts', 'secret-0', 'mountPath')).toBe('/etc/countersign/secrets/hash-keys');
});

describe('Redis', () => {
  const store = async (values: string) => chartConfig(await rendered(values)).store;
  const SIGN_IN = 'auth: {secret: s, userKey: user}';

  test('is none by default', async () => {
    expect(await store('')).toMatchObject({ kind: 'memory' });
  });

  test.each([
    ['alone', 'mode: standalone, host: r.data, port: 6380, database: 3', { url: 'redis://r.data:6380/3', sentinels: [], cluster: null }],
    ['with a password', 'mode: standalone, host: r.data, auth: {secret: s}', { url: 'redis://:p%40ss@r.data:6379/0' }],
    [
      'with an ACL user, by TLS',
      `mode: standalone, host: r.data, ${SIGN_IN}, tls: {enabled: true}`,
      { url: 'rediss://countersign:p%40ss@r.data:6379/0' },
    ],
    ['by a Secret with its URL', 'mode: standalone, urlSecret: {name: s}', { url: 'rediss://acl:secret@redis.data:6380/2' }],
    [
      'behind sentinels, each with a sign-in of its own',
      `mode: sentinel, masterName: main, nodes: ["a.data:26379", "b.data:26379"], ${SIGN_IN}, sentinelAuth: {secret: s, passwordKey: sentinel-password}`,
      {
        url: 'redis://countersign:p%40ss@main/0',
        sentinels: ['redis://:s%2Fentinel@a.data:26379', 'redis://:s%2Fentinel@b.data:26379'],
      },
    ],
    [
      'as a cluster',
      `mode: cluster, host: a.data, nodes: ["b.data:6380"], ${SIGN_IN}`,
      { url: 'redis://countersign:p%40ss@a.data:6379', cluster: ['redis://countersign:p%40ss@b.data:6380'] },
    ],
    ['as a cluster that is named by one node', 'mode: cluster, host: a.data', { url: 'redis://a.data:6379', cluster: [] }],
    ['for development', 'mode: dev', { url: 'redis://cs-countersign-redis:6379/0' }],
  ])('%s', async (_what, redis, wanted) => {
    expect(await store(`redis: {${redis}}`)).toMatchObject({ kind: 'redis', ...wanted });
  });

  test('has its passwords in no object of the chart', async () => {
    const chart = await rendered(`redis: {mode: standalone, host: r.data, ${SIGN_IN}}`);
    expect(JSON.stringify(chart.objects)).not.toContain('p%40ss');
    expect(JSON.stringify(one(chart, 'ConfigMap'))).not.toContain('redis://');
  });

  test('is trusted by a CA of yours', async () => {
    const chart = await rendered('redis: {mode: standalone, host: r.data, tls: {enabled: true, ca: {configMap: c, key: root.pem}}}');
    expect(environmentOf(serviceContainer(chart))['NODE_EXTRA_CA_CERTS']).toBe('/etc/countersign/redis-ca/ca.crt');
    expect(at(pod(chart), 'volumes', 'redis-ca', 'configMap')).toEqual({ name: 'c', items: [{ key: 'root.pem', path: 'ca.crt' }] });
  });

  test('for development is one pod that keeps nothing and that only the service reaches', async () => {
    const chart = await rendered('redis: {mode: dev}');
    expect(at(podOf(one(chart, 'Deployment', 'cs-countersign-redis')), 'containers', 'redis', 'args')).toEqual(
      expect.arrayContaining(['--save', '', '--appendonly', 'no']),
    );
    const policy = one(chart, 'NetworkPolicy', 'cs-countersign-redis');
    expect(at(policy, 'spec')).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ podSelector: { matchLabels: { 'app.kubernetes.io/component': 'pdp' } } }], ports: [{ port: 'redis' }] }],
    });
    expect(at(policy, 'spec', 'egress')).toBeUndefined();
  });
});

describe('TLS', () => {
  test('by Secrets, with a CA for the certificates of gateways', async () => {
    const chart = await rendered('tls: {grpc: {secret: g, clientCa: {configMap: ca, key: root.pem}}, http: {secret: h}}');
    const { grpc, http } = chartConfig(chart);
    expect(grpc.tls).toEqual({
      certFile: '/etc/countersign/tls/grpc/tls.crt',
      keyFile: '/etc/countersign/tls/grpc/tls.key',
      clientCaFile: '/etc/countersign/tls/grpc-ca/ca.crt',
    });
    expect(http.tls).toMatchObject({ certFile: '/etc/countersign/tls/http/tls.crt', clientCaFile: null });
    expect(at(pod(chart), 'volumes', 'tls-grpc-ca', 'configMap')).toEqual({ name: 'ca', items: [{ key: 'root.pem', path: 'ca.crt' }] });
  });

  test('by cert-manager: the certificate names the Services, and its CA is that of the gateways', async () => {
    const chart = await rendered('certificate: {enabled: true, issuerRef: {name: ca}, dnsNames: [pdp.example]}');
    expect(at(one(chart, 'Certificate'), 'spec')).toMatchObject({
      secretName: 'cs-countersign-tls',
      dnsNames: expect.arrayContaining(['cs-countersign-grpc.default.svc', 'cs-countersign.default.svc.cluster.local', 'pdp.example']),
    });
    const { grpc, http } = chartConfig(chart);
    expect(grpc.tls?.clientCaFile).toBe('/etc/countersign/tls/grpc-ca/ca.crt');
    expect(http.tls).toBeNull();
    const oneWay = chartConfig(await rendered('certificate: {enabled: true, mutual: false, issuerRef: {name: ca}, listeners: [http]}'));
    expect([oneWay.grpc.tls, oneWay.http.tls?.clientCaFile]).toEqual([null, null]);
  });

  test('is what the Services say', async () => {
    const protocol = async (values: string, service: string) =>
      at(one(await rendered(values), 'Service', service), 'spec', 'ports', 0, 'appProtocol');
    expect(await protocol('', 'cs-countersign')).toBe('http');
    expect(await protocol('', 'cs-countersign-grpc')).toBe('kubernetes.io/h2c');
    expect(await protocol('tls: {grpc: {secret: g}}', 'cs-countersign-grpc')).toBe('https');
    const own = await helm.render({ values: PEP.replace('{peps', '{grpc: {tls: {certFile: /x/c, keyFile: /x/k}}, peps') });
    expect(at(one(own, 'Service', 'cs-countersign-grpc'), 'spec', 'ports', 0, 'appProtocol')).toBe('https');
  });
});

describe('address databases', () => {
  const FETCHED = 'databases: [{file: a.mmdb, from: "https://f.example/a.mmdb", sha256: "'.concat(
    'b'.repeat(64),
    '"}, {file: b.mmdb, from: "npm:x@1.0.0", entry: b.mmdb}]',
  );

  test('of a volume, fetched as a pod starts, fetched by a schedule', async () => {
    const volume = await rendered('geoip: {databases: [{file: a.mmdb}], volume: {persistentVolumeClaim: {claimName: g}}}');
    expect(chartConfig(volume).network.databases).toEqual(['/var/lib/geoip/a.mmdb']);
    expect(at(pod(volume), 'volumes', 'geoip', 'persistentVolumeClaim', 'claimName')).toBe('g');
    expect(names(volume).some((name) => name.startsWith('CronJob/'))).toBe(false);

    const start = await rendered(`geoip: {update: initContainer, ${FETCHED}}`);
    const args = (index: number) => at(pod(start), 'initContainers', index, 'args');
    expect(args(0)).toEqual([
      'geoip',
      'update',
      '--from',
      'https://f.example/a.mmdb',
      '--to',
      '/var/lib/geoip/a.mmdb',
      '--sha256',
      'b'.repeat(64),
    ]);
    expect(args(1)).toEqual(['geoip', 'update', '--from', 'npm:x@1.0.0', '--to', '/var/lib/geoip/b.mmdb', '--entry', 'b.mmdb']);
    expect(chartConfig(start).network.databases).toEqual(['/var/lib/geoip/a.mmdb', '/var/lib/geoip/b.mmdb']);

    const scheduled = await rendered(`geoip: {update: cronJob, schedule: "0 1 * * *", ${FETCHED}}`);
    expect(at(one(scheduled, 'CronJob'), 'spec', 'schedule')).toBe('0 1 * * *');
    expect(at(podOf(one(scheduled, 'CronJob')), 'volumes', 'geoip', 'persistentVolumeClaim')).toEqual({
      claimName: 'cs-countersign-geoip',
    });
    expect(at(pod(scheduled), 'volumes', 'geoip', 'persistentVolumeClaim')).toEqual({ claimName: 'cs-countersign-geoip', readOnly: true });
    expect(one(scheduled, 'PersistentVolumeClaim', 'cs-countersign-geoip')).toBeDefined();
  });
});

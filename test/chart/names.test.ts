import { afterAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { chartConfig } from '../support/chart-config.ts';
import { at, containersOf, createHelm, nameOf, one, podOf, podsOf, type Rendered, SCENARIOS } from '../support/helm.ts';
import { validateObjects } from '../support/kubernetes-schemas.ts';

/* What the API server asks of names, labels and texts, which no JSON Schema says, for odd releases and odd values. */

const helm = createHelm();
afterAll(() => helm.close());

const PEP = 'config: {peps: [{name: edge, tokenSha256: "0000000000000000000000000000000000000000000000000000000000000000"}]}\n';
/** As long as Helm lets a release be. */
const LONG = 'a-release-whose-name-is-as-long-as-helm-lets-it-be-53';
const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const list = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);

/** A CronJob appends 11 characters to its name for each Job. */
function nameProblems(object: JsonObject): string[] {
  const name = nameOf(object);
  const most = object['kind'] === 'CronJob' ? 52 : 63;
  const pod = podOf(object);
  const inside = pod === null ? [] : [...containersOf(pod), ...list(pod['volumes'])].map((each) => String(each['name']));
  const labels = Object.values(Object(at(object, 'metadata', 'labels'))).map(String);
  return [
    ...(name.length > most || !LABEL.test(name) ? [`${object['kind']} ${name}`] : []),
    ...inside.filter((each) => each.length > 63 || !LABEL.test(each)).map((each) => `${object['kind']} ${name}: ${each}`),
    ...labels.filter((each) => each.length > 63 || !/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/.test(each)),
  ];
}

describe('names are good ones', () => {
  test.each([LONG, 'my.release.1', `${LONG.slice(0, 45)}--countersign`.slice(0, 53), 'cs'])('of the release %s', async (release) => {
    const rendered = await Promise.all(
      ['geoip', 'production', 'redis-cluster', 'development'].map((scenario) => helm.render({ scenario, release })),
    );
    expect(rendered.flatMap(({ objects }) => objects.flatMap(nameProblems))).toEqual([]);
  });

  test('of volumes, whatever Secrets are called', async () => {
    const long = `${'a'.repeat(62)}.example`;
    const chart = await helm.render({ values: `${PEP}secretFiles: [keys.of.the.registry, ${long}]` });
    expect(chart.objects.flatMap(nameProblems)).toEqual([]);
    const mounts = containersOf(podsOf(chart.objects)[0] ?? {})[0]?.['volumeMounts'];
    expect(list(mounts).map(({ mountPath }) => mountPath)).toContain(`/etc/countersign/secrets/${long}`);
  });

  test.each([
    ['1st', ''],
    ['cs', 'fullnameOverride: Gate'],
    ['cs', 'fullnameOverride: my_gate'],
  ])('or are refused: %s, %s', async (release, values) => {
    const { ok, output } = await helm.tryRender({ release, values: PEP + values });
    expect([ok, output]).toEqual([false, expect.stringContaining('set fullnameOverride')]);
  });
});

describe('selectors', () => {
  const selectorOf = async (values: string) =>
    at(one(await helm.render({ values: PEP + values }), 'Deployment', 'cs-countersign'), 'spec', 'selector');

  test('of the Deployment are the same whatever else is said, since they cannot be changed by an upgrade', async () => {
    const wanted = {
      matchLabels: {
        'app.kubernetes.io/name': 'countersign',
        'app.kubernetes.io/instance': 'cs',
        'app.kubernetes.io/component': 'pdp',
      },
    };
    expect(await selectorOf('')).toEqual(wanted);
    expect(
      await selectorOf('image: {tag: "9"}\ncommonLabels: {team: a}\npodLabels: {b: c}\nreplicas: 0\nservice: {grpc: {headless: true}}'),
    ).toEqual(wanted);
  });

  test.each(SCENARIOS)('of %s find the pods that they are for, and no others', async (scenario) => {
    const { objects } = await helm.render({ scenario });
    const templates = objects.flatMap((object) => {
      const metadata = object['kind'] === 'Pod' ? object['metadata'] : at(object, 'spec', 'template', 'metadata');
      return isJsonObject(metadata) ? [metadata['labels']] : [];
    });
    const found = (selector: unknown) =>
      templates.filter((labels) => Object.entries(Object(selector)).every(([key, value]) => at(labels, key) === value)).length;
    const selectors = objects.flatMap((object) => {
      if (object['kind'] === 'Service') return [at(object, 'spec', 'selector')];
      return ['podSelector', 'selector'].flatMap((key) =>
        ['NetworkPolicy', 'PodDisruptionBudget', 'Deployment', 'PeerAuthentication'].includes(String(object['kind']))
          ? (at(object, 'spec', key, 'matchLabels') ?? [])
          : [],
      );
    });
    expect(selectors.length).toBeGreaterThan(2);
    expect(selectors.filter((selector) => found(selector) !== 1)).toEqual([]);
  });

  test('are not made of labels of yours', async () => {
    for (const values of [
      'podLabels: {app.kubernetes.io/component: x}',
      'commonLabels: {app.kubernetes.io/instance: x}',
      'commonLabels: {helm.sh/chart: x}',
    ])
      expect((await helm.tryRender({ values: PEP + values })).output).toContain("is the chart's own");
  });
});

test('what can be changed by an upgrade only is: a headless Service is one beside the other, at the port of the pods', async () => {
  const spec = (chart: Rendered, name: string) => at(one(chart, 'Service', name), 'spec');
  const values = `${PEP}service: {grpc: {port: 443, headless: true}}\ncertificate: {enabled: true, issuerRef: {name: ca}}`;
  const [plain, headless] = [await helm.render({ values: `${PEP}service: {grpc: {port: 443}}` }), await helm.render({ values })];
  expect(at(spec(headless, 'cs-countersign-grpc'), 'clusterIP')).toEqual(at(spec(plain, 'cs-countersign-grpc'), 'clusterIP'));
  expect(spec(headless, 'cs-countersign-grpc')).toMatchObject({ type: 'ClusterIP', ports: [{ port: 443 }] });
  expect(spec(headless, 'cs-countersign-grpc-headless')).toMatchObject({ clusterIP: 'None', ports: [{ port: 9191, targetPort: 'grpc' }] });
  expect(at(one(headless, 'Certificate'), 'spec', 'dnsNames')).toContain('cs-countersign-grpc-headless.default.svc.cluster.local');
  expect(headless.notes).toContain('cs-countersign-grpc-headless.default.svc.cluster.local:9191');
  expect((await helm.tryRender({ values: `${PEP}service: {operations: {port: 80}}` })).output).toContain('must be 9090');
});

describe('texts stay texts', () => {
  /* Kubernetes reads YAML 1.1, the service 1.2: each has texts that it takes for something else. */
  const ODD = [
    'on',
    'y',
    'null',
    '~',
    '1e3',
    '0o17',
    '0x1f',
    '012',
    '1_000',
    '.inf',
    '2026-01-01',
    '12:30',
    '=',
    '<<',
    '!x',
    '&a',
    '*a',
    '%',
    '@',
    '`',
    '- a',
    'a: b',
    'a #b',
    "it's",
    '"',
    '\\n',
    'line\nline',
    '\ttab',
    ' blank ',
    '{{ .Release.Name }}',
    '$(HOME)',
    'é☃𝄞',
    '',
  ];

  test('in the configuration, in annotations and in files', async () => {
    const audiences = ODD.filter((text) => text !== '');
    const values = {
      config: {
        peps: [{ name: 'edge', tokenSha256: '0'.repeat(64) }],
        identity: { issuers: [{ issuer: 'https://a.example', audiences, jwksUrl: 'https://a.example/jwks' }] },
        overload: { heldBytesMax: 268_435_456 },
      },
      podAnnotations: Object.fromEntries(ODD.map((text, index) => [`a/${index}`, text])),
      podSecurityContext: { runAsUser: 1_000_660_000 },
    };
    const chart = await helm.render({ values: JSON.stringify(values) });
    const config = chartConfig(chart);
    expect(config.identity.issuers[0]?.audiences).toEqual(audiences);
    expect(config.overload.heldBytesMax).toBe(268_435_456);
    const deployment = one(chart, 'Deployment');
    expect(at(deployment, 'spec', 'template', 'metadata', 'annotations')).toMatchObject(values.podAnnotations);
    expect(at(podOf(deployment), 'securityContext', 'runAsUser')).toBe(1_000_660_000);
  });

  /** Each is a name that Kubernetes takes, and a number, a truth value or nothing in YAML. */
  const NUMBERS = [
    'secretEnv: [{name: COUNTERSIGN_PEPS, secret: "1", key: "2026"}]\nsecretFiles: ["012"]\nserviceAccount: {name: "1"}\npriorityClassName: "1"',
    'image: {repository: "1", tag: "2"}\nnameOverride: "1"\nimagePullSecrets: [{name: "1"}]\npolicies: {source: configMap, configMap: {name: "1"}}',
    'policies: {source: configMap, configMap: {key: "1", bundleBase64: "MTIz"}}\ntls: {grpc: {secret: "1", clientCa: {secret: "1", key: "1"}}}',
    'policies: {source: url, url: {bundle: "https://a", tokenSecret: {name: "1", key: "2"}}}\ntls: {http: {secret: "1", clientCa: {configMap: "1", key: "on"}}}',
    'redis: {mode: standalone, host: "1", auth: {secret: "1", userKey: "2", passwordKey: "on"}, tls: {enabled: true, ca: {secret: "1", key: "3"}}}',
    'redis: {mode: sentinel, urlSecret: {name: "1", key: "2"}, nodes: ["1:1"], tls: {ca: {configMap: "1", key: "3"}}}\ntest: {tokenSecret: {name: "1", key: "2"}}',
    'geoip: {update: cronJob, databases: [{file: "1", from: "2", entry: "3"}], schedule: "1", claim: {size: "1", storageClassName: "1"}}',
    'geoip: {update: initContainer, databases: [{file: "1", from: "2"}], claim: {size: "1"}}\nautoscaling: {enabled: true, custom: {metric: "1", averageValue: "2"}}',
    'monitoring: {serviceMonitor: {enabled: true}}\nistio: {authorizationPolicy: {enabled: true, provider: "1", namespace: "2"}}\nenvoyGateway: {referenceGrants: ["1"], backendTlsPolicy: {enabled: true, ca: {name: "1"}}}',
  ];
  const namesIn = (value: unknown): unknown[] => {
    if (Array.isArray(value)) return value.flatMap(namesIn);
    if (!isJsonObject(value)) return [];
    return Object.entries(value).flatMap(([key, inner]) => (/^(name|namespace|key)$/.test(key) ? [inner] : namesIn(inner)));
  };

  test('in every object', async () => {
    const rendered = await Promise.all(
      NUMBERS.map((values) => helm.tryRender({ release: 'on', namespace: '1', values: `${PEP}fullnameOverride: cs\n${values}` })),
    );
    expect(rendered.filter(({ ok }) => !ok)).toEqual([]);
    const objects = rendered.flatMap(({ output }) =>
      parseAllDocuments(output, { version: '1.1' })
        .map((document): unknown => document.toJS())
        .filter(isJsonObject),
    );
    const builtIn = objects.filter(({ apiVersion }) => /^(v1|apps|batch|policy|autoscaling|networking\.k8s)/.test(String(apiVersion)));
    expect(builtIn.length).toBeGreaterThan(70);
    expect((await validateObjects(builtIn)).problems).toEqual([]);
    expect(objects.flatMap(namesIn).filter((name) => typeof name !== 'string')).toEqual([]);
  });
});

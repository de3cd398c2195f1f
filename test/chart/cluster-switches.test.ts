import { afterAll, describe, expect, test } from 'vitest';
import { chartConfig } from '../support/chart-config.ts';
import { at, createHelm, names, one, podOf, type Rendered } from '../support/helm.ts';

const helm = createHelm();
afterAll(() => helm.close());

const PEP = 'config: {peps: [{name: edge, tokenSha256: "0000000000000000000000000000000000000000000000000000000000000000"}]}\n';
const rendered = (values = '') => helm.render({ values: PEP + values });
const pod = (chart: Rendered) => podOf(one(chart, 'Deployment', 'cs-countersign')) ?? {};
const kinds = (chart: Rendered) => new Set(chart.objects.map((object) => object['kind']));

describe('how many', () => {
  test('a fixed number, or by load: CPU, a custom metric, both', async () => {
    expect(at(one(await rendered('replicas: 4'), 'Deployment'), 'spec', 'replicas')).toBe(4);
    const metrics = async (values: string) => {
      const chart = await rendered(`autoscaling: {enabled: true, ${values}}`);
      expect(at(one(chart, 'Deployment'), 'spec', 'replicas')).toBeUndefined();
      return at(one(chart, 'HorizontalPodAutoscaler'), 'spec', 'metrics');
    };
    const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } };
    const custom = {
      type: 'Pods',
      pods: { metric: { name: 'countersign_open_requests' }, target: { type: 'AverageValue', averageValue: '64' } },
    };
    const METRIC = 'custom: {metric: countersign_open_requests, averageValue: "64"}';
    expect(await metrics('maxReplicas: 9')).toEqual([cpu]);
    expect(await metrics(METRIC)).toEqual([cpu, custom]);
    expect(await metrics(`cpuPercent: 0, ${METRIC}`)).toEqual([custom]);
    expect(kinds(await rendered())).not.toContain('HorizontalPodAutoscaler');
  });

  test('an eviction takes one at a time', async () => {
    const budget = async (values: string) => at(one(await rendered(values), 'PodDisruptionBudget'), 'spec', 'maxUnavailable');
    expect(await budget('')).toBe(1);
    expect(await budget('podDisruptionBudget: {maxUnavailable: 30%}')).toBe('30%');
    expect(kinds(await rendered('podDisruptionBudget: {enabled: false}'))).not.toContain('PodDisruptionBudget');
  });

  test('over nodes and zones, or as you say', async () => {
    const keys = async (values: string) => {
      const spread = pod(await rendered(values))['topologySpreadConstraints'];
      return Array.isArray(spread) ? spread.map((constraint) => at(constraint, 'topologyKey')) : [];
    };
    expect(await keys('')).toEqual(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
    const own = '{maxSkew: 1, topologyKey: rack, whenUnsatisfiable: DoNotSchedule, labelSelector: {}}';
    expect(await keys(`topologySpreadConstraints: [${own}]`)).toEqual(['rack']);
  });
});

describe('Services', () => {
  test('http, gRPC, and operations, where each pod is seen whether it is ready or not', async () => {
    const chart = await rendered('service: {http: {port: 80, annotations: {a: b}}, grpc: {headless: true}}');
    expect(at(one(chart, 'Service', 'cs-countersign'), 'spec')).toMatchObject({
      type: 'ClusterIP',
      ports: [{ port: 80, targetPort: 'http' }],
    });
    expect(at(one(chart, 'Service', 'cs-countersign'), 'metadata', 'annotations')).toEqual({ a: 'b' });
    expect(at(one(chart, 'Service', 'cs-countersign-grpc-headless'), 'spec')).toMatchObject({ clusterIP: 'None', ports: [{ port: 9191 }] });
    expect(names(await rendered())).not.toContain('Service/cs-countersign-grpc-headless');
    expect(at(one(chart, 'Service', 'cs-countersign-operations'), 'spec')).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
    });
  });

  test('have names under which the service answers', async () => {
    const { http, operations } = chartConfig(await helm.render({ values: `${PEP}service: {clusterDomain: corp}`, namespace: 'gate' }));
    expect(http.publicHosts).toEqual(['cs-countersign', 'cs-countersign.gate', 'cs-countersign.gate.svc', 'cs-countersign.gate.svc.corp']);
    expect(operations.publicHosts).toContain('cs-countersign-operations.gate.svc.corp');
    const own = chartConfig(await helm.render({ values: PEP.replace('{peps', '{http: {publicHosts: [pdp.example]}, peps') }));
    expect(own.http.publicHosts).toEqual([
      'pdp.example',
      ...http.publicHosts.map((host) => host.replace('gate', 'default').replace('corp', 'cluster.local')),
    ]);
  });
});

describe('NetworkPolicy', () => {
  const spec = async (values: string) => at(one(await rendered(values), 'NetworkPolicy', 'cs-countersign'), 'spec');

  test('lets this namespace ask and scrape, and nothing be reached but names, https and no address of a cloud', async () => {
    expect(await spec('')).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [{ podSelector: {} }, { podSelector: { matchLabels: { 'app.kubernetes.io/component': 'test' } } }],
          ports: [{ port: 'http' }, { port: 'grpc' }],
        },
        { from: [{ podSelector: {} }, {}], ports: [{ port: 'operations' }] },
      ],
      egress: [
        { ports: [{ port: 53 }, { port: 53 }] },
        { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } }, {}], ports: [{ port: 443 }] },
      ],
    });
  });

  test('says who asks and who operates, apart', async () => {
    const value = await spec('networkPolicy: {askers: [{namespaceSelector: {matchLabels: {a: b}}}], operators: [], egress: []}');
    expect(at(value, 'ingress', 0, 'from', 0)).toEqual({ namespaceSelector: { matchLabels: { a: 'b' } } });
    expect(at(value, 'ingress', 1, 'from', 1)).toBeUndefined();
    expect(at(value, 'egress', 1)).toBeUndefined();
  });

  test('opens the ports of Redis, each once, to its peers', async () => {
    const value = await spec(
      'redis: {mode: cluster, host: a, port: 6380, nodes: ["b:6380", "c:7000"]}\nnetworkPolicy: {redis: [{podSelector: {matchLabels: {app: redis}}}]}',
    );
    expect(at(value, 'egress', 1)).toEqual({
      to: [{ podSelector: { matchLabels: { app: 'redis' } } }],
      ports: [
        { port: 6380, protocol: 'TCP' },
        { port: 7000, protocol: 'TCP' },
      ],
    });
  });

  test('is away where it is switched off', async () => {
    expect(kinds(await rendered('networkPolicy: {enabled: false}'))).not.toContain('NetworkPolicy');
  });
});

describe('what it is joined to', () => {
  test('nothing by default', async () => {
    const apis = new Set((await rendered()).objects.map((object) => String(object['apiVersion'])));
    expect([...apis].sort()).toEqual(['apps/v1', 'networking.k8s.io/v1', 'policy/v1', 'v1']);
  });

  test('the Prometheus Operator and Grafana', async () => {
    const chart = await rendered(
      'monitoring: {serviceMonitor: {enabled: true, interval: 15s, labels: {release: p}}, prometheusRule: {enabled: true}, dashboard: {enabled: true}}',
    );
    const monitor = one(chart, 'ServiceMonitor');
    expect(at(monitor, 'metadata', 'labels', 'release')).toBe('p');
    expect(at(monitor, 'spec', 'endpoints')).toEqual([{ port: 'operations', path: '/metrics', interval: '15s' }]);
    // the one Service that the selector finds is that of operations
    const selected = chart.objects.filter(
      (object) =>
        object['kind'] === 'Service' &&
        Object.entries(Object(at(monitor, 'spec', 'selector', 'matchLabels'))).every(
          ([key, value]) => at(object, 'metadata', 'labels', key) === value,
        ),
    );
    expect(selected.map((object) => at(object, 'metadata', 'name'))).toEqual(['cs-countersign-operations']);
    expect(JSON.stringify(one(chart, 'PrometheusRule'))).toContain('namespace=\\"default\\",service=\\"cs-countersign-operations\\"');
    expect(JSON.stringify(one(chart, 'PrometheusRule'))).not.toMatch(/\$NAMESPACE|\$SERVICE/);
    expect(at(one(chart, 'ConfigMap', 'cs-countersign-dashboard'), 'metadata', 'labels', 'grafana_dashboard')).toBe('1');
  });

  test('Istio, in the namespace of its gateway', async () => {
    const chart = await rendered(
      'istio: {authorizationPolicy: {enabled: true, namespace: istio-system}, destinationRule: {enabled: true}}\ntls: {grpc: {secret: g}}',
    );
    expect(at(one(chart, 'AuthorizationPolicy'), 'metadata', 'namespace')).toBe('istio-system');
    expect(at(one(chart, 'AuthorizationPolicy'), 'spec')).toMatchObject({ action: 'CUSTOM', provider: { name: 'countersign' } });
    expect(at(one(chart, 'DestinationRule'), 'spec', 'trafficPolicy', 'tls', 'mode')).toBe('SIMPLE');
    expect(chart.notes).toContain('service: cs-countersign-grpc.default.svc.cluster.local');
  });

  test('Istio, as a part of the mesh: nobody passes by its sidecar, and that lets in the gateway alone', async () => {
    const chart = await helm.render({ scenario: 'istio-mesh' });
    const { http, grpc } = chartConfig(chart);
    expect([http.host, grpc.host]).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(at(one(chart, 'Sidecar'), 'spec', 'ingress', 0)).toEqual({
      port: { number: 9191, protocol: 'GRPC', name: 'grpc' },
      defaultEndpoint: '127.0.0.1:9191',
    });
    expect(at(one(chart, 'PeerAuthentication'), 'spec', 'mtls')).toEqual({ mode: 'STRICT' });
    expect(at(one(chart, 'AuthorizationPolicy', 'cs-countersign-asked-by'), 'spec', 'rules', 0)).toEqual({
      from: [{ source: { principals: ['cluster.local/ns/istio-ingress/sa/istio-ingressgateway'] } }],
      to: [{ operation: { ports: ['9191', '8080'] } }],
    });
    // its sidecar has to reach istiod
    expect(JSON.stringify(at(one(chart, 'NetworkPolicy'), 'spec', 'egress'))).toContain('{"port":15012,"protocol":"TCP"}');
    const labels = at(one(chart, 'Deployment'), 'spec', 'template', 'metadata', 'labels');
    expect(labels).toMatchObject(Object(at(one(chart, 'Sidecar'), 'spec', 'workloadSelector', 'labels')));
  });

  test('Envoy Gateway, which never fails open', async () => {
    const chart = await helm.render({ scenario: 'envoy-gateway' });
    expect(at(one(chart, 'SecurityPolicy'), 'spec', 'extAuth')).toMatchObject({
      failOpen: false,
      grpc: { backendRefs: [{ name: 'cs-countersign-grpc', port: 9191 }] },
    });
    expect(at(one(chart, 'BackendTLSPolicy'), 'spec', 'validation', 'hostname')).toBe('cs-countersign-grpc.default.svc.cluster.local');
    expect(at(one(chart, 'Certificate'), 'spec', 'dnsNames')).toContain('cs-countersign-grpc.default.svc.cluster.local');
    expect(at(one(chart, 'ReferenceGrant'), 'spec', 'from', 0, 'namespace')).toBe('team-payments');
  });

  test('a gateway in the same pod, which starts after the service and ends before it', async () => {
    const chart = await helm.render({ scenario: 'sidecar' });
    expect(at(pod(chart), 'initContainers', 'countersign')).toMatchObject({
      restartPolicy: 'Always',
      startupProbe: { httpGet: { path: '/livez' } },
    });
    // it ends when the gateway has, and has nobody to wait for
    expect(at(pod(chart), 'initContainers', 'countersign', 'lifecycle')).toBeUndefined();
    expect(at(pod(chart), 'containers', 0, 'name')).toBe('envoy');
    expect(names(chart).filter((name) => name.startsWith('Service/'))).toEqual([
      'Service/cs-countersign',
      'Service/cs-countersign-operations',
    ]);
    expect(at(one(chart, 'Service', 'cs-countersign'), 'spec', 'ports')).toEqual([
      { name: 'web', port: 80, targetPort: 10_000, appProtocol: 'http' },
    ]);
    const { http, grpc } = chartConfig(chart);
    expect([http.host, grpc.host]).toEqual(['127.0.0.1', '127.0.0.1']);
  });
});

describe('helm test', () => {
  const test_ = (chart: Rendered) => one(chart, 'Pod', 'cs-countersign-test');

  test('asks whether it is ready and whether it decides, and expects to be refused without a token', async () => {
    const chart = await rendered();
    expect(at(test_(chart), 'metadata', 'annotations', 'helm.sh/hook')).toBe('test');
    const env = at(podOf(test_(chart)), 'containers', 'test', 'env');
    expect(env).toEqual([
      { name: 'READY_URL', value: 'http://cs-countersign-operations:9090/readyz' },
      { name: 'DECIDE_URL', value: 'http://cs-countersign:8080/decide' },
    ]);
  });

  test('shows the token of a Secret', async () => {
    const chart = await rendered('test: {tokenSecret: {name: edge-token}}');
    expect(at(podOf(test_(chart)), 'containers', 'test', 'env', 'PEP_TOKEN', 'valueFrom', 'secretKeyRef')).toEqual({
      name: 'edge-token',
      key: 'token',
    });
  });

  test('is let in by the NetworkPolicy, by its labels', async () => {
    const chart = await rendered();
    const wanted = at(one(chart, 'NetworkPolicy'), 'spec', 'ingress', 0, 'from', 1, 'podSelector', 'matchLabels');
    expect(at(test_(chart), 'metadata', 'labels')).toMatchObject(Object(wanted));
  });
});

test('labels, variables and volumes of yours', async () => {
  const chart = await rendered(
    'commonLabels: {team: a}\npodLabels: {b: c}\npodAnnotations: {d: e}\nextraEnv: [{name: TZ, value: UTC}]\nextraVolumes: [{name: x, emptyDir: {}}]\nextraVolumeMounts: [{name: x, mountPath: /x}]\nnodeSelector: {disk: ssd}\ntolerations: [{key: t}]\naffinity: {nodeAffinity: {}}\npriorityClassName: high\nimagePullSecrets: [{name: pull}]',
  );
  for (const object of chart.objects) expect(at(object, 'metadata', 'labels', 'team')).toBe('a');
  expect(at(one(chart, 'Deployment'), 'spec', 'template', 'metadata')).toMatchObject({ labels: { b: 'c' }, annotations: { d: 'e' } });
  expect(pod(chart)).toMatchObject({
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 't' }],
    affinity: { nodeAffinity: {} },
    priorityClassName: 'high',
    imagePullSecrets: [{ name: 'pull' }],
  });
  expect(at(pod(chart), 'containers', 'countersign', 'env', 'TZ', 'value')).toBe('UTC');
  expect(at(pod(chart), 'containers', 'countersign', 'volumeMounts', 'x', 'mountPath')).toBe('/x');
});

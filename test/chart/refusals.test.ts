import { afterAll, describe, expect, test } from 'vitest';
import { createHelm, SCENARIOS } from '../support/helm.ts';
import { podProblems } from '../support/pod-security.ts';

const helm = createHelm();
afterAll(() => helm.close());

const HASH = '0'.repeat(64);
const PEP = `config: {peps: [{name: edge, tokenSha256: "${HASH}"}]}\n`;
const refusal = async (values: string) => {
  const { ok, output } = await helm.tryRender({ values });
  expect(ok).toBe(false);
  return output;
};

describe('the schema refuses, and says where and why,', () => {
  test.each([
    ['a value that there is not', `${PEP}replicaCount: 3`, "additional properties 'replicaCount' not allowed"],
    ['one inside a section', `${PEP}redis: {hots: r}`, "at '/redis': additional properties 'hots' not allowed"],
    [
      'a key that the service does not know',
      'config: {http: {prot: 80}, peps: []}',
      "at '/config/http': additional properties 'prot' not allowed",
    ],
    [
      'a key deep in the configuration',
      'config: {identity: {issuers: [{issuer: "https://a", jwksURL: x}]}}',
      "at '/config/identity/issuers/0': additional properties 'jwksURL'",
    ],
    ['a wrong type in it', 'config: {http: {port: web}, peps: []}', "at '/config/http/port': got string, want integer"],
    [
      'a number out of bounds in it',
      'config: {decisions: {deadlineMs: 1}, peps: []}',
      "at '/config/decisions/deadlineMs': minimum: got 1, want 5",
    ],
    ['a token in place of its hash', 'config: {peps: [{name: edge, tokenSha256: secret}]}', "at '/config/peps/0/tokenSha256'"],
    ['a word that is none of the choices', `${PEP}redis: {mode: sentinels}`, "at '/redis/mode': value must be one of"],
    [
      'a variable that is not ours',
      `${PEP}secretEnv: [{name: PATH, secret: a, key: b}]`,
      "at '/secretEnv/0/name': 'PATH' does not match pattern",
    ],
    ['a secret by value', `${PEP}secretEnv: [{name: COUNTERSIGN_PEPS, value: a}]`, "at '/secretEnv/0'"],
    ['a name that leaves its folder', `${PEP}secretFiles: ["../x"]`, "at '/secretFiles/0'"],
    ['sentinels without a port', `${PEP}redis: {mode: sentinel, nodes: [a]}`, "at '/redis/nodes/0'"],
  ])('%s', async (_what, values, said) => {
    expect(await refusal(values)).toContain(said);
  });
});

describe('the chart refuses, and says what to do,', () => {
  test.each([
    ['to answer anybody without a word', '', 'config.peps must name the gateways that may ask'],
    [
      'the same where one of several is anonymous',
      `config: {peps: [{name: a, anonymous: true}, {name: b, tokenSha256: "${HASH}"}]}`,
      'config.peps must name',
    ],
    [
      'two places for the policy',
      `config: {policy: {bundle: x}, peps: [{name: edge, tokenSha256: "${HASH}"}]}\npolicies: {source: url}`,
      'say in one place',
    ],
    ['a ConfigMap that is not named', `${PEP}policies: {source: configMap}`, 'policies.configMap.name'],
    ['a volume that is not said', `${PEP}policies: {source: volume}`, 'policies.volume.source'],
    ['a server that is not named', `${PEP}policies: {source: url}`, 'policies.url.bundle must name'],
    ['Redis without an address', `${PEP}redis: {mode: standalone}`, 'redis.host'],
    ['sentinels that are not named', `${PEP}redis: {mode: sentinel}`, 'redis.nodes must name the sentinels'],
    ['two stores', `config: {store: {kind: memory}, peps: [{name: edge, tokenSha256: "${HASH}"}]}\nredis: {mode: dev}`, 'disagree'],
    ['databases that nobody brings', `${PEP}geoip: {databases: [{file: a.mmdb}]}`, 'no geoip.volume that has them'],
    ['databases from nowhere', `${PEP}geoip: {update: cronJob, databases: [{file: a.mmdb}]}`, 'a.mmdb has no `from`'],
    ['a certificate of nobody', `${PEP}certificate: {enabled: true}`, 'certificate.issuerRef.name'],
    ['a sidecar of nothing', `${PEP}sidecar: {enabled: true}`, 'sidecar.containers must hold the gateway'],
    ['a policy of nothing', `${PEP}envoyGateway: {securityPolicy: {enabled: true}}`, 'targetRefs must name'],
    ['TLS by nobody', `${PEP}envoyGateway: {backendTlsPolicy: {enabled: true}}`, 'ca.name must name'],
    [
      'less time to end than it takes',
      `${PEP}lifecycle: {terminationGracePeriodSeconds: 25}`,
      'is 25, and preStop and config.drain may take 26',
    ],
  ])('%s', async (_what, values, said) => {
    expect(await refusal(values)).toContain(said);
  });
});

describe('the chart refuses too', () => {
  test.each([
    ['a mesh in which nobody may ask', `${PEP}istio: {inMesh: {enabled: true}}`, 'principals must name'],
    ['a mesh that could be passed by', `${PEP}istio: {inMesh: {enabled: true, principals: [a]}}`, 'must be 127.0.0.1'],
    ['listeners that nobody reaches', 'config: {http: {host: 127.0.0.1}, grpc: {host: "::1"}, peps: []}', 'no Service reaches them'],
    [
      'probes that cannot reach it',
      PEP.replace('{peps', '{operations: {host: localhost}, peps'),
      'the probes of Kubernetes cannot reach it',
    ],
  ])('%s', async (_what, values, said) => {
    expect(await refusal(values)).toContain(said);
  });

  const KEY = '0123456789abcdef0123456789abcdef';
  test.each([
    [
      'a password of Redis',
      `store: {kind: redis, url: "redis://user:${KEY}@r:6379"}`,
      'config.store has an address with a user or a password',
    ],
    [
      'the secret of nonces',
      `identity: {dpop: {nonce: {secret: "${KEY}"}}}`,
      "at '/config/identity/dpop/nonce': additional properties 'secret' not allowed",
    ],
    [
      'a secret that API keys are hashed with',
      `registry: {directory: r, hashKeys: [{id: a, secret: "${KEY}"}]}`,
      "additional properties 'secret' not allowed",
    ],
    ['the key of a canary', `policy: {candidate: {bundle: b, canary: {secret: "${KEY}"}}}`, "additional properties 'secret' not allowed"],
    ['the key that signs assertions', `assertion: {keys: [{id: a, pem: "${KEY}"}]}`, "additional properties 'pem' not allowed"],
  ])('a secret in the ConfigMap: %s', async (_what, config, said) => {
    const text = await refusal(`config: {${config}, peps: [{name: edge, tokenSha256: "${HASH}"}]}`);
    expect(text).toContain(said);
    expect(text).not.toContain(KEY);
  });
});

describe('it lets pass', () => {
  test.each([
    ['anybody, in so many words', 'config: {allowAnonymous: true, peps: [{name: a, anonymous: true}]}'],
    [
      'anybody on loopback, beside a gateway',
      'config: {http: {host: 127.0.0.1}, grpc: {host: "::1"}, peps: [{name: a, anonymous: true}]}\nsidecar: {enabled: true, containers: [{name: g}], ports: [{name: web, port: 80, targetPort: 80}]}',
    ],
    ['gateways that a Secret has', 'secretEnv: [{name: COUNTERSIGN_PEPS, secret: a, key: b}]'],
    ['what Helm hands to a subchart', `${PEP}global: {region: eu}`],
    ['exactly the time that it takes', `${PEP}lifecycle: {terminationGracePeriodSeconds: 26}`],
  ])('%s', async (_what, values) => {
    expect(await helm.tryRender({ values })).toMatchObject({ ok: true });
  });
});

describe('the notes', () => {
  const notes = async (values: string) => (await helm.render({ values })).notes;

  test('say how to get a first decision', async () => {
    const text = await notes(PEP);
    expect(text).toContain('curl -s http://127.0.0.1:8080/decide');
    expect(text).toContain('authorization: Bearer $TOKEN');
    expect(text).toContain('cs-countersign-grpc.default.svc.cluster.local:9191');
    expect((await helm.render({ scenario: 'minimal' })).notes).not.toContain('Bearer');
  });

  test.each([
    ['no PEP authentication', 'config: {allowAnonymous: true, peps: []}', PEP],
    ['counters are in memory, and there is more than one replica', PEP, `${PEP}replicas: 1`],
    ['counters are in memory', `${PEP}replicas: 1\nautoscaling: {enabled: true}`, `${PEP}redis: {mode: dev}`],
    ['no TLS on http and grpc', PEP, `${PEP}tls: {grpc: {secret: a}, http: {secret: a}}`],
    ['no TLS on http.', `${PEP}tls: {grpc: {secret: a}}`, PEP],
    ['Redis of redis.mode dev has no password', `${PEP}redis: {mode: dev}`, PEP],
    ['config.store names Redis', PEP.replace('{peps', '{store: {kind: redis, url: "redis://r:6379"}, peps'), `${PEP}redis: {mode: dev}`],
    ['no NetworkPolicy', `${PEP}networkPolicy: {enabled: false}`, PEP],
  ])('warn: %s', async (warning, where, whereNot) => {
    expect(await notes(where)).toContain(`WARNING: ${warning.startsWith('Redis') ? 'the ' : ''}${warning}`);
    expect(await notes(whereNot)).not.toContain(`WARNING: ${warning.startsWith('Redis') ? 'the ' : ''}${warning}`);
  });

  test('warn of nothing in production', async () => {
    expect((await helm.render({ scenario: 'production' })).notes).not.toContain('WARNING');
    expect(SCENARIOS).toContain('production');
  });
});

test('the checker of pod security finds each thing that `restricted` forbids', () => {
  const sound = {
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    automountServiceAccountToken: false,
    volumes: [{ name: 'a', emptyDir: {} }],
    containers: [
      {
        name: 'c',
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        resources: { limits: { memory: '1Gi' } },
      },
    ],
  };
  const [container] = sound.containers;
  const withContainer = (more: object) => ({ ...sound, containers: [{ ...container, ...more }] });
  const withContext = (more: object) => withContainer({ securityContext: { ...container?.securityContext, ...more } });
  expect(podProblems(sound)).toEqual([]);
  const wrong = [
    { ...sound, hostNetwork: true },
    { ...sound, automountServiceAccountToken: true },
    { ...sound, volumes: [{ name: 'a', hostPath: { path: '/' } }] },
    { ...sound, securityContext: { runAsNonRoot: true, runAsUser: 65532 } },
    { ...sound, securityContext: { ...sound.securityContext, runAsUser: 0 } },
    { ...sound, securityContext: { ...sound.securityContext, sysctls: [] } },
    { ...sound, containers: [], initContainers: [{ name: 'i' }] },
    withContext({ privileged: true }),
    withContext({ allowPrivilegeEscalation: true }),
    withContext({ readOnlyRootFilesystem: false }),
    withContext({ capabilities: { drop: ['NET_RAW'] } }),
    withContext({ capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } }),
    withContext({ runAsNonRoot: false }),
    withContainer({ ports: [{ containerPort: 1, hostPort: 1 }] }),
    withContainer({ resources: {} }),
  ];
  for (const pod of wrong) expect(podProblems(pod)).not.toEqual([]);
});

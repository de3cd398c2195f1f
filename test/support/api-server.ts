import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../src/contract/json.ts';
import { createAuthority } from './certificates.ts';
import { type Child, startChild, waitUntil } from './child.ts';
import { at, nameOf, objectsOf } from './helm.ts';
import { createKubeClient, type KubeClient } from './kube-client.ts';
import { freePorts } from './ports.ts';

/** A real API server of Kubernetes over a real etcd, both on loopback. Nothing else of a cluster runs: no controller, no kubelet. */
export interface ApiServer {
  readonly kube: KubeClient;
  /** A kubeconfig whose user may do anything. */
  readonly kubeconfig: string;
  /** A folder for whoever uses it, gone after `stop`. */
  readonly folder: string;
  /** A namespace in which every pod must fit the profile `restricted`, with the account that a controller would make. */
  createNamespace(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Of the environment, which `npm run verify:cluster` sets. */
export function clusterTool(variable: string): string {
  const value = process.env[variable] ?? '';
  if (value === '') throw new Error(`${variable} is not set: \`npm run verify:cluster\` gets what these tests need into .tools`);
  return value;
}

/** Starts both, and installs the custom resource definitions. */
export async function startApiServer(): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-cluster-'));
  const children: Child[] = [];
  async function stop(): Promise<void> {
    kube.close();
    for (const child of children.reverse()) await child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const [client = 0, peer = 0, port = 0] = await freePorts(3);
  const { kubeconfig, ca, token, args } = writeFiles(folder, port);
  const kube = createKubeClient({ port, ca, token });
  try {
    const etcd = startChild(clusterTool('ETCD_BIN'), etcdArgs(folder, client, peer));
    children.push(etcd);
    await waitUntil('etcd', etcd, async () => (await fetch(`http://127.0.0.1:${client}/health`)).ok);
    const server = startChild(clusterTool('KUBE_APISERVER_BIN'), [...args, `--etcd-servers=http://127.0.0.1:${client}`]);
    children.push(server);
    await waitUntil('kube-apiserver', server, async () => (await kube.ask('GET', '/readyz')).status === 200, 60_000);
    await addDefinitions(kube, clusterTool('CRDS_DIR'));
  } catch (error) {
    await stop();
    throw error;
  }

  async function createNamespace(name: string): Promise<void> {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' };
    await kube.must('POST', '/api/v1/namespaces', { body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } } });
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await kube.must('POST', `/api/v1/namespaces/${name}/serviceaccounts`, { body: account });
  }

  return { kube, kubeconfig, folder, createNamespace, stop };
}

function etcdArgs(folder: string, client: number, peer: number): string[] {
  const [clients, peers] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  return [
    ...['--data-dir', join(folder, 'etcd'), '--listen-client-urls', clients, '--advertise-client-urls', clients],
    ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers, '--initial-cluster', `default=${peers}`],
  ];
}

/** Every default of the API server but where it listens and what it is known by. */
function writeFiles(folder: string, port: number) {
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const authority = createAuthority('Cluster Test CA');
  const server = authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });
  const accounts = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const token = randomBytes(24).toString('hex');
  const accountsKey = file('accounts.key', accounts.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  const args = [
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${file('server.crt', server.pem)}`,
    `--tls-private-key-file=${file('server.key', server.keyPem)}`,
    `--cert-dir=${folder}`,
    `--token-auth-file=${file('tokens.csv', `${token},tester,tester,system:masters\n`)}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${accountsKey}`,
    `--service-account-signing-key-file=${accountsKey}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--endpoint-reconciler-type=none',
  ];
  const config: JsonObject = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'test',
        cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': Buffer.from(authority.pem).toString('base64') },
      },
    ],
    users: [{ name: 'tester', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'tester' } }],
    'current-context': 'test',
  };
  return { kubeconfig: file('kubeconfig', JSON.stringify(config)), ca: authority.pem, token, args };
}

/** Those of other projects, until the API server serves each. */
async function addDefinitions(kube: KubeClient, folder: string): Promise<void> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const definitions = files.flatMap((name) => objectsOf(readFileSync(join(folder, name), 'utf8')));
  for (const body of definitions) await kube.must('POST', path, { body });
  const end = Date.now() + 60_000;
  for (const definition of definitions) {
    while (!isEstablished((await kube.must('GET', `${path}/${nameOf(definition)}`)).body)) {
      if (Date.now() > end) throw new Error(`${nameOf(definition)} was not established in time`);
      await sleep(20);
    }
  }
}

function isEstablished(definition: JsonObject): boolean {
  const conditions = at(definition, 'status', 'conditions');
  const is = (one: unknown) => at(one, 'type') === 'Established' && at(one, 'status') === 'True';
  return Array.isArray(conditions) && conditions.some(is);
}

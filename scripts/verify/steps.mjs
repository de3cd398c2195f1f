// What `npm run verify` checks, in this order.
import { install } from '../install.mjs';
import { run } from '../run.mjs';
import { checkInnerNode } from '../runtime.mjs';
import { findCrds } from '../tools/crds.mjs';
import { findEnvoy } from '../tools/envoy.mjs';
import { findEtcd } from '../tools/etcd.mjs';
import { findGateway, GATEWAYS } from '../tools/gateways.mjs';
import { findHelm, HELMS } from '../tools/helm.mjs';
import { findKubeApiserver } from '../tools/kube-apiserver.mjs';
import { findKubernetesValidate } from '../tools/kubernetes-validate.mjs';
import { findOpa } from '../tools/opa.mjs';
import { findPromtool } from '../tools/promtool.mjs';
import { findRedis } from '../tools/redis.mjs';
import { findSchemathesis } from '../tools/schemathesis.mjs';
import { checkBuild } from './build.mjs';
import { opaTests, policyBundle } from './policies.mjs';
import { vitest } from './vitest.mjs';

/** @typedef {import('./runner.mjs').Step} Step */

/** The tools that were found, for the tests: OPA_BIN, ENVOY_BIN, REDIS_SERVER_BIN, NGINX_BIN, HAPROXY_BIN, CADDY_BIN, HELM_BIN, HELM4_BIN, KUBERNETES_VALIDATE, PROMTOOL_BIN. */
const tools = /** @type {Record<string, string>} */ ({});

/**
 * A step that is one program, whose output is shown.
 * @param {string} id
 * @param {string} title
 * @param {readonly string[]} needs
 * @param {() => readonly [string, ...string[]]} command
 * @returns {Step}
 */
const program = (id, title, needs, command) => ({
  id,
  title,
  needs,
  run: async () => {
    const [name, ...args] = command();
    const ran = await run(name, args, { show: true, env: tools });
    return ran.problem === null ? { ok: true } : { ok: false, note: ran.problem };
  },
});

/**
 * A step that finds a tool or gets it.
 * @param {string} id
 * @param {string} variable the environment variable that tells the tests
 * @param {() => Promise<{ path: string, version: string, from: string }>} find
 * @returns {Step}
 */
const tool = (id, variable, find) => ({
  id,
  title: `Tool: ${id}`,
  run: async () => {
    const found = await find();
    tools[variable] = found.path;
    return { ok: true, note: `${found.version} from ${found.from}` };
  },
});

/** Those that ask by forward auth. */
const gateways = Object.values(GATEWAYS).map((gateway) => tool(gateway.name, gateway.variable, () => findGateway(gateway)));

/** The chart is rendered by Helm 3; that Helm 4 makes the same of it is among the long tests, for the time that its build takes. */
const helm3 = tool('helm', HELMS.helm3.variable, () => findHelm(HELMS.helm3));
const chart = [
  helm3,
  tool('kubernetes-validate', 'KUBERNETES_VALIDATE', findKubernetesValidate),
  tool('promtool', 'PROMTOOL_BIN', findPromtool),
];
const helm4 = tool('helm4', HELMS.helm4.variable, () => findHelm(HELMS.helm4));

const opa = () => tools['OPA_BIN'] ?? 'opa';

/** @type {Step} */
const packages = {
  id: 'install',
  title: 'npm packages',
  run: async () => {
    await install();
    return { ok: true };
  },
};
/** @type {Step} */
const runtime = { id: 'runtime', title: 'Node.js', needs: ['install'], run: async () => ({ ok: true, note: await checkInnerNode() }) };
const needed = ['install', 'runtime'];

/** @type {readonly Step[]} */
export const VERIFY = [
  packages,
  runtime,
  tool('opa', 'OPA_BIN', findOpa),
  tool('envoy', 'ENVOY_BIN', findEnvoy),
  tool('redis', 'REDIS_SERVER_BIN', findRedis),
  ...gateways,
  ...chart,
  program('types', 'Types (tsc)', needed, () => ['tsc', '-p', 'tsconfig.json']),
  program('lint', 'Lint and format (biome)', needed, () => ['biome', 'check', '--error-on-warnings', '.']),
  program('generated', 'Generated files are current', needed, () => ['node', 'scripts/generate.ts', '--check']),
  program('fmt', 'Rego format (opa fmt)', ['opa'], () => [opa(), 'fmt', '--list', '--fail', 'policies']),
  program('check', 'Rego types (opa check, both schemas)', ['opa'], () => [
    opa(),
    'check',
    '--strict',
    '--schema',
    'policies/schemas',
    'policies',
  ]),
  { id: 'opa-test', title: 'Rego tests (opa test)', needs: ['opa'], run: () => opaTests(opa()) },
  program('policy-check', 'Our rules for rules (countersign policy check)', [...needed, 'opa'], () => [
    'node',
    'src/main.ts',
    'policy',
    'check',
    'policies',
    '--opa',
    opa(),
  ]),
  program('policy-test', 'Cases against the compiled policy (countersign policy test)', [...needed, 'opa'], () => [
    'node',
    'src/main.ts',
    'policy',
    'test',
    'policies',
    '--cases',
    'test/cases',
    '--coverage-min',
    '95',
    '--opa',
    opa(),
  ]),
  { id: 'bundle', title: 'Policy bundle (Wasm)', needs: [...needed, 'opa'], run: () => policyBundle(tools) },
  { id: 'vitest', title: 'Tests (vitest)', needs: needed, run: () => vitest(['run'], tools) },
  { id: 'build', title: 'Build, and a start of it', needs: [...needed, 'opa'], run: () => checkBuild(tools) },
];

/** @type {readonly Step[]} */
export const SOAK = [
  packages,
  runtime,
  tool('opa', 'OPA_BIN', findOpa),
  tool('envoy', 'ENVOY_BIN', findEnvoy),
  tool('redis', 'REDIS_SERVER_BIN', findRedis),
  ...gateways,
  ...chart,
  helm4,
  tool('schemathesis', 'SCHEMATHESIS_BIN', findSchemathesis),
  { id: 'soak', title: 'Soak tests (vitest)', needs: needed, run: () => vitest(['run', '--config', 'vitest.soak.config.ts'], tools) },
];

/** The chart in a real API server, by both Helms. @type {readonly Step[]} */
export const CLUSTER = [
  packages,
  runtime,
  helm3,
  helm4,
  tool('etcd', 'ETCD_BIN', findEtcd),
  tool('crds', 'CRDS_DIR', findCrds),
  tool('kube-apiserver', 'KUBE_APISERVER_BIN', findKubeApiserver),
  {
    id: 'cluster',
    title: 'Tests with a real API server (vitest)',
    needs: needed,
    run: () => vitest(['run', '--config', 'vitest.cluster.config.ts'], tools),
  },
];

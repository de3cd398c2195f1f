// The custom resource definitions of the projects that the chart and the recipes make objects for, for `npm run verify:cluster`: CRDS_DIR, else .tools/crds, from their Go modules.
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TOOLS } from '../project.mjs';
import { must, run, Stop } from '../run.mjs';
import { place, withScratch } from './place.mjs';

const OWN = join(TOOLS, 'crds');
/** Says which modules the files are of. */
const MADE_OF = 'modules.json';
const ENVOY_GATEWAY = 'charts/gateway-helm/charts/crds/crds/generated';

/** Files by module. The Gateway API is the one that this Envoy Gateway is built with. */
export const CRD_MODULES = {
  'github.com/cert-manager/cert-manager@v1.21.2': ['deploy/crds/cert-manager.io_certificates.yaml'],
  'github.com/envoyproxy/gateway@v1.9.1': [
    `${ENVOY_GATEWAY}/gateway.envoyproxy.io_clienttrafficpolicies.yaml`,
    `${ENVOY_GATEWAY}/gateway.envoyproxy.io_envoyproxies.yaml`,
    `${ENVOY_GATEWAY}/gateway.envoyproxy.io_securitypolicies.yaml`,
  ],
  'github.com/prometheus-operator/prometheus-operator@v0.85.0': [
    'example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml',
    'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml',
  ],
  'istio.io/api@v1.32.0': ['kubernetes/customresourcedefinitions.gen.yaml'],
  'sigs.k8s.io/gateway-api@v1.6.1': [
    'config/crd/standard/gateway.networking.k8s.io_backendtlspolicies.yaml',
    'config/crd/standard/gateway.networking.k8s.io_gatewayclasses.yaml',
    'config/crd/standard/gateway.networking.k8s.io_gateways.yaml',
    'config/crd/standard/gateway.networking.k8s.io_referencegrants.yaml',
  ],
};

/**
 * Finds them or gets them.
 * @returns {Promise<{ path: string, version: string, from: string }>} the path is a folder of YAML files
 */
export async function findCrds() {
  const named = process.env['CRDS_DIR'];
  if (named !== undefined && named !== '') {
    const files = await readdir(named).catch(() => /** @type {string[]} */ ([]));
    const found = files.filter((name) => name.endsWith('.yaml')).length;
    if (found === 0) throw new Stop(`CRDS_DIR names ${named}, in which there is no YAML file.`);
    return { path: named, version: `${found} files`, from: 'CRDS_DIR' };
  }
  const wanted = JSON.stringify(CRD_MODULES);
  if ((await readFile(join(OWN, MADE_OF), 'utf8').catch(() => '')) !== wanted) await download(wanted);
  return { path: OWN, version: `${Object.keys(CRD_MODULES).length} modules`, from: '.tools' };
}

/**
 * The Go checksum database vouches for the modules; nothing of them is built.
 * @param {string} wanted
 */
async function download(wanted) {
  if (!(await run('go', ['version'])).ok)
    throw new Stop('verify:cluster needs custom resource definitions: name a folder with CRDS_DIR, or install Go, which downloads them.');
  console.log("Getting custom resource definitions from their projects' Go modules (once).");
  await withScratch(async (scratch) => {
    const made = join(scratch, 'crds');
    await mkdir(made);
    for (const [module, files] of Object.entries(CRD_MODULES)) {
      const got = await must('go', ['mod', 'download', '-json', module], { cwd: scratch, env: { GOFLAGS: '' } });
      for (const file of files) await copyFile(join(JSON.parse(got.stdout).Dir, file), join(made, basename(file)));
    }
    await writeFile(join(made, MADE_OF), wanted);
    await place(made, OWN, scratch);
  });
}

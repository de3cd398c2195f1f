// A real API server of Kubernetes for `npm run verify:cluster`: KUBE_APISERVER_BIN, else .tools/kube-apiserver, built by Go.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TOOLS } from '../project.mjs';
import { must, run, Stop } from '../run.mjs';
import { place, withScratch } from './place.mjs';

export const KUBERNETES_VERSION = '1.34.4';
const MODULE = 'k8s.io/kubernetes';
const OWN = join(TOOLS, 'kube-apiserver', 'kube-apiserver');
const BUILD_TIMEOUT_MS = 5_400_000;

/**
 * @param {string} binary
 * @returns {Promise<string | null>} its version, or null where it does not run
 */
async function versionOf(binary) {
  const asked = await run(binary, ['--version'], { timeoutMs: 30_000 });
  return asked.ok ? (/^Kubernetes v(\d+\.\d+\.\d+)/.exec(asked.stdout)?.[1] ?? null) : null;
}

/**
 * Finds the API server or builds it.
 * @returns {Promise<{ path: string, version: string, from: string }>}
 */
export async function findKubeApiserver() {
  const named = process.env['KUBE_APISERVER_BIN'];
  if (named !== undefined && named !== '') {
    const version = await versionOf(named);
    if (version === null) throw new Stop(`KUBE_APISERVER_BIN names ${named}, which does not run as kube-apiserver.`);
    return { path: named, version, from: 'KUBE_APISERVER_BIN' };
  }
  if ((await versionOf(OWN)) !== KUBERNETES_VERSION) await makeWithGo();
  const version = await versionOf(OWN);
  if (version !== KUBERNETES_VERSION) throw new Stop(`The kube-apiserver that was built does not run here as ${KUBERNETES_VERSION}.`);
  return { path: OWN, version, from: '.tools' };
}

/**
 * `go install` refuses a module that replaces others, as Kubernetes does with its staging modules; they are published under numbers of
 * their own. The Go checksum database vouches for each.
 */
async function makeWithGo() {
  if (!(await run('go', ['version'])).ok) {
    throw new Stop(
      `verify:cluster needs kube-apiserver ${KUBERNETES_VERSION}: name one with KUBE_APISERVER_BIN, or install Go, which builds it.`,
    );
  }
  console.log(`Building kube-apiserver ${KUBERNETES_VERSION} with Go (once, about 15 minutes on two cores).`);
  await withScratch(async (scratch) => {
    const options = { cwd: scratch, env: { CGO_ENABLED: '0', GOFLAGS: '' }, timeoutMs: BUILD_TIMEOUT_MS };
    const got = await must('go', ['mod', 'download', '-json', `${MODULE}@v${KUBERNETES_VERSION}`], options);
    const read = await must('go', ['mod', 'edit', '-json', JSON.parse(got.stdout).GoMod], options);
    await writeFile(join(scratch, 'go.mod'), goMod(JSON.parse(read.stdout)));
    const made = join(scratch, 'kube-apiserver');
    const args = ['-mod=mod', '-trimpath', `-ldflags=-s -w ${versionFlags()}`, '-o', made, `${MODULE}/cmd/kube-apiserver`];
    await must('go', ['build', ...args], options);
    await place(made, OWN, scratch);
  });
}

/**
 * @param {{ Go: string, Replace: { Old: { Path: string }, New: { Path: string } }[] }} kubernetes its own go.mod
 * @returns {string} ours
 */
export function goMod({ Go, Replace }) {
  const staging = Replace.filter(({ New }) => New.Path.startsWith('./staging/')).map(({ Old }) => Old.Path);
  const version = KUBERNETES_VERSION.replace(/^1/, '0');
  const replaced = staging.map((path) => `replace ${path} => ${path} v${version}\n`).join('');
  return `module countersign.invalid/cluster\n\ngo ${Go}\n\nrequire ${MODULE} v${KUBERNETES_VERSION}\n\n${replaced}`;
}

/** What `--version` and /version say; a build without them calls itself v0.0.0, which the chart's `kubeVersion` refuses. */
function versionFlags() {
  const [major, minor] = KUBERNETES_VERSION.split('.');
  const says = { gitVersion: `v${KUBERNETES_VERSION}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  return packages.flatMap((name) => Object.entries(says).map(([key, value]) => `-X ${name}.${key}=${value}`)).join(' ');
}

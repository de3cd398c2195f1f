// Helm 3 and 4, which render the chart for the tests: HELM_BIN and HELM4_BIN, else .tools/helm, built by Go.
import { join } from 'node:path';
import { TOOLS } from '../project.mjs';
import { must, run, Stop } from '../run.mjs';
import { place, withScratch } from './place.mjs';

/** @typedef {{ name: string, variable: string, version: string, module: string }} Helm */
/** @type {Readonly<Record<'helm3' | 'helm4', Helm>>} */
export const HELMS = {
  helm3: { name: 'helm', variable: 'HELM_BIN', version: '3.22.0', module: 'helm.sh/helm/v3/cmd/helm' },
  helm4: { name: 'helm4', variable: 'HELM4_BIN', version: '4.3.1', module: 'helm.sh/helm/v4/cmd/helm' },
};

/** Where one that we built lies. @param {Helm} helm */
const ownOf = ({ version }) => join(TOOLS, 'helm', /** @type {string} */ (version.split('.')[0]), 'helm');

/**
 * @param {string} binary
 * @returns {Promise<string | null>} its version (of a build by `go install` the first two numbers), or null where it does not run
 */
async function versionOf(binary) {
  const asked = await run(binary, ['version', '--short'], { timeoutMs: 20_000 });
  return /^v(\d+\.\d+(\.\d+)?)/.exec(asked.stdout)?.[1] ?? null;
}

/** @param {Helm} helm @param {string | null} version */
const fits = (helm, version) => version !== null && version.split('.')[0] === helm.version.split('.')[0];

/**
 * Finds a Helm or gets it.
 * @param {Helm} helm
 * @returns {Promise<{ path: string, version: string, from: string }>}
 */
export async function findHelm(helm) {
  const named = process.env[helm.variable];
  if (named !== undefined && named !== '') {
    const version = await versionOf(named);
    if (version === null || !fits(helm, version))
      throw new Stop(`${helm.variable} names ${named}, which does not run as Helm ${helm.version}.`);
    return { path: named, version, from: helm.variable };
  }
  const own = ownOf(helm);
  let version = await versionOf(own);
  if (!fits(helm, version)) {
    await makeWithGo(helm, own);
    version = await versionOf(own);
  }
  if (version === null) throw new Stop(`The Helm ${helm.version} that was built does not run here.`);
  return { path: own, version, from: '.tools' };
}

/**
 * The Go checksum database vouches for the source. Unstripped it would take twice the room.
 * @param {Helm} helm
 * @param {string} target
 */
async function makeWithGo({ version, module, variable }, target) {
  if (!(await run('go', ['version'])).ok)
    throw new Stop(`The tests of the chart need Helm ${version}: name one with ${variable}, or install Go, which builds it.`);
  console.log(`Building Helm ${version} with Go (once, about a minute and a half on two cores).`);
  await withScratch(async (scratch) => {
    const env = { GOBIN: scratch, CGO_ENABLED: '0', GOFLAGS: '' };
    await must('go', ['install', '-ldflags=-s -w', `${module}@v${version}`], { cwd: scratch, env, timeoutMs: 1_500_000 });
    await place(join(scratch, 'helm'), target, scratch);
  });
}

// OPA compiles and tests the policies: OPA_BIN, else `opa` on PATH, else .tools/bin/opa, made by Go or taken from the official release.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { TOOLS } from '../project.mjs';
import { must, run, Stop } from '../run.mjs';
import { place, withScratch } from './place.mjs';

export const OPA_VERSION = '1.22.2';
const OWN = join(TOOLS, 'bin', 'opa');
/** Where the release's files lie; OPA_RELEASE_URL names a mirror of it. */
const RELEASE = process.env['OPA_RELEASE_URL'] ?? `https://github.com/open-policy-agent/opa/releases/download/v${OPA_VERSION}`;

/** Names of the release's files. The static ones need no C library. */
const ASSETS = /** @type {Record<string, string>} */ ({
  'linux-x64': 'opa_linux_amd64_static',
  'linux-arm64': 'opa_linux_arm64_static',
  'darwin-x64': 'opa_darwin_amd64',
  'darwin-arm64': 'opa_darwin_arm64_static',
});

/** @param {string} version any patch of the minor version that the policies are formatted and tested with */
export const fits = (version) => version.startsWith(`${OPA_VERSION.split('.').slice(0, 2).join('.')}.`);

/**
 * @param {string} binary
 * @returns {Promise<string | null>} its version, or null where it does not run
 */
async function versionOf(binary) {
  const asked = await run(binary, ['version'], { timeoutMs: 20_000 });
  return /^Version: (\S+)/m.exec(asked.stdout)?.[1] ?? null;
}

/** By its whole path: a configuration takes a name alone for a file in its own folder. */
function onPath() {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, 'opa')).find((path) => existsSync(path));
}

/**
 * Finds OPA or gets it.
 * @returns {Promise<{ path: string, version: string, from: string }>}
 */
export async function findOpa() {
  const named = process.env['OPA_BIN'];
  if (named !== undefined && named !== '') {
    const version = await versionOf(named);
    if (version === null) throw new Stop(`OPA_BIN names ${named}, which does not run as OPA.`);
    if (!fits(version)) console.warn(`OPA_BIN is OPA ${version}; the policies are kept with ${OPA_VERSION}.`);
    return { path: named, version, from: 'OPA_BIN' };
  }
  for (const [path, from] of [
    [onPath(), 'PATH'],
    [OWN, '.tools'],
  ]) {
    if (path === undefined || from === undefined) continue;
    const version = await versionOf(path);
    if (version !== null && fits(version)) return { path, version, from };
  }
  const hasGo = (await run('go', ['version'])).ok;
  const from = hasGo && process.env['OPA_SHA256'] === undefined ? await makeWithGo() : await download();
  const version = await versionOf(OWN);
  if (version === null || !fits(version)) throw new Stop(`The OPA that was installed does not answer as ${OPA_VERSION}.`);
  return { path: OWN, version, from };
}

/** The Go checksum database vouches for the source. */
async function makeWithGo() {
  console.log(`Building OPA ${OPA_VERSION} with Go (once, a few minutes).`);
  await withScratch(async (scratch) => {
    const env = { GOBIN: scratch, CGO_ENABLED: '0', GOFLAGS: '' };
    await must('go', ['install', `github.com/open-policy-agent/opa@v${OPA_VERSION}`], { cwd: scratch, env, timeoutMs: 1_200_000 });
    await place(join(scratch, 'opa'), OWN, scratch);
  });
  return 'go install';
}

/**
 * The release. Its checksum has to come from somebody who has seen it: one that is fetched from beside the file proves nothing about
 * the file, so without OPA_SHA256 nothing is downloaded.
 */
async function download() {
  const asset = ASSETS[`${process.platform}-${process.arch}`];
  const url = `${RELEASE}/${asset}`;
  const wanted = process.env['OPA_SHA256']?.toLowerCase();
  if (asset === undefined || wanted === undefined || !/^[0-9a-f]{64}$/.test(wanted)) {
    throw new Stop(
      `OPA ${OPA_VERSION} is needed and neither opa (${OPA_VERSION.replace(/\.\d+$/, '.x')}) nor Go was found. One of these helps:\n` +
        `  - install OPA ${OPA_VERSION}, or name one with OPA_BIN;\n` +
        '  - install Go: OPA is then built from its source;\n' +
        (asset === undefined
          ? `  - (there is no release file for ${process.platform}-${process.arch})`
          : `  - set OPA_SHA256 to the checksum that the release publishes for ${asset};\n    ${url}\n    is then downloaded and compared with it.`),
    );
  }
  console.log(`Downloading ${url}`);
  const answer = await fetch(url, { signal: AbortSignal.timeout(300_000) }).catch((error) => {
    throw new Stop(`${url} could not be fetched: ${error.cause?.message ?? error.message}`);
  });
  if (!answer.ok) throw new Stop(`${url} answered ${answer.status}.`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== wanted) throw new Stop(`${url} has the SHA-256 ${found}, not OPA_SHA256; it was not kept.`);
  await withScratch(async (scratch) => {
    const made = join(scratch, 'opa');
    await writeFile(made, bytes);
    await chmod(made, 0o755);
    await place(made, OWN, scratch);
  });
  return 'release';
}

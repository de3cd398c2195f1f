// Puts together what the image holds in /app: node scripts/image.mjs --out DIR. The Dockerfile runs it; so does a test, without Docker.
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkContents } from './image/contents.mjs';
import { licenceReport } from './image/licences.mjs';
import { copyPackages, runtimePackages } from './image/packages.mjs';
import { ROOT } from './project.mjs';
import { must, Stop } from './run.mjs';

const { values } = parseArgs({ options: { out: { type: 'string' }, opa: { type: 'string', default: process.env['OPA_BIN'] ?? 'opa' } } });

/** What the image runs beside the packages, and no scanner finds in it by a package manager: the Node.js that runs this, which the Dockerfile copies. */
const NODE = {
  'bom-ref': `node@${process.versions.node}`,
  type: 'platform',
  name: 'node',
  version: process.versions.node,
  purl: `pkg:generic/node@${process.versions.node}`,
  cpe: `cpe:2.3:a:nodejs:node.js:${process.versions.node}:*:*:*:*:*:*:*`,
  licenses: [{ license: { id: 'MIT' } }],
};

/**
 * The bill of materials of what lies there; npm names the whole after its folder.
 * @param {string} out
 * @param {string} name
 */
async function sbomText(out, name) {
  const { stdout } = await must('npm', ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'], { cwd: out });
  const made = JSON.parse(stdout);
  const component = { ...made.metadata.component, name };
  return `${JSON.stringify({ ...made, metadata: { ...made.metadata, component }, components: [...made.components, NODE] }, null, 2)}\n`;
}

/** @param {string} out */
async function assemble(out) {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await must('tsc', ['-p', 'tsconfig.build.json', '--outDir', join(out, 'dist'), '--sourceMap', 'false', '--declaration', 'false']);
  await must('node', ['scripts/policy-build.ts', '--opa', values.opa, '--out', join(out, 'policies.tar.gz')]);
  const { name, version, license, type, engines, dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  await writeFile(join(out, 'package.json'), `${JSON.stringify({ name, version, license, type, engines, dependencies }, null, 2)}\n`);
  for (const file of ['LICENSE', 'NOTICE']) await cp(join(ROOT, file), join(out, file));
  const packages = await runtimePackages(ROOT);
  await copyPackages(ROOT, out, packages);
  await writeFile(join(out, 'THIRD-PARTY-LICENSES.md'), await licenceReport(ROOT, packages));
  await writeFile(join(out, 'sbom.cdx.json'), await sbomText(out, name));
  const { files, bytes } = await checkContents(out, packages);
  console.log(`${out}: ${packages.length} packages, ${files} files, ${(bytes / 1e6).toFixed(1)} MB`);
}

try {
  if (values.out === undefined) throw new Stop('Say where by --out DIR.');
  await assemble(resolve(values.out));
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

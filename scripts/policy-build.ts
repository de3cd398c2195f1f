// Compiles a directory of policies to a bundle: node scripts/policy-build.ts [--policies DIR] [--out FILE] [--entrypoint PATH] [--digests | --schema]
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { BUNDLE_LIMITS, unpack } from '../src/decide/bundle.ts';
import { buildBundle } from '../src/decide/bundle-build.ts';
import { inputSchemaText } from '../src/decide/input-schema-json.ts';
import { scanRego } from '../src/decide/rego-scan.ts';

const { values } = parseArgs({
  options: {
    policies: { type: 'string', default: 'policies' },
    out: { type: 'string', default: 'dist/policies.tar.gz' },
    entrypoint: { type: 'string', default: 'countersign/decision/result' },
    opa: { type: 'string', default: process.env['OPA_BIN'] ?? 'opa' },
    digests: { type: 'boolean', default: false },
    schema: { type: 'boolean', default: false },
  },
});

if (values.schema) {
  const file = `${values.policies}/schemas/input.json`;
  await writeFile(file, inputSchemaText());
  console.log(`wrote ${file}`);
} else {
  const bundle = await buildBundle({ opaBin: values.opa, directory: values.policies, entrypoint: values.entrypoint });
  const files = await unpack(bundle, BUNDLE_LIMITS);
  if (values.digests) {
    for (const [path, bytes] of files) {
      const scanned = path.endsWith('.rego') ? scanRego(bytes.toString('utf8')) : null;
      const name = scanned?.package?.join('.') ?? '';
      if (scanned !== null && !scanned.empty && /^countersign\.(decision|lib)(\.|$)/.test(name))
        console.log(`  '${name}': '${scanned.digest}',`);
    }
  } else {
    await mkdir(dirname(values.out), { recursive: true });
    await writeFile(values.out, bundle);
    const manifest: unknown = JSON.parse(files.get('.manifest')?.toString('utf8') ?? 'null');
    const revision = typeof manifest === 'object' && manifest !== null && 'revision' in manifest ? manifest.revision : '';
    console.log(`wrote ${values.out}: revision ${revision}, ${(await readFile(values.out)).byteLength} bytes`);
  }
}

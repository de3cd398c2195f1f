import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';

const root = import.meta.dirname;

/** Tests that start whole processes (Envoy, the service, npm scripts): one file at a time, after all others, so that nothing disturbs them. */
const LIVE = ['test/gateway/**/*.test.ts', 'test/quickstart.test.ts'];

/** Where the published vectors are away, `test/vectors.test.ts` alone stands for all that read them. */
const vectors = process.env['VECTORS_DIR'] ?? join(root, '../shared/vectors');
const WITHOUT_VECTORS = existsSync(join(vectors, 'index.json')) ? [] : ['test/conformance/**'];

/** What `npm run verify` passes on; for a run of vitest alone the tools that an earlier one left. */
const OPA_OF_VERIFY = join(root, '.tools/bin/opa');
const env = process.env['OPA_BIN'] === undefined && existsSync(OPA_OF_VERIFY) ? { OPA_BIN: OPA_OF_VERIFY } : {};

const shared = { env, testTimeout: 20_000, hookTimeout: 60_000 };
const exclude = [...configDefaults.exclude, ...WITHOUT_VECTORS, 'test/soak/**'];

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'unit', include: ['test/**/*.test.ts'], exclude: [...exclude, ...LIVE], sequence: { groupOrder: 0 } } },
      {
        test: {
          ...shared,
          name: 'live',
          include: LIVE,
          exclude,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';
import { LONG } from './vitest.long.ts';
import { toolsEnv } from './vitest.tools.ts';

const root = import.meta.dirname;

/** Tests that start whole processes (Envoy, the service, npm scripts): one file at a time, after all others, so that nothing disturbs them. */
const LIVE = ['test/gateway/**/*.test.ts', 'test/image.test.ts', 'test/quickstart.test.ts'];

/** Where the published vectors are away, `test/vectors.test.ts` alone stands for all that read them. */
const vectors = process.env['VECTORS_DIR'] ?? join(root, '../shared/vectors');
const WITHOUT_VECTORS = existsSync(join(vectors, 'index.json')) ? [] : ['test/conformance/**'];

const shared = { env: toolsEnv, testTimeout: 60_000, hookTimeout: 60_000 };
const exclude = [...configDefaults.exclude, ...WITHOUT_VECTORS, ...LONG, 'test/soak/**', 'test/cluster/**'];

export default defineConfig({
  test: {
    // vitest leaves a core idle, and on two that doubles the time; more than four add memory and no speed
    maxWorkers: Math.min(4, availableParallelism()),
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

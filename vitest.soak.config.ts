import { defineConfig } from 'vitest/config';
import { LONG } from './vitest.long.ts';
import { toolsEnv } from './vitest.tools.ts';

/** Long runs (memory, reloads, connections): `npm run verify:soak`. */
export default defineConfig({
  test: {
    env: toolsEnv,
    include: ['test/soak/**/*.test.ts', ...LONG],
    testTimeout: 1_200_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});

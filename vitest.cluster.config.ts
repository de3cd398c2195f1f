import { defineConfig } from 'vitest/config';
import { toolsEnv } from './vitest.tools.ts';

/** The chart in a real API server of Kubernetes: `npm run verify:cluster`. */
export default defineConfig({
  test: {
    env: toolsEnv,
    include: ['test/cluster/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});

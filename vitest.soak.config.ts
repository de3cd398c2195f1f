import { defineConfig } from 'vitest/config';

/** Long runs (memory, reloads, connections): `npm run verify:soak`. */
export default defineConfig({
  test: { include: ['test/soak/**/*.test.ts'], testTimeout: 1_200_000, hookTimeout: 120_000, fileParallelism: false },
});

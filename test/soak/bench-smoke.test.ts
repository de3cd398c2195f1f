import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from '../support/child.ts';
import { PROJECT_ROOT } from '../support/countersign.ts';

/** The benchmark runs, and everything that it compares gives the answers that it should; no figure is looked at here. */
it('npm run bench -- --short measures every case with right answers only', { timeout: 120_000 }, async () => {
  const child = startChild(process.execPath, [join(PROJECT_ROOT, 'bench/run.ts'), '--short'], { cwd: PROJECT_ROOT });
  const exit = await child.exited;
  expect(exit.code, child.stderr()).toBe(0);
  expect(child.stdout()).toMatch(/^evidence, token RS256, seen before: [\d.]+ us/m);
  expect(child.stdout()).toMatch(/^evidence, DPoP proof RS256: [\d.]+ us, [\d.]+x its bare verification/m);
  expect(child.stdout()).toMatch(/^hostile, JSON scan: [\d.]+x for 64 KiB/m);
  for (const label of ['W1 grpc 16', 'W1 /decide 16', 'full grpc 16', 'full /decide 16', 'OPA REST 16']) {
    expect(child.stdout()).toMatch(new RegExp(`^${label}: [\\d,]+ req/s, p50 [\\d.]+ ms, p99 [\\d.]+ ms, [\\d.]+x OPA REST`, 'm'));
  }
});

// A run of vitest whose tests are counted.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../run.mjs';
import { vitestTotals } from '../totals.mjs';

/**
 * @param {readonly string[]} args
 * @param {Record<string, string>} env
 * @returns {Promise<import('./runner.mjs').Outcome>}
 */
export async function vitest(args, env) {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-verify-'));
  const file = join(folder, 'vitest.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const ran = await run('vitest', [...args, ...reporters], { show: true, env, timeoutMs: 1_800_000 });
    const totals = vitestTotals(await reportIn(file), ran.ok);
    return { ok: totals.failed === 0, totals, ...(ran.problem === null ? {} : { note: ran.problem }) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} file
 * @returns {Promise<unknown>} null where vitest died before it wrote its report: that counts as a failure
 */
async function reportIn(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return null;
  }
}

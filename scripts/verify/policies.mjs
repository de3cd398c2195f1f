// The Rego tests, and the bundle that is built from the same sources.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../run.mjs';
import { opaTestTotals } from '../totals.mjs';

/**
 * @param {string} opa
 * @returns {Promise<import('./runner.mjs').Outcome>}
 */
export async function opaTests(opa) {
  const ran = await run(opa, ['test', '--format', 'json', '--bundle', 'policies']);
  const { failures, ...totals } = opaTestTotals(parsed(ran.stdout), ran.ok);
  for (const failure of failures) console.error(`failed: ${failure}`);
  if (ran.stderr.trim() !== '') console.error(ran.stderr.trim());
  return { ok: totals.failed === 0, totals, ...(ran.problem === null ? {} : { note: ran.problem }) };
}

/**
 * @param {string} text
 * @returns {unknown} null where opa ended before it wrote a report: that counts as a failure
 */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Our own build of the bundle, and OPA's plain one, which has to go on working.
 * @param {Record<string, string>} env
 * @returns {Promise<import('./runner.mjs').Outcome>}
 */
export async function policyBundle(env) {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-bundle-'));
  try {
    const ours = join(folder, 'policy.tar.gz');
    const built = await run('node', ['scripts/policy-build.ts', '--out', ours], { env, show: true });
    if (built.problem !== null) return { ok: false, note: built.problem };
    const plain = join(folder, 'plain.tar.gz');
    const args = ['build', '-b', '-t', 'wasm', '--ignore', '*_test.rego', '-o', plain, 'policies'];
    const alone = await run(env['OPA_BIN'] ?? 'opa', args, { env, show: true });
    if (alone.problem !== null) return { ok: false, note: alone.problem };
    const [a, b] = [await stat(ours), await stat(plain)];
    return { ok: a.size > 0 && b.size > 0, note: `${a.size} bytes, by plain opa build ${b.size}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

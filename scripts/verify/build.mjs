// The build that `npm start` runs: it compiles, it starts, it answers, it ends when it is told to.
import { run, Stop } from '../run.mjs';
import { answers, ended, freePort, startNode } from '../service.mjs';
import { checkPackage } from './package.mjs';

/**
 * @param {Record<string, string>} tools
 * @returns {Promise<import('./runner.mjs').Outcome>}
 */
export async function checkBuild(tools) {
  const built = await run('tsc', ['-p', 'tsconfig.build.json'], { show: true });
  if (built.problem !== null) return { ok: false, note: built.problem };
  const exported = await checkPackage();
  const port = String(await freePort());
  const child = startNode(['dist/main.js'], {
    ...tools,
    COUNTERSIGN_HTTP_PORT: String(await freePort()),
    COUNTERSIGN_GRPC_PORT: String(await freePort()),
    COUNTERSIGN_OPERATIONS_PORT: port,
    COUNTERSIGN_POLICY_OPA_BIN: tools['OPA_BIN'] ?? 'opa',
  });
  const end = ended(child);
  try {
    for (const probe of ['livez', 'readyz']) await answers(`http://127.0.0.1:${port}/${probe}`, child, 30_000);
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const { code, signal } = await end;
    clearTimeout(late);
    if (code !== 0) throw new Stop(`After SIGTERM the build ended with ${signal ?? code} instead of 0.`);
    return { ok: true, note: `${exported} exports load, /livez and /readyz answered, SIGTERM ended it` };
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

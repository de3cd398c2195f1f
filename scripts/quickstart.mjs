// `npm run quickstart`: from a bare clone to a service that answers. `--no-install` leaves the npm packages as they are.
import { install } from './install.mjs';
import { commandFor, QUESTIONS } from './quickstart/commands.mjs';
import { writeMaterial } from './quickstart/material.mjs';
import { compilePolicies } from './quickstart/policy.mjs';
import { Stop } from './run.mjs';
import { checkInnerNode, checkOuterNode } from './runtime.mjs';
import { answers, ended, isFree, startNode } from './service.mjs';
import { findOpa } from './tools/opa.mjs';

/** The service reads the same variables, over config/quickstart.yaml. */
const PORTS = /** @type {const} */ ([
  ['COUNTERSIGN_HTTP_PORT', 8080],
  ['COUNTERSIGN_GRPC_PORT', 9191],
  ['COUNTERSIGN_OPERATIONS_PORT', 9090],
]);

/** A second Ctrl-C after this time cuts the drain short. */
const IMPATIENT_MS = 1000;

/** @returns {Promise<number[]>} the ports of the three listeners, which nobody else has */
async function ports() {
  return Promise.all(
    PORTS.map(async ([variable, usual]) => {
      const port = Number(process.env[variable] ?? usual);
      if (!(await isFree(port))) throw new Stop(`Port ${port} on 127.0.0.1 is in use. Set ${variable} to another one.`);
      return port;
    }),
  );
}

/** @param {string} origin */
function showCommands(origin) {
  for (const question of QUESTIONS) console.log(`\n# ${question.decision}: ${question.why}\n${commandFor(question, origin)}`);
  console.log('\nBelow is the log, one line a decision. Ctrl-C stops the service.\n');
}

/** @returns {Promise<number>} the code to end with */
async function main() {
  const startedAt = Date.now();
  checkOuterNode();
  if (!process.argv.includes('--no-install')) await install();
  await checkInnerNode();
  const opa = await findOpa();
  console.log(`OPA ${opa.version} (${opa.from}) compiles the policies.`);
  await writeMaterial();
  await compilePolicies(opa);
  const [http, , operations] = await ports();
  const child = startNode(['src/main.ts', '--config', 'config/quickstart.yaml'], {});
  const end = ended(child);
  /** When we were told to end, or null. Ctrl-C comes twice: from the terminal, and once more handed on by npm. */
  let toldAt = /** @type {number | null} */ (null);
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      if (toldAt === null) child.kill('SIGTERM');
      else if (Date.now() - toldAt > IMPATIENT_MS) child.kill('SIGKILL');
      toldAt ??= Date.now();
    });
  }
  try {
    await answers(`http://127.0.0.1:${operations}/readyz`, child, 30_000);
    console.log(`Countersign is ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s on http://127.0.0.1:${http}.`);
    showCommands(`http://127.0.0.1:${http}`);
  } catch (error) {
    child.kill('SIGTERM');
    await end;
    if (toldAt === null) throw error;
  }
  const { code, signal } = await end;
  return code ?? (signal === null ? 1 : 128);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

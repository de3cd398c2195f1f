// `npm run verify`: installs what the tests need and runs all checks but the long tests. With --soak: the long tests alone; with --cluster:
// those with a real API server of Kubernetes alone.
import { Stop } from './run.mjs';
import { checkOuterNode } from './runtime.mjs';
import { runSteps } from './verify/runner.mjs';
import { CLUSTER, SOAK, VERIFY } from './verify/steps.mjs';

try {
  checkOuterNode();
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(error.message);
  process.exit(1);
}
const steps = process.argv.includes('--soak') ? SOAK : process.argv.includes('--cluster') ? CLUSTER : VERIFY;
process.exitCode = (await runSteps(steps)) ? 0 : 1;

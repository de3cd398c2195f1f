// `npm run verify`: installs what the tests need and runs all checks but the long tests. With --soak: the long tests alone.
import { Stop } from './run.mjs';
import { checkOuterNode } from './runtime.mjs';
import { runSteps } from './verify/runner.mjs';
import { SOAK, VERIFY } from './verify/steps.mjs';

try {
  checkOuterNode();
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(error.message);
  process.exit(1);
}
process.exitCode = (await runSteps(process.argv.includes('--soak') ? SOAK : VERIFY)) ? 0 : 1;

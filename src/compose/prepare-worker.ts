import { parentPort } from 'node:worker_threads';
import { servePreparing } from '../decide/prepare/prepare-messages.ts';
import { createPrepareHere, type RunBundleCases } from '../decide/prepare/prepare-revision.ts';
import { systemClock } from '../system-clock.ts';
import { giveWay } from './give-way.ts';

/* The thread that prepares policies: a root of its own. What asks the cases is read when a bundle has some. */

const runCases: RunBundleCases = async (files, policy) => {
  const { runBundleCases } = await import('./bundle-cases.ts');
  return runBundleCases(files, policy);
};

/** Of this thread: what it waits for a core is no fault of a bundle. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

if (parentPort !== null) {
  giveWay();
  servePreparing(parentPort, createPrepareHere(systemClock, runCases, cpuMs));
}

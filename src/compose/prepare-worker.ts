import { parentPort } from 'node:worker_threads';
import { servePreparing } from '../decide/prepare/prepare-messages.ts';
import { createPrepareHere } from '../decide/prepare/prepare-revision.ts';
import { systemClock } from '../system-clock.ts';

/* The thread that prepares policies: a root of its own. What asks the cases is read when a bundle has some. */

const prepare = createPrepareHere(systemClock, async (files, policy) => {
  const { runBundleCases } = await import('./bundle-cases.ts');
  return runBundleCases(files, policy);
});

if (parentPort !== null) servePreparing(parentPort, prepare);

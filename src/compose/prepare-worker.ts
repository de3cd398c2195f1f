import { parentPort } from 'node:worker_threads';
import { servePreparing } from '../decide/prepare/prepare-messages.ts';
import { createPrepareHere } from '../decide/prepare/prepare-revision.ts';
import { systemClock } from '../system-clock.ts';

/* The thread that prepares policies: a root of its own. */

if (parentPort !== null)
  servePreparing(
    parentPort,
    createPrepareHere(() => systemClock.monotonic()),
  );

import { platform, setPriority } from 'node:os';

/** Of the threads beside the one that answers: it has three times their weight where both want a core, and they go on where others want it too. */
const NICE = 5;

/**
 * Called first in a thread that works for later: from then on it gives way to the thread that answers requests, where both run on one
 * core. Elsewhere than on Linux a priority is the whole process's, and stays as it is.
 */
export function giveWay(): void {
  if (platform() !== 'linux') return;
  try {
    setPriority(NICE);
  } catch {
    // not allowed to here: it works all the same, at the cost of others
  }
}

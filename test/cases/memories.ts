import { behaviourOf, deviceOf, type Remembered } from '../../src/cases/remembered.ts';
import type { Memories } from '../../src/enrich/remembered.ts';

/** Memories that say what the case gives. */
export function memoriesOf(given: Remembered): Memories {
  return {
    devices: { look: () => deviceOf(given), learn: () => undefined, entries: () => ({ clients: 0, fingerprints: 0 }) },
    behaviour: {
      look: () => behaviourOf(given),
      learn: () => undefined,
      outcome: () => undefined,
      entries: () => ({ clients: 0, tokens: 0, addresses: 0 }),
    },
    feedback: null,
  };
}

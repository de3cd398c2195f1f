import type { PreparedChange } from '../contract/lifecycle.ts';
import { createPepAuth, type PepAuth, type PepOptions } from './pep-auth.ts';

/** Who may ask, as it changes while the service runs. */
export interface ChangingPepAuth extends PepAuth {
  /** Other gateways for those of now; throws what `createPepAuth` throws. */
  prepare(peps: readonly PepOptions[]): PreparedChange;
}

/** Begins with what the service started with; throws what `createPepAuth` throws. */
export function createChangingPepAuth(peps: readonly PepOptions[], policyNames: readonly string[]): ChangingPepAuth {
  let current = createPepAuth(peps, policyNames);
  let generation = 0;
  return {
    get generation() {
      return generation;
    },
    authenticate: (evidence) => current.authenticate(evidence),
    named: (name) => current.named(name),
    prepare(peps) {
      const next = createPepAuth(peps, policyNames);
      return {
        commit() {
          current = next;
          generation += 1;
        },
        discard: () => undefined,
      };
    },
  };
}

import { createPepAuth, type PepAuth, type PepOptions } from './pep-auth.ts';

/** Who may ask, as it changes while the service runs. */
export interface ChangingPepAuth extends PepAuth {
  /** Takes other gateways into force in one step; what `createPepAuth` throws leaves the ones of before. */
  replace(peps: readonly PepOptions[]): void;
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
    replace(next) {
      current = createPepAuth(next, policyNames);
      generation += 1;
    },
  };
}

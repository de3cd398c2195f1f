import type { ChangingPart } from '../config/changes.ts';
import type { Config } from '../config/schema.ts';
import type { PreparedChange } from '../contract/lifecycle.ts';
import type { Awaitable } from '../contract/stages.ts';
import type { ChangingPepAuth } from '../endpoints/changing-pep-auth.ts';
import type { AddressLists } from '../enrich/lists/address-lists.ts';
import type { RunningIdentifier } from '../identify/identifier.ts';
import type { Simulation } from './simulation.ts';

/** How each part that can change makes what a new configuration needs, without taking it into force; throws, or rejects, where it cannot. */
export type PrepareChange = Readonly<Record<ChangingPart, (config: Config) => Awaitable<PreparedChange>>>;

/** By what the service runs with; a simulation follows the issuers. */
export function changingParts(parts: {
  readonly pepAuth: ChangingPepAuth;
  readonly identifier: RunningIdentifier;
  readonly simulation: Simulation;
  readonly lists: AddressLists;
}): PrepareChange {
  const { pepAuth, identifier, simulation, lists } = parts;
  return {
    peps: ({ peps }) => pepAuth.prepare(peps),
    issuers: async ({ identity: { issuers } }) => {
      const { commit, discard } = await identifier.prepareIssuers(issuers);
      const commitBoth = (): void => {
        commit();
        simulation.takeIssuers(issuers);
      };
      return { commit: commitBoth, discard };
    },
    lists: ({ network }) => lists.prepare(network.lists),
  };
}

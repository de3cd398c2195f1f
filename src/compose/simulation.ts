import { randomBytes } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { CollectSources } from '../contract/collect.ts';
import type { Decision } from '../contract/decision.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { Clock, Logger, Policies } from '../contract/stages.ts';
import type { PolicySet } from '../decide/policies.ts';
import { createEnricher, type EnricherOptions } from '../enrich/enricher.ts';
import type { Memories } from '../enrich/remembered.ts';
import { type AttributeSources, createAttributeSources } from '../enrich/sources/sources.ts';
import { createIdentifier, type IdentifierParts, type RunningIdentifier } from '../identify/identifier.ts';
import { createPdp } from '../pdp.ts';
import { createSourceStores } from '../stores/source-stores.ts';
import type { Stores } from './stores.ts';

/** What a simulation shares with the service: only what it can look at without changing it. */
export type SimulationParts = {
  readonly config: Config;
  readonly clock: Clock;
  readonly policies: PolicySet;
  /** Views that count and remember nothing. */
  readonly stores: Stores['simulated'];
  /** Memories over the live ones, made for one request. */
  readonly memories: () => Memories;
  readonly identity: Config['identity'];
  readonly identifier: IdentifierParts;
  readonly enricher: EnricherOptions;
};

/** Decides questions that nobody asked. */
export interface Simulation {
  /** @throws CountersignError revision_unknown, `bundle_*` where the revision cannot be put together any more */
  decide(request: DecisionRequest, revision: string | null): Promise<Decision>;
  stop(): void;
}

const quiet = (): void => undefined;
const SILENT: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/**
 * A second way through the same stages: keys, caches and budgets of failures are its own, made with the first question; counters, used proofs and what is
 * remembered of clients are read from the live ones and never written; nothing is logged, counted or learnt.
 */
export function createSimulation(parts: SimulationParts): Simulation {
  const { config, clock, policies, stores } = parts;
  let opened: Promise<{ readonly identifier: RunningIdentifier; readonly sources: AttributeSources | null }> | null = null;

  async function open() {
    const base = { clock, logger: SILENT };
    const { accountOf } = createEnricher({ ...parts.enricher, windows: stores.windows });
    const identifier = createIdentifier(parts.identity, {
      ...parts.identifier,
      logger: SILENT,
      accountOf,
      replays: stores.replays,
      signatureReplays: stores.signatureReplays,
    });
    const sources = createAttributeSources(config.sources, { ...base, ...createSourceStores(() => clock.monotonic()) });
    await identifier.start();
    return { identifier, sources };
  }

  return {
    async decide(request, revision) {
      const selected = policies.select(request);
      const named = revision === null || 'refused' in selected ? null : await policies.inspect(selected.name)?.policyOf(revision);
      opened ??= open();
      const { identifier, sources } = await opened;
      const view: Policies = { select: (asked) => named ?? policies.select(asked), failed: policies.failed };
      const collect: CollectSources = { introspection: identifier.introspect, attributes: sources };
      const pdp = createPdp({
        policies: view,
        identifier,
        enricher: createEnricher({ ...parts.enricher, windows: stores.windows, memories: parts.memories(), sources }),
        sources: collect,
        recorder: { record: quiet },
        clock,
      });
      return pdp.decide(request);
    },
    stop() {
      void opened?.then(({ identifier, sources }) => {
        identifier.stop();
        sources?.stop();
      });
    },
  };
}

/** The nonces that clients were given are good in a simulation too, so both make them from one secret. */
export function withNonceSecret(identity: Config['identity']): Config['identity'] {
  const { nonce } = identity.dpop;
  if (nonce === null || nonce.secret !== null) return identity;
  return { ...identity, dpop: { ...identity.dpop, nonce: { ...nonce, secret: randomBytes(32).toString('base64url') } } };
}

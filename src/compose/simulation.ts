import { randomBytes } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { CollectSources } from '../contract/collect.ts';
import type { Decision } from '../contract/decision.ts';
import { CountersignError } from '../contract/errors.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { ActivePolicy, Clock, Logger, Policies, RefusedPolicy } from '../contract/stages.ts';
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
  /** @throws CountersignError revision_unknown, overloaded where another revision is being put together or this one takes long, `bundle_*` where the revision cannot be put together any more */
  decide(request: DecisionRequest, revision: string | null): Promise<Decision>;
  /** The issuers as they are from now on. */
  takeIssuers(issuers: Config['identity']['issuers']): void;
  stop(): void;
}

/** For a revision that has to be put together; what comes later is there for the next question. */
const OPEN_MS = 20_000;

const quiet = (): void => undefined;
const SILENT: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/**
 * A second way through the same stages: keys, caches and budgets of failures are its own, made with the first question; counters, used proofs and what is
 * remembered of clients are read from the live ones and never written; nothing is logged, counted or learnt.
 */
export function createSimulation(parts: SimulationParts): Simulation {
  const { config, clock, policies, stores } = parts;
  let { issuers } = parts.identity;
  let following: Promise<unknown> = Promise.resolve();
  let opened: Promise<{ readonly identifier: RunningIdentifier; readonly sources: AttributeSources | null }> | null = null;

  async function open() {
    const base = { clock, logger: SILENT };
    const { accountOf } = createEnricher({ ...parts.enricher, windows: stores.windows });
    const identifier = createIdentifier(
      { ...parts.identity, issuers },
      {
        ...parts.identifier,
        logger: SILENT,
        accountOf,
        replays: stores.replays,
        signatureReplays: stores.signatureReplays,
      },
    );
    const sources = createAttributeSources(config.sources, { ...base, ...createSourceStores(() => clock.monotonic()) });
    await identifier.start();
    return { identifier, sources };
  }

  /** Null where the request has no policy, which is then what the answer says. */
  async function revisionFor(request: DecisionRequest, revision: string): Promise<ActivePolicy | RefusedPolicy | null> {
    const selected = policies.select(request);
    const active = 'refused' in selected ? (selected.policy ?? null) : selected;
    const inspection = active === null ? null : policies.inspect(active.name);
    return inspection === null ? null : within(OPEN_MS, inspection.policyOf(revision));
  }

  return {
    async decide(request, revision) {
      const askedAtMs = clock.monotonic();
      const named = revision === null ? null : await revisionFor(request, revision);
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
      // what had to be opened first is no time of the request
      return pdp.decide({ ...request, deadlineAtMs: request.deadlineAtMs + clock.monotonic() - askedAtMs });
    },
    takeIssuers(next) {
      issuers = next;
      const open = opened;
      if (open === null) return;
      const follow = async (): Promise<void> => (await (await open).identifier.prepareIssuers(next)).commit();
      // the service runs on these issuers already: what it could make can be made here
      following = following.then(follow).catch(quiet);
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

/** @throws CountersignError overloaded */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new CountersignError('overloaded', { field: 'revision', detail: 'it is not put together yet' })),
    ms,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

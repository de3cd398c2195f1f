import { createHash } from 'node:crypto';
import { asCountersignError, type CountersignError } from '../contract/errors.ts';
import type { ActivePolicy, Clock, Logger } from '../contract/stages.ts';
import type { PolicyStatus } from '../contract/status.ts';
import { type LoadedRevision, loadRevision } from './load-revision.ts';
import type { DecideOptions, PolicyOptions } from './options.ts';
import { createRevisionHistory } from './revision-history.ts';

/** One of the last five revisions of a policy. */
export type PolicyRevision = {
  readonly revision: string;
  /** Unix seconds, of its last activation. */
  readonly activatedAt: number;
  readonly active: boolean;
};

/** One policy by name: what is active, what was, and what went wrong. */
export interface PolicySlot {
  readonly name: string;
  readonly options: PolicyOptions;
  /** Null until the first activation. */
  active(): ActivePolicy | null;
  /** @throws CountersignError `bundle_*`; the active revision stays, and `status()` says why */
  activate(packed: Uint8Array, source: string | null): Promise<ActivePolicy>;
  /** @throws CountersignError revision_unknown, and what `activate` throws */
  rollback(revision: string | null): Promise<ActivePolicy>;
  /** The newest first. */
  revisions(): readonly PolicyRevision[];
  /** Notes why a bundle could not even be read; `source` names where it should have come from (USER-ASKS 55). */
  fail(thrown: unknown, source: string | null): CountersignError;
  status(): PolicyStatus;
}

export type SlotParts = { readonly clock: Clock; readonly logger: Logger };

/** Nothing is active at first. */
export function createPolicySlot(name: string, options: PolicyOptions, shared: DecideOptions, { clock, logger }: SlotParts): PolicySlot {
  const history = createRevisionHistory();
  const seconds = (): number => Math.floor(clock.now() / 1000);
  let loaded: LoadedRevision | null = null;
  let lastError: PolicyStatus['lastError'] = null;
  let last: Promise<unknown> = Promise.resolve();

  const fail = (thrown: unknown, source: string | null): CountersignError => {
    const error = asCountersignError(thrown, 'bundle_unreadable');
    const text = source === null ? error.message : `${source}: ${error.message}`;
    lastError = { code: error.code, text, at: seconds() };
    logger.error('policy_load_failed', { policy: name, code: error.code, text, state: loaded === null ? 'not_loaded' : 'active' });
    return error;
  };

  /** One after the other, so that the last one that was asked for is the one that stays. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };

  const replace = async (packed: Uint8Array): Promise<ActivePolicy> => {
    const next = await loadRevision(name, packed, options, shared, clock);
    const { revision } = next.policy;
    loaded = next;
    lastError = null;
    const digest = createHash('sha256').update(packed).digest('hex');
    history.add({ revision, digest, activatedAt: seconds(), sequence: null, packed });
    logger.info('policy_activated', { policy: name, revision, rules: next.rules, routes: next.routes });
    return next.policy;
  };

  return {
    name,
    options,
    active: () => loaded?.policy ?? null,
    activate: (packed, source) =>
      inTurn(async () => {
        try {
          return await replace(packed);
        } catch (thrown) {
          throw fail(thrown, source);
        }
      }),
    rollback: (revision) =>
      inTurn(async () => {
        const { packed } = history.find(revision);
        try {
          return await replace(packed);
        } catch (thrown) {
          throw fail(thrown, null);
        }
      }),
    revisions: () => history.all().map(({ revision, activatedAt }, index) => ({ revision, activatedAt, active: index === 0 })),
    fail,
    status: () => ({
      name,
      state: loaded === null ? 'not_loaded' : 'active',
      revision: loaded?.policy.revision ?? null,
      activatedAt: history.all()[0]?.activatedAt ?? null,
      rules: loaded?.rules ?? 0,
      routes: loaded?.routes ?? 0,
      limits: loaded?.limits ?? [],
      lastError,
    }),
  };
}

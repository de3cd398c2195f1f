import { CountersignError } from '../contract/errors.ts';
import type { Explainer } from '../contract/explain.ts';
import type { ActivePolicy, RefusedPolicy } from '../contract/stages.ts';
import type { LoadedRevision } from './load-revision.ts';
import { mayHoldRoutes } from './missing-routes.ts';
import type { KeptData } from './pushed/data-job.ts';

/** Looking at a policy without changing it. */
export interface SlotInspection {
  /** Explains decisions of a revision by the name that they have; null where it is not among the last ones. */
  explainer(revision: string): Explainer | null;
  /**
   * The policy as it is, or as one of the last five revisions would be with today's data; nothing is activated, and no activation waits for it. The last
   * one that was asked for is kept. Null: nothing is loaded.
   * @throws CountersignError revision_unknown, overloaded where another one is being put together, and what an activation throws
   */
  policyOf(revision: string | null): Promise<ActivePolicy | RefusedPolicy | null>;
}

type Parts = {
  readonly active: () => ActivePolicy | null;
  /** Of the data that a revision needs, what is not there. */
  readonly missing: (loaded: LoadedRevision | null) => readonly string[];
  /**
   * The bundle of a revision and the data that is pushed now.
   * @throws CountersignError revision_unknown
   */
  readonly kept: (revision: string) => { readonly digest: string; readonly packed: Uint8Array; readonly data: KeptData | null };
  /** Puts a revision together that is not active. */
  readonly open: (packed: Uint8Array, data: KeptData | null) => Promise<LoadedRevision>;
};

type Opened = { readonly digest: string; readonly data: KeptData | null; readonly loaded: Promise<LoadedRevision> };

/** Each push of data is a revision of its own; 100 kB each at most with the base pack. */
const EXPLAINERS_MAX = 16;

/** `loaded` is told every revision that becomes active, and gives it back. */
export function createSlotInspection({
  active,
  missing,
  kept,
  open,
}: Parts): SlotInspection & { loaded(next: LoadedRevision): LoadedRevision } {
  const explainers = new Map<string, Explainer>();
  /** One, since each has the memory of a policy. */
  let last: Opened | null = null;
  let busy = false;

  function openedOf(revision: string): Promise<LoadedRevision> {
    const { digest, packed, data } = kept(revision);
    if (last?.digest === digest && last.data === data) return last.loaded;
    if (busy) throw new CountersignError('overloaded', { field: 'revision', detail: 'another revision is being put together' });
    busy = true;
    const loaded = open(packed, data);
    const made: Opened = { digest, data, loaded };
    last = made;
    void loaded.then(
      () => {
        busy = false;
      },
      () => {
        busy = false;
        if (last === made) last = null;
      },
    );
    return loaded;
  }

  function unlessMissing(policy: ActivePolicy, lacking: readonly string[]): ActivePolicy | RefusedPolicy {
    return lacking.length === 0 ? policy : { refused: 'data_not_loaded', policy, routesMissing: lacking.some(mayHoldRoutes) };
  }

  return {
    explainer: (revision) => explainers.get(revision) ?? null,
    async policyOf(revision) {
      const policy = active();
      if (policy === null) return null;
      if (revision === null || revision === policy.revision) return unlessMissing(policy, missing(null));
      const loaded = await openedOf(revision);
      return unlessMissing(loaded.policy, missing(loaded));
    },
    loaded(next) {
      const { revision } = next.policy;
      last = null;
      explainers.delete(revision);
      explainers.set(revision, next.explainer);
      const [oldest] = explainers.keys();
      if (explainers.size > EXPLAINERS_MAX && oldest !== undefined) explainers.delete(oldest);
      return next;
    },
  };
}

import type { Explainer } from '../contract/explain.ts';
import type { ActivePolicy } from '../contract/stages.ts';
import type { LoadedRevision } from './load-revision.ts';

/** Looking at a policy without changing it. */
export interface SlotInspection {
  /** Explains decisions of a revision by the name that they have; null where it is not among the last ones. */
  explainer(revision: string): Explainer | null;
  /**
   * The policy as it is, or as one of the last five revisions would be with today's data; nothing is activated. Null: nothing is loaded.
   * @throws CountersignError revision_unknown, and what an activation throws
   */
  policyOf(revision: string | null): Promise<ActivePolicy | null>;
}

type Parts = {
  readonly active: () => ActivePolicy | null;
  /** Puts a revision together that is not active. */
  readonly open: (revision: string) => Promise<LoadedRevision>;
};

/** Each push of data is a revision of its own; 100 kB each at most with the base pack. */
const EXPLAINERS_MAX = 16;

/** `loaded` is told every revision that becomes active, and gives it back. */
export function createSlotInspection({ active, open }: Parts): SlotInspection & { loaded(next: LoadedRevision): LoadedRevision } {
  const explainers = new Map<string, Explainer>();
  return {
    explainer: (revision) => explainers.get(revision) ?? null,
    async policyOf(revision) {
      if (revision === null || revision === active()?.revision) return active();
      return (await open(revision)).policy;
    },
    loaded(next) {
      const { revision } = next.policy;
      explainers.delete(revision);
      explainers.set(revision, next.explainer);
      const [oldest] = explainers.keys();
      if (explainers.size > EXPLAINERS_MAX && oldest !== undefined) explainers.delete(oldest);
      return next;
    },
  };
}

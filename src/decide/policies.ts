import type { DataAdmin } from '../contract/admin.ts';
import { CountersignError } from '../contract/errors.ts';
import type { ActivePolicy, Clock, Logger, Policies } from '../contract/stages.ts';
import type { PolicyStatus } from '../contract/status.ts';
import type { ReadDocumentFile } from '../stores/read-file.ts';
import { createChoosePolicy } from './choose-policy.ts';
import type { KeptPolicy } from './kept-policy.ts';
import type { DecideOptions } from './options.ts';
import { failedDecision } from './output.ts';
import { createPolicySlot, type PolicyRevision, type PolicySlot } from './policy-slot.ts';
import { createPrepareHere, type Prepare } from './prepare/prepare-revision.ts';
import { createDataAdmin } from './pushed/data-slot.ts';
import type { PushedData } from './pushed/pushed-data.ts';
import type { SlotInspection } from './slot-inspection.ts';
import { type Following, follow } from './source/follow.ts';
import type { BundleSource } from './source/source.ts';

/** The policies of this process, with their loading. */
export interface PolicySet extends Policies {
  /**
   * Takes what was kept over the restart, reads (or compiles) every configured bundle, and goes on reading them as they change. Never
   * rejects: a policy that fails keeps what it had, `status()` and the log say why.
   */
  load(): Promise<void>;
  /** Reads no source any more. What is active stays. */
  stop(): void;
  /**
   * Checks a bundle and makes it the active revision of a policy; requests in flight keep theirs.
   * @throws CountersignError `bundle_*`, or policy_unknown: the active revision stays
   */
  activate(name: string, bundle: Uint8Array): Promise<ActivePolicy>;
  /**
   * Makes one of the last five revisions the active one again; null is the one that was active before.
   * @throws CountersignError policy_unknown, revision_unknown: the active revision stays
   */
  rollback(name: string, revision: string | null): Promise<ActivePolicy>;
  /**
   * The revisions that `rollback` can name, the newest first.
   * @throws CountersignError policy_unknown
   */
  revisions(name: string): readonly PolicyRevision[];
  /** Looks at a policy without changing it; null where there is none of this name. */
  inspect(name: string): SlotInspection | null;
  /** The data that operators push. */
  readonly data: DataAdmin;
  /** One entry a configured policy, in the order of the config. */
  status(): readonly PolicyStatus[];
}

const NO_POLICY = { name: '', revision: '' };

export type PoliciesParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where each policy comes from; without it policies come by `activate` alone. */
  readonly openSource?: (name: string) => BundleSource;
  /** What each policy keeps over a restart. */
  readonly openKept?: (name: string) => KeptPolicy | null;
  /** What operators push over each policy. */
  readonly openPushed?: (name: string) => PushedData;
  /** Checks and prepares bundles; in this thread where it is left out. */
  readonly prepare?: Prepare;
  /** Reads the keys that may sign. */
  readonly readFile?: ReadDocumentFile;
};

/** The decide stage: nothing is loaded before `load`, and until then every request is a deny `policy_not_loaded`. */
export function createPolicies(options: DecideOptions, parts: PoliciesParts): PolicySet {
  const { clock, logger, openSource } = parts;
  const prepare = parts.prepare ?? createPrepareHere(clock, null);
  const readFile = parts.readFile ?? noFile;
  const slots = new Map<string, PolicySlot>();
  const following = new Map<string, Following>();
  for (const [name, policy] of Object.entries(options.policies)) {
    const kept = parts.openKept?.(name) ?? null;
    const pushed = parts.openPushed?.(name) ?? null;
    slots.set(name, createPolicySlot(name, policy, options, { clock, logger, prepare, readFile, kept, pushed }));
  }
  const choose = createChoosePolicy(options.policyByHost);
  // a name that nobody configured would be a label without bounds
  const knownName = (name: string | null): string => (name !== null && slots.has(name) ? name : '');

  const slotOf = (name: string): PolicySlot => {
    const slot = slots.get(name);
    if (slot === undefined) throw new CountersignError('policy_unknown');
    return slot;
  };

  return {
    select(request) {
      const name = choose(request);
      const slot = name === null ? undefined : slots.get(name);
      if (name === null || slot === undefined) return { refused: 'policy_unknown' };
      if (!request.pep.policies.includes(name)) return { refused: 'policy_not_allowed' };
      const policy = slot.active();
      if (policy === null) return { refused: 'policy_not_loaded' };
      return slot.missingData().length === 0 ? policy : { refused: 'data_not_loaded' };
    },
    failed(request, code, policy) {
      const named = policy ?? { ...NO_POLICY, name: knownName(choose(request)) };
      return failedDecision(request, code, { name: named.name, revision: named.revision }, null);
    },
    async load() {
      for (const slot of slots.values()) await slot.restore();
      if (openSource === undefined) return;
      for (const [name, slot] of slots) {
        following.get(name)?.stop();
        const source = openSource(name);
        const one = follow(source, {
          offered: async ({ packed }) => ((await slot.offer(packed, source.name)) ? 'done' : 'again'),
          confirmed: () => slot.confirm(),
          failed: (thrown) => slot.fail(thrown, source.name),
        });
        following.set(name, one);
      }
      await Promise.all([...following.values()].map(({ first }) => first));
    },
    stop() {
      for (const one of following.values()) one.stop();
    },
    activate: async (name, bundle) => slotOf(name).activate(bundle),
    rollback: async (name, revision) => slotOf(name).rollback(revision),
    revisions: (name) => slotOf(name).revisions(),
    inspect: (name) => slots.get(name)?.inspection ?? null,
    data: createDataAdmin((name) => slots.get(name)?.data ?? null),
    status: () => [...slots.values()].map((slot) => slot.status()),
  };
}

const noFile: ReadDocumentFile = async () => {
  throw new CountersignError('fetch_failed', { detail: 'no files are read here' });
};

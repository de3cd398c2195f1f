import type { DataAdmin } from '../contract/admin.ts';
import { CountersignError } from '../contract/errors.ts';
import type { ActivePolicy, Clock, Logger, Observer, Policies } from '../contract/stages.ts';
import type { PolicyStatus } from '../contract/status.ts';
import type { ReadDocumentFile } from '../stores/read-file.ts';
import { createChoosePolicy } from './choose-policy.ts';
import type { KeptPolicy } from './kept-policy.ts';
import { withRpcAnswer } from './mcp/answer.ts';
import { readMessage } from './mcp/read-message.ts';
import { mayHoldRoutes } from './missing-routes.ts';
import type { DecideOptions } from './options.ts';
import { failedDecision } from './output.ts';
import { createPolicySlot } from './policy-slot.ts';
import { createPrepareHere, type Prepare } from './prepare/prepare-revision.ts';
import { createDataAdmin } from './pushed/data-slot.ts';
import type { PushedData } from './pushed/pushed-data.ts';
import { type Candidate, candidateLogger, createCandidate, type RolloutParts } from './rollout/candidate.ts';
import type { PolicyRevision, PolicySlot } from './slot.ts';
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
  /**
   * Makes the candidate of a policy its active revision, by the same checks; `rollback` goes back to the one before.
   * @param revision what the candidate must be; null takes it as it is
   * @throws CountersignError policy_unknown, candidate_missing, revision_unknown, `bundle_*`: the active revision stays
   */
  promote(name: string, revision: string | null): Promise<ActivePolicy>;
  /**
   * Lets nobody have the candidate of a policy any more until its source has another one, or the process starts again.
   * @throws CountersignError policy_unknown, candidate_missing
   */
  withdraw(name: string): void;
  /** Counts the decisions of canaries, each of a batch; null where no policy has a candidate. */
  readonly canary: Observer | null;
  /** Evaluates candidates in shadow; null where no policy has one. */
  readonly shadow: Observer | null;
  /** The policies with routes that are not enforced. */
  monitored(): readonly MonitoredPolicy[];
  /** One entry a configured policy, in the order of the config. */
  status(): readonly PolicyStatus[];
}

/** The routes of a policy that are not enforced, by the revision that says so. */
export type MonitoredPolicy = {
  readonly policy: string;
  readonly revision: string;
  /** Unix seconds. */
  readonly since: number | null;
  readonly names: readonly string[];
};

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
  /** What candidates need, where they come from and what is kept of them; without it there are none. */
  readonly rollout?: RolloutParts & {
    readonly openCandidate?: (name: string) => BundleSource;
    readonly openKeptCandidate?: (name: string) => KeptPolicy | null;
  };
  /** Checks and prepares bundles; in this thread where it is left out. */
  readonly prepare?: Prepare;
  /** Reads the keys that may sign. */
  readonly readFile?: ReadDocumentFile;
  /** Milliseconds until a refusal that may pass is looked at again for the first time; half a minute where it is left out. */
  readonly retryMs?: number;
};

/** The decide stage: nothing is loaded before `load`, and until then every request is a deny `policy_not_loaded`. */
export function createPolicies(options: DecideOptions, parts: PoliciesParts): PolicySet {
  const { clock, logger, openSource } = parts;
  const prepare = parts.prepare ?? createPrepareHere(clock, null);
  const readFile = parts.readFile ?? noFile;
  const retry = parts.retryMs === undefined ? {} : { retryMs: parts.retryMs };
  const slots = new Map<string, PolicySlot>();
  const following = new Map<string, Following>();
  const candidates = new Map<string, Candidate>();
  /** Those whose decisions are answers, candidates of canaries among them. */
  const deciding: PolicySlot[] = [];
  for (const [name, policy] of Object.entries(options.policies)) {
    const kept = parts.openKept?.(name) ?? null;
    const pushed = parts.openPushed?.(name) ?? null;
    const slot = createPolicySlot(name, policy, options, {
      ...{ clock, logger, prepare, readFile, kept, pushed, ...retry },
      onData: () => void candidates.get(name)?.slot.refresh(),
    });
    slots.set(name, slot);
    deciding.push(slot);
    const { rollout } = parts;
    if (rollout === undefined || policy.candidate == null) continue;
    const { openCandidate } = rollout;
    const own = { clock, logger: candidateLogger(logger), prepare, readFile, kept: rollout.openKeptCandidate?.(name) ?? null };
    const candidate = createCandidate(policy.candidate, {
      ...rollout,
      ...own,
      slot: createPolicySlot(name, { ...policy, bundle: policy.candidate.bundle }, options, { ...own, ...retry, pushed, shares: true }),
      active: slot,
      openSource: openCandidate === undefined ? null : () => openCandidate(name),
    });
    candidates.set(name, candidate);
    if (policy.candidate.canary.percent > 0) deciding.push(candidate.slot);
  }
  const choose = createChoosePolicy(options.policyByHost);
  // a name that nobody configured would be a label without bounds
  const knownName = (name: string | null): string => (name !== null && slots.has(name) ? name : '');

  const slotOf = (name: string): PolicySlot => {
    const slot = slots.get(name);
    if (slot === undefined) throw new CountersignError('policy_unknown');
    return slot;
  };
  const candidateOf = (name: string): Candidate => {
    slotOf(name);
    const candidate = candidates.get(name);
    if (candidate === undefined) throw new CountersignError('candidate_missing');
    return candidate;
  };

  return {
    select(request) {
      const name = choose(request);
      const slot = name === null ? undefined : slots.get(name);
      if (name === null || slot === undefined) return { refused: 'policy_unknown' };
      if (!request.pep.policies.includes(name)) return { refused: 'policy_not_allowed' };
      const policy = slot.active();
      if (policy === null) return { refused: 'policy_not_loaded' };
      const missing = slot.missingData();
      if (missing.length > 0) return { refused: 'data_not_loaded', policy, routesMissing: missing.some(mayHoldRoutes) };
      return candidates.size === 0 ? policy : (candidates.get(name)?.divide(policy) ?? policy);
    },
    failed(request, code, policy) {
      const named = policy ?? { ...NO_POLICY, name: knownName(choose(request)) };
      const decision = failedDecision(request, code, { name: named.name, revision: named.revision }, null);
      return policy === null ? decision : withRpcAnswer(decision, readMessage(request, policy.routeOf(request)));
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
          retrying: slot.retrying,
        });
        following.set(name, one);
      }
      await Promise.all([...following.values()].map(({ first }) => first));
      // afterwards, so that what decides is prepared first
      await Promise.all([...candidates.values()].map((candidate) => candidate.load()));
    },
    stop() {
      for (const one of [...following.values(), ...candidates.values(), ...slots.values()]) one.stop();
    },
    activate: async (name, bundle) => slotOf(name).activate(bundle),
    rollback: async (name, revision) => slotOf(name).rollback(revision),
    revisions: (name) => slotOf(name).revisions(),
    inspect(name) {
      const [slot, candidate] = [slots.get(name), candidates.get(name)?.slot];
      if (slot === undefined || candidate === undefined) return slot?.inspection ?? null;
      const { explainer, policyOf } = slot.inspection;
      // decisions of a canary are those of the candidate
      return { policyOf, explainer: (revision) => explainer(revision) ?? candidate.inspection.explainer(revision) };
    },
    data: createDataAdmin((name) => slots.get(name)?.data ?? null),
    async promote(name, revision) {
      const found = candidateOf(name).current();
      if (found === null) throw new CountersignError('candidate_missing');
      if (revision !== null && found.revision !== revision) throw new CountersignError('revision_unknown');
      return slotOf(name).activate(found.packed);
    },
    withdraw(name) {
      const candidate = candidateOf(name);
      if (candidate.current() === null) throw new CountersignError('candidate_missing');
      candidate.withdraw();
    },
    canary: candidates.size === 0 ? null : { observe: (record) => candidates.get(record.decision.policy.name)?.count(record) },
    shadow: candidates.size === 0 ? null : { observe: (record) => candidates.get(record.decision.policy.name)?.observe(record) },
    monitored: () =>
      deciding.flatMap((slot) => {
        const names = slot.monitored();
        const revision = slot.active()?.revision ?? '';
        return names.length === 0 ? [] : [{ policy: slot.name, revision, since: slot.status().activatedAt, names }];
      }),
    status: () =>
      [...slots.values()].map((slot) => {
        const candidate = candidates.get(slot.name);
        return candidate === undefined ? slot.status() : { ...slot.status(), candidate: candidate.status() };
      }),
  };
}

const noFile: ReadDocumentFile = async () => {
  throw new CountersignError('fetch_failed', { detail: 'no files are read here' });
};

import type { Decision, Effect } from '../../contract/decision.ts';
import { asCountersignError } from '../../contract/errors.ts';
import type { DecisionRecord } from '../../contract/record.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { CanaryStatus, CandidateStatus, ShadowDiff } from '../../contract/rollout.ts';
import type { ActivePolicy, Clock, Logger } from '../../contract/stages.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import type { KeptRevision } from '../revision-history.ts';
import type { PolicySlot } from '../slot.ts';
import { type Following, follow } from '../source/follow.ts';
import type { BundleSource } from '../source/source.ts';
import { type CanaryOptions, callerOf, createCanary, readCanaryKey } from './canary.ts';
import { createShadow, type ShadowOptions } from './shadow.ts';

/** A bundle that is tried beside the active policy; what is not said here is as the policy's. */
export type CandidateOptions = {
  readonly bundle: string;
  readonly shadow: ShadowOptions;
  readonly canary: CanaryOptions;
};

/** What a process hands in so that policies can have candidates. */
export type RolloutParts = {
  /** The address that pays for a request. */
  readonly accountOf: (request: DecisionRequest) => string | null;
  readonly random: () => number;
  readonly later: (work: () => void) => void;
  readonly onDiff: (diff: ShadowDiff) => void;
};

export type CandidateParts = RolloutParts & {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readFile: ReadDocumentFile;
  /** A slot of its own, in which the bundle passes all that an active one must. */
  readonly slot: PolicySlot;
  readonly active: PolicySlot;
  readonly openSource: (() => BundleSource) | null;
};

/** The candidate of one policy. */
export interface Candidate {
  readonly slot: PolicySlot;
  load(): Promise<void>;
  stop(): void;
  /** The active revision, with the candidate for the callers of the canary. */
  divide(active: ActivePolicy): ActivePolicy;
  observe(record: DecisionRecord): void;
  /** Counts a decision that the candidate made for a caller, each of a batch; one that was only simulated comes by nothing here. */
  count(record: DecisionRecord): void;
  /** What would be promoted; null where nothing is loaded. */
  current(): KeptRevision | null;
  /** Evaluates it for nobody until its source has another one. */
  withdraw(): void;
  status(): CandidateStatus;
}

/** Nothing is loaded at first. */
export function createCandidate(options: CandidateOptions, parts: CandidateParts): Candidate {
  const { slot, active, logger } = parts;
  const { percent } = options.canary;
  const canaryDecisions = new WeakSet<Decision>();
  const decisions: Record<Effect | 'failed', number> = { allow: 0, deny: 0, step_up: 0, failed: 0 };
  let chosen: ((caller: string) => boolean) | null = null;
  let keyError: CanaryStatus['keyError'] = null;
  let following: Following | null = null;
  let withdrawn: string | null = null;
  let divided: { readonly active: ActivePolicy; readonly policy: ActivePolicy } | null = null;
  let marked: { readonly candidate: ActivePolicy; readonly policy: ActivePolicy } | null = null;

  /** Who holds the bundle server, and not the key, must not bring an old policy back as a candidate. */
  const isBehind = (): boolean => (slot.sequence() ?? -1) < (active.sequence() ?? -1);

  /** One that was rolled back must not come back by itself. */
  const rests = (): boolean => {
    const digest = slot.current()?.digest;
    return digest !== undefined && (digest === withdrawn || active.knows(digest) || isBehind());
  };

  const ready = (): ActivePolicy | null => {
    const policy = slot.active();
    return policy === null || slot.isBehindData() || slot.missingData().length > 0 || rests() ? null : policy;
  };

  const shadow = createShadow(options.shadow, { ...parts, candidate: ready, isCanary: (decision) => canaryDecisions.has(decision) });

  const readKey = async (): Promise<void> => {
    if (percent === 0 || chosen !== null) return;
    try {
      chosen = createCanary(slot.name, percent, await readCanaryKey(options.canary, parts.readFile));
      keyError = null;
    } catch (cause) {
      keyError = asCountersignError(cause, 'canary_key_invalid').code;
      logger.error('canary_key_invalid', { policy: slot.name, cause });
    }
  };

  /** The candidate as callers of the canary get it: its decisions are told apart. */
  const markedOf = (candidate: ActivePolicy): ActivePolicy => {
    if (marked?.candidate === candidate) return marked.policy;
    const policy: ActivePolicy = {
      ...candidate,
      decide(request, identity, enrichment, route) {
        const evaluated = candidate.decide(request, identity, enrichment, route);
        canaryDecisions.add(evaluated.decision);
        return evaluated;
      },
    };
    marked = { candidate, policy };
    return policy;
  };

  const divide = (policy: ActivePolicy): ActivePolicy => {
    if (percent === 0) return policy;
    if (divided?.active === policy) return divided.policy;
    const forCaller: ActivePolicy['forCaller'] = (request, identity) => {
      const candidate = chosen === null ? null : ready();
      if (candidate === null) return null;
      const caller = callerOf(identity, parts.accountOf(request));
      return caller !== null && chosen?.(caller) === true ? markedOf(candidate) : null;
    };
    divided = { active: policy, policy: { ...policy, forCaller } };
    return divided.policy;
  };

  const stateOf = (): CandidateStatus['state'] => {
    if (slot.active() === null) return 'not_loaded';
    if (rests() || slot.isBehindData()) return 'resting';
    return slot.missingData().length > 0 ? 'data_not_loaded' : 'ready';
  };

  return {
    slot,
    divide,
    async load() {
      await readKey();
      await slot.restore();
      if (parts.openSource === null) return;
      following?.stop();
      const source = parts.openSource();
      following = follow(source, {
        offered: async ({ packed }) => {
          await readKey();
          return (await slot.offer(packed, source.name)) ? 'done' : 'again';
        },
        confirmed: () => {
          if (keyError !== null) void readKey();
          slot.confirm();
        },
        failed: (thrown) => slot.fail(thrown, source.name),
        retrying: slot.retrying,
      });
      await following.first;
    },
    stop() {
      following?.stop();
      slot.stop();
      shadow.stop();
    },
    observe: (record) => {
      if (options.shadow.share > 0) shadow.observe(record);
    },
    count({ decision }) {
      if (canaryDecisions.has(decision)) decisions[decision.error === null ? decision.effect : 'failed'] += 1;
    },
    current: () => slot.current(),
    withdraw() {
      withdrawn = slot.current()?.digest ?? null;
      logger.warn('candidate_withdrawn', { policy: slot.name, revision: slot.current()?.revision ?? null });
    },
    status() {
      const { revision, activatedAt, rules, lastError, retryAt } = slot.status();
      return {
        state: stateOf(),
        revision,
        loadedAt: activatedAt,
        rules,
        lastError,
        ...(retryAt === undefined ? {} : { retryAt }),
        shadow: shadow.status(),
        canary: { percent, keyError, decisions: { ...decisions } },
      };
    },
  };
}

/** Lines of the candidate's own slot say so. */
export function candidateLogger(logger: Logger): Logger {
  const marked = (fields: Readonly<Record<string, unknown>> = {}) => ({ ...fields, candidate: true });
  return {
    debug: (event, fields) => logger.debug(event, marked(fields)),
    info: (event, fields) => logger.info(event, marked(fields)),
    warn: (event, fields) => logger.warn(event, marked(fields)),
    error: (event, fields) => logger.error(event, marked(fields)),
  };
}

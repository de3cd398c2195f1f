import type { ErrorCode } from '../../contract/codes.ts';
import type { Decision, Effect } from '../../contract/decision.ts';
import type { Identity } from '../../contract/identity.ts';
import type { DecisionRecord } from '../../contract/record.ts';
import type { ShadowDiff, ShadowResult, ShadowStatus } from '../../contract/rollout.ts';
import type { Route } from '../../contract/route.ts';
import type { EnrichmentSignals } from '../../contract/signals.ts';
import type { ActivePolicy, Clock, Logger } from '../../contract/stages.ts';

/** How much is evaluated in shadow. */
export type ShadowOptions = {
  /** Of the requests, 0 to 1. */
  readonly share: number;
  /** Milliseconds of each second that evaluations may take; what comes when they are spent is dropped. */
  readonly budgetMs: number;
  /** Requests that wait; what comes when so many do is dropped. */
  readonly queueMax: number;
  /** Diffs a second that are written to the decision log. */
  readonly diffsPerSecond: number;
};

export type ShadowParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The candidate, while it is evaluated at all. */
  readonly candidate: () => ActivePolicy | null;
  /** Whether the candidate made this decision itself, for a caller of the canary. */
  readonly isCanary: (decision: Decision) => boolean;
  /** 0 to below 1. */
  readonly random: () => number;
  /** Runs later, when what is being answered has been handed on. */
  readonly later: (work: () => void) => void;
  readonly onDiff: (diff: ShadowDiff) => void;
};

/** A candidate beside the active policy, on requests that were answered. */
export interface Shadow {
  /** Takes a decision that was made, for later; never throws and never waits. */
  observe(record: DecisionRecord): void;
  stop(): void;
  status(): ShadowStatus;
}

/** What an evaluation reads; a failed path has not all of it. */
type Task = {
  readonly record: DecisionRecord;
  readonly identity: Identity;
  readonly enrichment: EnrichmentSignals;
  readonly route: Route;
};

const SECOND_MS = 1000;
/** Requests that came meanwhile are answered before more is evaluated. */
const TURN_MS = 1;
/** Codes are those of rules and of the host: more of them are somebody's mistake. */
const REASONS_MAX = 100;
const REASON_FORM = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/**
 * Evaluates a candidate on requests that were answered: on the facts that the active policy had, with the candidate's own routes. Nothing is asked,
 * counted or remembered for it, and what comes of it reaches nobody but the counters here and the decision log.
 */
export function createShadow(options: ShadowOptions, parts: ShadowParts): Shadow {
  const { clock } = parts;
  const results: Record<ShadowResult, number> = { same: 0, other_reason: 0, differs: 0, failed: 0, not_comparable: 0, dropped: 0 };
  const diffs = createDiffCounts();
  const written = createAllowance(options.diffsPerSecond, clock);
  let queue: Task[] = [];
  let scheduled = false;
  let stopped = false;
  let unwritten = 0;
  let lastError: ErrorCode | null = null;
  let windowAtMs = Number.NEGATIVE_INFINITY;
  let spentMs = 0;

  const hasTime = (): boolean => {
    const nowMs = clock.monotonic();
    if (nowMs - windowAtMs >= SECOND_MS) [windowAtMs, spentMs] = [nowMs, 0];
    return spentMs < options.budgetMs;
  };

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    parts.later(turn);
  };

  const turn = (): void => {
    scheduled = false;
    const startedMs = clock.monotonic();
    let nowMs = startedMs;
    while (!stopped && nowMs - startedMs < TURN_MS && hasTime()) {
      const task = queue.shift();
      if (task === undefined) return;
      const beforeMs = nowMs;
      evaluate(task);
      nowMs = clock.monotonic();
      spentMs += nowMs - beforeMs;
    }
    if (stopped || queue.length === 0) return;
    if (hasTime()) schedule();
    else {
      results.dropped += queue.length;
      queue = [];
    }
  };

  const evaluate = (task: Task): void => {
    try {
      results[compare(task)] += 1;
    } catch (cause) {
      results.failed += 1;
      lastError = 'internal_error';
      parts.logger.error('shadow_failed', { cause });
    }
  };

  const compare = ({ record, identity, enrichment, route: had }: Task): ShadowResult => {
    const policy = parts.candidate();
    if (policy === null) return 'dropped';
    const route = policy.routeOf(record.request);
    if (!countsNoMore(route, had)) return 'not_comparable';
    const { decision, input, collect, cause } = policy.decide(record.request, identity, enrichment, route);
    if (collect !== undefined) return 'not_comparable';
    if (decision.error !== null) {
      lastError = decision.error.code;
      return 'failed';
    }
    const { effect: from } = record.decision;
    const { effect: to } = decision;
    if (from === to) return reasonOf(record.decision) === reasonOf(decision) ? 'same' : 'other_reason';
    const reason = reasonOf(to === 'allow' || (to === 'step_up' && from === 'deny') ? record.decision : decision);
    diffs.count(from, to, reason);
    if (written()) parts.onDiff({ record, candidate: decision, input, reason, cause });
    else unwritten += 1;
    return 'differs';
  };

  return {
    observe(record) {
      const { decision, identity, enrichment, route } = record;
      // what the active policy did not decide there is nothing to compare with
      if (stopped || decision.error !== null || identity === null || enrichment === null || route === null) return;
      if (options.share < 1 && parts.random() >= options.share) return;
      if (parts.candidate() === null || parts.isCanary(decision)) return;
      if (queue.length >= options.queueMax || !hasTime()) {
        results.dropped += 1;
        return;
      }
      queue.push({ record, identity, enrichment, route });
      schedule();
    },
    stop() {
      stopped = true;
      queue = [];
    },
    status: () => ({
      share: options.share,
      results: { ...results },
      diffs: diffs.all(),
      unwritten,
      queued: queue.length,
      lastError,
    }),
  };
}

function reasonOf({ reasons }: Decision): string {
  return reasons[0]?.code ?? 'none';
}

/** Whether all that a route has counted was counted for another: what was not would be missing in the candidate's input. */
function countsNoMore({ rate }: Route, had: Route): boolean {
  if (rate === undefined || rate === had.rate) return true;
  const counted = new Set(had.rate?.counters.map(({ name }) => name));
  return rate.counters.every(({ name }) => counted.has(name));
}

type DiffCount = { readonly from: Effect; readonly to: Effect; readonly reason: string; count: number };

function createDiffCounts() {
  const counts = new Map<string, DiffCount>();
  const reasons = new Set<string>();
  const bounded = (reason: string): string => {
    if (reasons.has(reason)) return reason;
    if (reasons.size >= REASONS_MAX || !REASON_FORM.test(reason)) return 'other';
    reasons.add(reason);
    return reason;
  };
  return {
    count(from: Effect, to: Effect, said: string): void {
      const reason = bounded(said);
      const key = `${from} ${to} ${reason}`;
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { from, to, reason, count: 1 });
      else known.count += 1;
    },
    all: (): readonly DiffCount[] => [...counts.values()].map((one) => ({ ...one })),
  };
}

/** True so many times a second. */
function createAllowance(perSecond: number, clock: Clock): () => boolean {
  let windowAtMs = Number.NEGATIVE_INFINITY;
  let used = 0;
  return () => {
    const nowMs = clock.monotonic();
    if (nowMs - windowAtMs >= SECOND_MS) [windowAtMs, used] = [nowMs, 0];
    if (used >= perSecond) return false;
    used += 1;
    return true;
  };
}

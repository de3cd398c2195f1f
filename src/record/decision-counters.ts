import type { Effect } from '../contract/decision.ts';
import type { DecisionRecord } from '../contract/record.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { Signal } from '../contract/signals.ts';
import { METRICS } from './metric-definitions.ts';
import { type Cell, createLabelGate, Tally } from './tally.ts';

const SIGNALS = ['token', 'api_key', 'certificate', 'binding', 'signature', 'txn_token', 'network', 'rate', 'device', 'behaviour'] as const;
const STATES = ['present', 'absent', 'invalid', 'unavailable'] as const;
type SignalName = (typeof SIGNALS)[number];

/** Reasons are rules of the active bundles and codes of the host; more than this many are somebody's mistake. */
const REASONS_MAX = 500;
const REASON_FORM = /^[a-z][a-z0-9_]{0,63}(\.[a-z][a-z0-9_]{0,63}){0,2}$/;
const LIMIT_FORM = /^[a-z][a-z0-9_]{0,63}$/;
const NO_LIMITS: readonly string[] = [];
const POLICIES_MAX = 100;
const POLICY_FORM = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Takes the time of one thing, in seconds. */
type Observer = { observe(seconds: number): void };

/** The counters of the request path; nothing here allocates but the first request of a kind. */
export type DecisionCounters = {
  readonly decisions: Tally;
  readonly failures: Tally;
  readonly signalStates: Tally;
  readonly slow: Tally;
  readonly shadowLimits: Tally;
  readonly monitored: Tally;
  count(record: DecisionRecord): void;
};

/** Counts decisions; latencies go straight to the observers. */
export function createDecisionCounters(
  observers: Readonly<Record<'identify' | 'enrich' | 'decide' | 'total', Observer>>,
): DecisionCounters {
  const decisions = new Tally(METRICS.decisions.labels);
  const failures = new Tally(METRICS.failures.labels);
  const signalStates = new Tally(METRICS.signalStates.labels);
  const slow = new Tally(METRICS.slow.labels);
  const shadowLimits = new Tally(METRICS.shadowLimits.labels);
  const monitored = new Tally(METRICS.monitored.labels);
  const limitLabel = createLabelGate(REASONS_MAX, LIMIT_FORM);
  const reasonLabel = createLabelGate(REASONS_MAX, REASON_FORM);
  const policyLabel = createLabelGate(POLICIES_MAX, POLICY_FORM);
  const states = new Map<SignalName, Record<(typeof STATES)[number], Cell>>();
  for (const signal of SIGNALS) {
    const [present, absent, invalid, unavailable] = STATES.map((status) => signalStates.cell(signal, status));
    if (present && absent && invalid && unavailable) states.set(signal, { present, absent, invalid, unavailable });
  }

  /** One cell an effect, policy, reason and endpoint, found without building a text. */
  const found = new Map<string, Map<string, Cell[]>>();
  function decisionCell(effect: Effect, policy: string, reason: string, endpoint: DecisionRequest['endpoint']): Cell {
    let byReason = found.get(policy);
    if (byReason === undefined) {
      byReason = new Map();
      found.set(policy, byReason);
    }
    let cells = byReason.get(reason);
    if (cells === undefined) {
      cells = [];
      byReason.set(reason, cells);
    }
    const index = EFFECT_INDEX[effect] * ENDPOINTS + ENDPOINT_INDEX[endpoint];
    const known = cells[index];
    if (known !== undefined) return known;
    const cell = decisions.cell(effect, policy, reason, endpoint);
    cells[index] = cell;
    return cell;
  }

  function countSignal(name: SignalName, signal: Signal<unknown>): void {
    const cells = states.get(name);
    if (cells !== undefined) cells[signal.status].count += 1;
  }

  function count({ request, decision, identity, enrichment, times, slow: wasSlow, monitoredBy }: DecisionRecord): void {
    const policy = policyLabel(decision.policy.name);
    decisionCell(decision.effect, policy, reasonLabel(decision.reasons[0]?.code ?? 'none'), request.endpoint).count += 1;
    if (decision.error !== null) failures.cell(decision.error.code).count += 1;
    for (const name of decision.shadowLimits ?? NO_LIMITS) shadowLimits.cell(limitLabel(name)).count += 1;
    if (monitoredBy !== undefined) monitored.cell(monitoredBy, decision.error === null ? decision.effect : 'failed').count += 1;
    if (wasSlow) slow.cell(policy).count += 1;
    if (identity !== null) {
      countSignal('token', identity.signals.token);
      countSignal('api_key', identity.signals.apiKey);
      countSignal('certificate', identity.signals.certificate);
      countSignal('binding', identity.signals.binding);
      countSignal('signature', identity.signals.signature);
      countSignal('txn_token', identity.signals.txnToken);
      observers.identify.observe(times.identify / 1000);
    }
    if (enrichment !== null) {
      countSignal('network', enrichment.network);
      countSignal('rate', enrichment.rate);
      countSignal('device', enrichment.device);
      countSignal('behaviour', enrichment.behaviour);
      observers.enrich.observe(times.enrich / 1000);
    }
    // where no policy was evaluated there is no time of the stage decide
    if (decision.error === null) observers.decide.observe(times.decide / 1000);
    observers.total.observe(times.total / 1000);
  }

  return { decisions, failures, signalStates, slow, shadowLimits, monitored, count };
}

const EFFECT_INDEX: Readonly<Record<Effect, number>> = { allow: 0, deny: 1, step_up: 2 };
const ENDPOINT_INDEX: Readonly<Record<DecisionRequest['endpoint'], number>> = {
  decide: 0,
  ext_authz: 1,
  authzen: 2,
  forward_auth: 3,
  ext_authz_http: 4,
};
const ENDPOINTS = Object.keys(ENDPOINT_INDEX).length;

import type { UsedException } from '../contract/exceptions.ts';
import { isJsonObject, type JsonValue } from '../contract/json.ts';
import { clientAddressOf } from '../contract/network.ts';
import type { DecisionRecord } from '../contract/record.ts';
import type { Signal, Signals } from '../contract/signals.ts';
import type { DecisionLine } from './decision-line.ts';
import { errorText } from './error-text.ts';
import { redactInput, redactPath } from './redact.ts';

/** How much of the policy input is kept. */
export type InputMode = 'none' | 'referenced' | 'full';

const REQUEST_ID_MAX = 128;
const PATH_MAX = 1024;
const NAME_MAX = 256;
const ACTORS_MAX = 16;

/** The line of one decision. It reads no credential and no query; what a client can make long is cut. */
export function buildLine(record: DecisionRecord, mode: InputMode): DecisionLine {
  const { request, decision, route, identity, enrichment, times } = record;
  const { http } = request;
  const network = enrichment?.network;
  return {
    kind: 'decision',
    time: new Date(request.receivedAtMs).toISOString(),
    decision_id: decision.id,
    ...(request.trace === undefined ? {} : { trace_id: request.trace.traceId, span_id: request.trace.spanId }),
    request_id: request.requestId === null ? null : clip(request.requestId, REQUEST_ID_MAX),
    endpoint: request.endpoint,
    pep: request.pep.name,
    policy: decision.policy,
    effect: decision.effect,
    reason: decision.reasons[0]?.code ?? 'none',
    reasons: decision.reasons.map(codeOf),
    ...(record.monitoredBy === undefined ? {} : { enforced: false, monitored_by: record.monitoredBy }),
    status: decision.response === null ? null : decision.response.status,
    step_up: decision.stepUp === null ? null : decision.stepUp.kind,
    request:
      http === null
        ? null
        : {
            method: clip(http.method, NAME_MAX),
            host: clip(http.host, NAME_MAX),
            path: mode === 'none' ? null : clip(redactPath(http.path), PATH_MAX),
            flags: network?.status === 'present' ? [...request.flags, ...network.value.addressFlags] : [...request.flags],
          },
    route: route === null ? null : { status: route.status, id: route.id, tier: route.tier },
    subject:
      identity === null
        ? null
        : { type: identity.subject.type, id: identity.subject.id, client: identity.subject.client, asserted: identity.subject.asserted },
    actors: identity === null ? [] : actorsOf(identity.signals.token),
    evidence: identity === null ? [] : [...identity.evidence.methods],
    api_key: identity?.signals.apiKey.status === 'present' ? identity.signals.apiKey.value.id : null,
    address: network === undefined ? null : clientAddressOf(network),
    assurance: { level: decision.assurance.level, required: decision.assurance.required },
    risk: { score: decision.risk.score, factors: decision.risk.factors.map(factorOf) },
    ...(decision.shadowLimits === undefined ? {} : { shadow_limits: [...decision.shadowLimits] }),
    ...(decision.exceptions === undefined ? {} : { exceptions: decision.exceptions.map(exceptionOf) }),
    signals: signalStates(record),
    times_ms: { identify: micros(times.identify), enrich: micros(times.enrich), decide: micros(times.decide), total: micros(times.total) },
    slow: record.slow,
    error: decision.error === null ? null : { code: decision.error.code, cause: record.cause == null ? null : errorText(record.cause) },
    input: mode === 'none' ? null : redactInput(record.input(mode)),
  };
}

const codeOf = (reason: { readonly code: string }): string => reason.code;
const exceptionOf = ({ id, owner, reason, endsAt, rules }: UsedException) => ({ id, owner, reason, ends_at: endsAt, rules: [...rules] });
const factorOf = ({ code, points }: { readonly code: string; readonly points: number }) => ({ code, points });

function clip(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}

/** Milliseconds with three decimals. */
function micros(milliseconds: number): number {
  return Math.max(0, Math.round(milliseconds * 1000) / 1000);
}

/** Names of signals are those of the contract here, and those of the input in the log. */
function inSnakeCase(name: string): string {
  return name === 'txnToken' ? 'txn_token' : name === 'apiKey' ? 'api_key' : name;
}

type SignalState = { status: Signal<unknown>['status']; code?: string };

function signalStates({ identity, enrichment }: DecisionRecord): Record<string, SignalState> {
  const states: Record<string, SignalState> = {};
  const { sources = {}, ...signals } = enrichment ?? {};
  const named = Object.entries(sources).map(([name, signal]): [string, Signal<unknown>] => [`sources.${name}`, signal]);
  for (const part of [identity?.signals, signals, Object.fromEntries(named)]) {
    for (const [name, signal] of Object.entries<Signal<unknown>>(part ?? {})) {
      states[inSnakeCase(name)] = signal.status === 'present' ? { status: signal.status } : { status: signal.status, code: signal.code };
    }
  }
  return states;
}

/** The subjects of the `act` chain, the outermost (current) actor first [asks 84]; an actor without `sub` is shown as `?`. */
function actorsOf(token: Signals['token']): string[] {
  if (token.status !== 'present' || token.value.actor === null) return [];
  const actors: string[] = [];
  let act: JsonValue | undefined = token.value.claims['act'];
  while (isJsonObject(act) && actors.length < ACTORS_MAX) {
    const sub = Object.hasOwn(act, 'sub') ? act['sub'] : undefined;
    actors.push(typeof sub === 'string' ? clip(sub, NAME_MAX) : '?');
    act = Object.hasOwn(act, 'act') ? act['act'] : undefined;
  }
  return actors.length > 0 ? actors : [token.value.actor.subject ?? '?'];
}

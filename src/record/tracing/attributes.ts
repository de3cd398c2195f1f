import type { DecisionRecord } from '../../contract/record.ts';
import type { Signal } from '../../contract/signals.ts';
import { createLabelGate } from '../tally.ts';
import { type Attribute, textAttribute } from './span.ts';

/*
 * What spans say of a decision. OpenTelemetry has no convention for authorization, so the names are ours, under `authz.`. Values are names of the
 * configuration, of policies and of closed lists; the one id is that of the decision. No client, address, path or credential is among them.
 */

/** A policy of the contract `decision` makes its codes itself, and could make them of what a client sent. */
const REASONS_MAX = 500;
const reasonOf = createLabelGate(REASONS_MAX, /^[A-Za-z0-9][\w.-]{0,127}$/);

/** Of the whole decision. */
export function decisionAttributes({ request, decision, route, monitoredBy, slow }: DecisionRecord): Attribute[] {
  const said: Attribute[] = [
    ['authz.decision_id', decision.id],
    ['authz.endpoint', request.endpoint],
    textAttribute('authz.pep', request.pep.name),
    ['authz.effect', decision.effect],
    ['authz.reason', reasonOf(decision.reasons[0]?.code ?? 'none')],
    textAttribute('authz.policy.name', decision.policy.name),
    textAttribute('authz.policy.revision', decision.policy.revision),
    ['authz.assurance.level', decision.assurance.level],
  ];
  if (route !== null) said.push(['authz.route.status', route.status], textAttribute('authz.route.id', route.id));
  if (decision.stepUp !== null) said.push(['authz.step_up.kind', decision.stepUp.kind]);
  if (monitoredBy !== undefined) said.push(['authz.enforced', false]);
  if (slow) said.push(['authz.slow', true]);
  if (decision.error !== null) said.push(['error.type', decision.error.code]);
  return said;
}

/** States of the signals of one stage, those of sources by their names: `present`, or `invalid: expired`. */
export function signalAttributes(signals: object): Attribute[] {
  const said: Attribute[] = [];
  addSignals(said, signals, SIGNAL_NAMES);
  if ('sources' in signals && typeof signals.sources === 'object' && signals.sources !== null)
    addSignals(said, signals.sources, SOURCE_NAMES);
  return said;
}

/** Names of attributes by those of signals: of the contract, and of the configuration. */
const SIGNAL_NAMES = { prefix: 'authz.signal.', known: new Map<string, string>() };
const SOURCE_NAMES = { prefix: 'authz.signal.sources.', known: new Map<string, string>() };

function addSignals(said: Attribute[], signals: object, { prefix, known }: typeof SIGNAL_NAMES): void {
  for (const [name, signal] of Object.entries(signals)) {
    if (!isSignal(signal)) continue;
    let attribute = known.get(name);
    if (attribute === undefined) {
      attribute = `${prefix}${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
      known.set(name, attribute);
    }
    said.push([attribute, signal.status === 'present' ? signal.status : `${signal.status}: ${signal.code}`]);
  }
}

function isSignal(value: unknown): value is Signal<unknown> {
  return typeof value === 'object' && value !== null && 'status' in value && ('value' in value || 'code' in value);
}

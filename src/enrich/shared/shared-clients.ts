import {
  type BehaviourSignal,
  type BehaviourValue,
  COUNTED_OUTCOMES,
  type DeviceSignal,
  type DeviceValue,
  type Outcome,
} from '../../contract/behaviour.ts';
import type { Identity } from '../../contract/identity.ts';
import type { NetworkSignal } from '../../contract/network.ts';
import type { DecisionRecord } from '../../contract/record.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Awaitable } from '../../contract/stages.ts';
import type { SharedAnswer, SharedStore, SharedStoreStatus } from '../../stores/shared-store.ts';
import type { WindowKeys } from '../../stores/windows.ts';
import { type BehaviourOptions, behaviourFlags, NOBODY } from '../behaviour/behaviour.ts';
import { FIRST_OUTCOME } from '../behaviour/hour-counts.ts';
import { LONGEST_MS } from '../behaviour/memory.ts';
import type { DeviceOptions } from '../device/device.ts';
import { type DeviceFacts, deviceFacts, unknownDevice } from '../device/device-facts.ts';
import type { RegisteredOf } from '../device/known.ts';
import type { RememberedSignals } from '../remembered.ts';
import { createSharedCalls, type Remembers } from './shared-calls.ts';
import { createSharedReader } from './shared-reader.ts';

/** The sections of the configuration; null where a signal is switched off. */
export type SharedOptions = { readonly behaviour: BehaviourOptions | null; readonly device: DeviceOptions | null };

/** What all replicas remember of clients: the numbers that `Behaviour` and `Devices` tell in one process, of all of them together. */
export interface SharedClients {
  /** Counts the request and tells the numbers with it; settles by the store's deadline, and at once where there is nothing to ask. */
  look(
    request: DecisionRequest,
    identity: Identity,
    network: NetworkSignal,
    keys: WindowKeys,
    budgetMs: number,
  ): Awaitable<RememberedSignals>;
  /** Learns from what was decided; nobody waits for it. */
  learn(record: DecisionRecord, client: string): void;
  /** Counts a reported outcome, if it is one that is counted. */
  outcome(client: string, outcome: Outcome, nowMs: number): void;
  status(): SharedStoreStatus;
}

const COUNTED: readonly Outcome[] = COUNTED_OUTCOMES;
const NO_DEVICE: DeviceSignal = { status: 'absent', code: 'device_disabled' };
const DEVICE_MISSING: DeviceSignal = { status: 'absent', code: 'device_missing' };
const NO_BEHAVIOUR: BehaviourSignal = { status: 'absent', code: 'behaviour_disabled' };
const UNKNOWN: BehaviourSignal = { status: 'absent', code: 'client_unknown' };
const UNAVAILABLE: BehaviourSignal = { status: 'unavailable', code: 'store_unavailable' };
const UNANSWERED: SharedAnswer = { replies: [], keptSinceMs: null };

/** One request: what is asked for it, and where the replies to that lie. */
type Question = {
  readonly request: DecisionRequest;
  readonly identity: Identity;
  readonly network: NetworkSignal;
  readonly keys: WindowKeys;
  readonly facts: DeviceFacts | null;
  readonly asked: Remembers;
};

/** Asks and tells the store that all replicas share. @param registeredOf what a client is registered by, which is no matter of the store. */
export function createSharedClients(options: SharedOptions, registeredOf: RegisteredOf, store: SharedStore): SharedClients {
  const { behaviour, device } = options;
  const calls = createSharedCalls();
  const reader = createSharedReader();

  function behaviourOf({ request, identity, network, keys, asked }: Question, answer: SharedAnswer): BehaviourSignal {
    if (behaviour === null) return NO_BEHAVIOUR;
    if (keys.client === null && keys.address === null && keys.token === null) return UNKNOWN;
    const { replies, keptSinceMs } = answer;
    const place = network.status === 'present' ? network.value : null;
    const record = asked.client === null ? null : reader.client(replies[asked.client], place, behaviour);
    const ofToken = asked.token === null ? null : reader.number(replies[asked.token]);
    const failed = asked.address === null ? null : reader.number(replies[asked.address]);
    const missed = [asked.client !== null && record === null, ofToken === 'failed', failed === 'failed'];
    const wanted = [asked.client, asked.token, asked.address].filter((place) => place !== null);
    const degraded = missed.includes(true);
    if (degraded && missed.filter((miss) => miss).length === wanted.length) return UNAVAILABLE;
    const { clockBackwards, degraded: partly, ...numbers } = record ?? NOBODY;
    const value: BehaviourValue = {
      ...numbers,
      scope: 'shared',
      degraded: partly || degraded,
      historyLost: keptSinceMs === null || request.receivedAtMs - keptSinceMs < LONGEST_MS,
      flags: behaviourFlags(clockBackwards, identity),
      tokenAddresses: typeof ofToken === 'number' ? ofToken : null,
      addressFailedCredentials: typeof failed === 'number' ? failed : null,
    };
    return { status: 'present', value };
  }

  /** What the gateway handed on, and what is registered, is known without the store: it stays where that is away. */
  function deviceOf({ identity, keys, facts, asked }: Question, { replies }: SharedAnswer): DeviceSignal {
    if (device === null) return NO_DEVICE;
    if (facts === null) return DEVICE_MISSING;
    const unknown = unknownDevice(facts, identity, 'shared', registeredOf);
    if (keys.client === null || asked.client === null) return { status: 'present', value: unknown };
    const known = reader.device(replies[asked.client], unknown, calls.deviceHash(facts), device);
    const shared = asked.fingerprint === null ? null : reader.number(replies[asked.fingerprint]);
    const value: DeviceValue = {
      ...(known ?? unknown),
      sharedByClients: typeof shared === 'number' ? shared : null,
      degraded: known === null || shared === 'failed',
    };
    return { status: 'present', value };
  }

  function signalsOf(question: Question, answer: SharedAnswer): RememberedSignals {
    return { device: deviceOf(question, answer), behaviour: behaviourOf(question, answer) };
  }

  return {
    look(request, identity, network, keys, budgetMs) {
      const facts = device === null ? null : deviceFacts(request, identity);
      const { make, asked, count } = calls.look({ request, identity, network, keys, facts, behaviour: behaviour !== null });
      const question = { request, identity, network, keys, facts, asked };
      const answer = count === 0 ? null : store.ask(make, request.receivedAtMs, budgetMs);
      return answer === null ? signalsOf(question, UNANSWERED) : answer.then((replies) => signalsOf(question, replies));
    },
    learn(record, client) {
      const make = calls.learn(record, client, { behaviour: behaviour !== null, device: device !== null });
      if (make !== null) store.tell(make, record.request.receivedAtMs);
    },
    outcome(client, outcome, nowMs) {
      const counted = COUNTED.indexOf(outcome);
      if (behaviour !== null && counted >= 0) store.tell(calls.event(client, FIRST_OUTCOME + counted, nowMs), nowMs);
    },
    status: () => store.status(),
  };
}

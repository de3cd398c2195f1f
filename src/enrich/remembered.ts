import type { BehaviourSignal, DeviceSignal } from '../contract/behaviour.ts';
import type { Identity } from '../contract/identity.ts';
import type { NetworkSignal } from '../contract/network.ts';
import type { DecisionRecord } from '../contract/record.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { Awaitable } from '../contract/stages.ts';
import type { RememberedStatus } from '../contract/status.ts';
import type { WindowKeys } from '../stores/windows.ts';
import type { Behaviour } from './behaviour/behaviour.ts';
import type { Reportable, RunningFeedback } from './behaviour/feedback.ts';
import type { Devices } from './device/device.ts';
import { boundedKey } from './rate.ts';
import type { SharedClients } from './shared/shared-clients.ts';

/** What is remembered of clients; each is null where it is switched off, and where all replicas remember together. */
export type Memories = {
  readonly behaviour: Behaviour | null;
  readonly devices: Devices | null;
  /** Both of them where all replicas remember together. */
  readonly shared?: SharedClients | null;
  /** Null where no gateway is trusted to report. */
  readonly feedback: RunningFeedback | null;
};

const NO_DEVICE: DeviceSignal = { status: 'absent', code: 'device_disabled' };
const NO_BEHAVIOUR: BehaviourSignal = { status: 'absent', code: 'behaviour_disabled' };

/** The two signals of one request. */
export type RememberedSignals = { readonly device: DeviceSignal; readonly behaviour: BehaviourSignal };

/** Counts a request in what is remembered, and tells it. */
export function lookAtMemories(
  { behaviour, devices, shared = null }: Memories,
  request: DecisionRequest,
  identity: Identity,
  network: NetworkSignal,
  keys: WindowKeys,
  budgetMs: number,
): Awaitable<RememberedSignals> {
  if (shared !== null) return shared.look(request, identity, network, keys, budgetMs);
  return {
    device: devices === null ? NO_DEVICE : devices.look(request, identity, keys.client),
    behaviour: behaviour === null ? NO_BEHAVIOUR : behaviour.look(request, identity, network, keys),
  };
}

/** Learns from a decision that was made. @param reportableOf is asked only where decisions can be reported on. */
export function learnFrom(
  { behaviour, devices, feedback, shared }: Memories,
  record: DecisionRecord,
  reportableOf: () => Reportable,
): void {
  const { identity, request, decision } = record;
  if (identity === null) return;
  const { client, asserted } = identity.subject;
  if (client !== null && !asserted) {
    const key = boundedKey(client);
    behaviour?.learn(record, key);
    devices?.learn(record, key);
    shared?.learn(record, key);
  }
  feedback?.note(decision.id, reportableOf(), request.receivedAtMs);
}

/** How much is remembered. */
export function memoriesStatus({ behaviour, devices, feedback, shared = null }: Memories): RememberedStatus {
  const ofBehaviour = behaviour?.entries();
  const ofDevices = devices?.entries();
  return {
    entries: {
      ...(ofBehaviour === undefined ? {} : ofBehaviour),
      ...(ofDevices === undefined ? {} : { device_clients: ofDevices.clients, fingerprints: ofDevices.fingerprints }),
    },
    feedback: feedback?.status() ?? null,
    ...(shared === null ? {} : { shared: shared.status() }),
  };
}

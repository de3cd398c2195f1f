import type { DeviceBasis, DeviceSignal, MemoryScope } from '../../contract/behaviour.ts';
import type { Identity } from '../../contract/identity.ts';
import type { DecisionRecord } from '../../contract/record.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Cells } from '../../stores/record-pool.ts';
import { DistinctPool, timeOf } from '../behaviour/distinct-pool.ts';
import { KeyedHash } from '../behaviour/keyed-hash.ts';
import { LONGEST_MS, type MemoryMakers } from '../behaviour/memory.ts';
import { deviceFacts, fingerprintOf, hashDevice, isFingerprint, readDevice, unknownDevice, withShared } from './device-facts.ts';
import { DEVICE_SHAPE, FIRST, SEEN, TIMES_ALLOWED } from './device-record.ts';
import type { RegisteredOf } from './known.ts';
import { rememberDevice } from './seen-devices.ts';

/** What device is configured by. */
export type DeviceOptions = {
  /** Clients; of fingerprints a quarter as many. */
  readonly entriesMax: number;
  readonly learningRequests: number;
  readonly learningHours: number;
};

/** What asks, as far as this process has seen. */
export interface Devices {
  /** @param client bounded key of the verified client, or null. */
  look(request: DecisionRequest, identity: Identity, client: string | null): DeviceSignal;
  /** Learns from what was decided. */
  learn(record: DecisionRecord, client: string): void;
  entries(): { readonly clients: number; readonly fingerprints: number };
}

const MISSING: DeviceSignal = { status: 'absent', code: 'device_missing' };
const FULL: DeviceSignal = { status: 'unavailable', code: 'store_full' };

/** First-seen memory a client, clients a fingerprint, and registered devices. */
export function createDevices(options: DeviceOptions, scope: MemoryScope, registeredOf: RegisteredOf, makers: MemoryMakers): Devices {
  const { entriesMax } = options;
  const hash = new KeyedHash(makers.hashKey);
  const clients = makers.records({ entriesMax, shape: DEVICE_SHAPE, idleMs: LONGEST_MS, onEvict: () => undefined });
  const fingerprintsMax = Math.ceil(entriesMax / 4);
  const fingerprints = new DistinctPool(makers, fingerprintsMax, fingerprintsMax);

  /** Clients of this fingerprint; a user agent is shared by everybody who uses the same library. */
  function sharedBy(basis: DeviceBasis | null, fingerprint: string, client: string, nowMs: number): number {
    if (!isFingerprint(basis)) return 0;
    hash.text('k', client);
    return fingerprints.add(fingerprint, nowMs, hash);
  }

  return {
    look(request, identity, client) {
      const facts = deviceFacts(request, identity);
      if (facts === null) return MISSING;
      const unknown = unknownDevice(facts, identity, scope, registeredOf);
      if (client === null) return { status: 'present', value: unknown };

      const cells = clients.take(client, request.receivedAtMs);
      if (cells === null) return FULL;
      const nowMs = timeOf(cells, request.receivedAtMs);
      startOf(cells, nowMs);
      const value = readDevice(cells, nowMs, unknown, hashDevice(hash, facts), options);
      // a fingerprint has a time of its own, as the client has
      const shared = sharedBy(facts.basis, facts.text, client, request.receivedAtMs);
      return { status: 'present', value: withShared(value, shared) };
    },

    learn({ request, decision }, client) {
      if (decision.effect !== 'allow') return;
      const cells = clients.find(client);
      if (cells === null) return;
      const nowMs = timeOf(cells, request.receivedAtMs);
      const { words, word } = cells;
      words[word + TIMES_ALLOWED] = Math.min((words[word + TIMES_ALLOWED] ?? 0) + 1, 0xffff_fffe);
      const hashed = hashDevice(hash, fingerprintOf(request));
      if (hashed !== null) rememberDevice(words, word + SEEN, hashed, Math.max(1, Math.floor(nowMs / 1000)));
    },
    entries: () => ({ clients: clients.size, fingerprints: fingerprints.size }),
  };
}

/** Learning begins with the first request; a clock that was set back before it does not make it last for ever. */
function startOf(cells: Cells, nowMs: number): void {
  const at = cells.float + FIRST;
  if (cells.fresh || (cells.floats[at] ?? 0) > nowMs) cells.floats[at] = nowMs;
}

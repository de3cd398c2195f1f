import type { DeviceBasis, DeviceSignal, DeviceValue, MemoryScope } from '../../contract/behaviour.ts';
import type { Identity } from '../../contract/identity.ts';
import type { DecisionRecord } from '../../contract/record.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Cells } from '../../stores/record-pool.ts';
import { NOT_COUNTED } from '../behaviour/distinct.ts';
import { DistinctPool, timeOf } from '../behaviour/distinct-pool.ts';
import { KeyedHash } from '../behaviour/keyed-hash.ts';
import { LONGEST_MS, type MemoryMakers } from '../behaviour/memory.ts';
import { isKnownDevice, type RegisteredOf } from './known.ts';
import { findDevice, firstSeenAt, hasOverflown, rememberDevice, SEEN_WORDS } from './seen-devices.ts';

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

const USER_AGENT_MAX = 512;
const HOUR_MS = 3_600_000;
const MISSING: DeviceSignal = { status: 'absent', code: 'device_missing' };
const FULL: DeviceSignal = { status: 'unavailable', code: 'store_full' };

/** Floats: last use, first use. Words: times allowed, then the devices. */
const FIRST = 1;
const SEEN = 1;

/** First-seen memory a client, clients a fingerprint, and registered devices. */
export function createDevices(options: DeviceOptions, scope: MemoryScope, registeredOf: RegisteredOf, makers: MemoryMakers): Devices {
  const { entriesMax, learningRequests, learningHours } = options;
  const hash = new KeyedHash(makers.hashKey);
  const shape = { floats: 2, words: SEEN + SEEN_WORDS, halves: 0 };
  const clients = makers.records({ entriesMax, shape, idleMs: LONGEST_MS, onEvict: () => undefined });
  const fingerprintsMax = Math.ceil(entriesMax / 4);
  const fingerprints = new DistinctPool(makers, fingerprintsMax, fingerprintsMax);

  function isLearning(cells: Cells, nowMs: number): boolean {
    const since = cells.floats[cells.float + FIRST] ?? 0;
    return (cells.words[cells.word] ?? 0) < learningRequests || nowMs - since < learningHours * HOUR_MS;
  }

  /** Clients of this fingerprint; a user agent is shared by everybody who uses the same library. */
  function sharedBy(basis: DeviceBasis | null, fingerprint: string, client: string, nowMs: number): number {
    if (basis !== 'ja4' && basis !== 'ja3') return 0;
    hash.text('k', client);
    return fingerprints.add(fingerprint, nowMs, hash);
  }

  return {
    look(request, identity, client) {
      const { ja3, ja4 } = request.tls;
      const userAgent = userAgentOf(request);
      const certificate = identity.signals.certificate.status === 'present' ? identity.signals.certificate.value.sha256 : null;
      if (ja3 === null && ja4 === null && userAgent === null && certificate === null) return MISSING;
      const basis = basisOf(ja4, ja3, userAgent);
      const named = identity.subject.asserted ? null : identity.subject.client;
      const value: DeviceValue = {
        ja3,
        ja4,
        userAgent,
        basis,
        newForClient: null,
        firstSeen: null,
        sharedByClients: null,
        known: named === null ? null : isKnownDevice(registeredOf(named), { certificate, ja3, ja4 }),
        learning: true,
        scope,
        degraded: false,
      };
      if (client === null) return { status: 'present', value };

      const cells = clients.take(client, request.receivedAtMs);
      if (cells === null) return FULL;
      const nowMs = timeOf(cells, request.receivedAtMs);
      startOf(cells, nowMs);
      const learning = isLearning(cells, nowMs);
      const text = ja4 ?? ja3 ?? userAgent ?? '';
      let found = -1;
      if (basis !== null) {
        hash.text(basis, text);
        found = findDevice(cells.words, cells.word + SEEN, hash);
      }
      const unsaid = basis === null || learning || (found < 0 && hasOverflown(cells.words, cells.word + SEEN));
      const shared = sharedBy(basis, text, client, nowMs);
      return {
        status: 'present',
        value: {
          ...value,
          newForClient: unsaid ? null : found < 0,
          firstSeen: found < 0 ? null : firstSeenAt(cells.words, found),
          sharedByClients: shared === 0 || shared === NOT_COUNTED ? null : shared,
          learning,
          degraded: shared === NOT_COUNTED,
        },
      };
    },

    learn({ request, decision }, client) {
      if (decision.effect !== 'allow') return;
      const cells = clients.find(client);
      if (cells === null) return;
      const nowMs = timeOf(cells, request.receivedAtMs);
      const { words, word } = cells;
      words[word] = Math.min((words[word] ?? 0) + 1, 0xffff_fffe);
      const { ja3, ja4 } = request.tls;
      const userAgent = userAgentOf(request);
      const basis = basisOf(ja4, ja3, userAgent);
      if (basis === null) return;
      hash.text(basis, ja4 ?? ja3 ?? userAgent ?? '');
      rememberDevice(words, word + SEEN, hash, Math.max(1, Math.floor(nowMs / 1000)));
    },
    entries: () => ({ clients: clients.size, fingerprints: fingerprints.size }),
  };
}

/** Learning begins with the first request; a clock that was set back before it does not make it last for ever. */
function startOf(cells: Cells, nowMs: number): void {
  const at = cells.float + FIRST;
  if (cells.fresh || (cells.floats[at] ?? 0) > nowMs) cells.floats[at] = nowMs;
}

function basisOf(ja4: string | null, ja3: string | null, userAgent: string | null): DeviceBasis | null {
  if (ja4 !== null) return 'ja4';
  if (ja3 !== null) return 'ja3';
  return userAgent === null ? null : 'user_agent';
}

function userAgentOf({ http }: DecisionRequest): string | null {
  const value = http?.headers.get('user-agent')?.[0] ?? '';
  if (value === '') return null;
  return value.length > USER_AGENT_MAX ? value.slice(0, USER_AGENT_MAX).toWellFormed() : value;
}

import type { DeviceBasis, DeviceValue, MemoryScope } from '../../contract/behaviour.ts';
import type { Identity } from '../../contract/identity.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Cells } from '../../stores/record-pool.ts';
import { type Hash, NOT_COUNTED } from '../behaviour/distinct.ts';
import type { KeyedHash } from '../behaviour/keyed-hash.ts';
import type { DeviceOptions } from './device.ts';
import { FIRST, SEEN, TIMES_ALLOWED } from './device-record.ts';
import { isKnownDevice, type RegisteredOf } from './known.ts';
import { findDevice, firstSeenAt, hasOverflown } from './seen-devices.ts';

/* What a request says of the device, and what a client's record says of it, wherever that is kept. */

/** The strongest thing that a device is told by; `basis` is null where there is none, and `text` empty. */
export type Fingerprint = { readonly basis: DeviceBasis | null; readonly text: string };

export type DeviceFacts = Fingerprint & {
  readonly ja3: string | null;
  readonly ja4: string | null;
  readonly userAgent: string | null;
  /** SHA-256 of a certificate that was presented. */
  readonly certificate: string | null;
};

const USER_AGENT_MAX = 512;
const HOUR_MS = 3_600_000;

/** Null where the request brought nothing of a device. */
export function deviceFacts(request: DecisionRequest, { signals }: Identity): DeviceFacts | null {
  const { ja3, ja4 } = request.tls;
  const userAgent = userAgentOf(request);
  const certificate = signals.certificate.status === 'present' ? signals.certificate.value.sha256 : null;
  if (ja3 === null && ja4 === null && userAgent === null && certificate === null) return null;
  return { ja3, ja4, userAgent, certificate, basis: basisOf(ja4, ja3, userAgent), text: ja4 ?? ja3 ?? userAgent ?? '' };
}

/** The strongest thing in a request that a device is told by. */
export function fingerprintOf(request: DecisionRequest): Fingerprint {
  const { ja3, ja4 } = request.tls;
  const userAgent = userAgentOf(request);
  return { basis: basisOf(ja4, ja3, userAgent), text: ja4 ?? ja3 ?? userAgent ?? '' };
}

/** A user agent is shared by everybody who uses the same library. */
export function isFingerprint(basis: DeviceBasis | null): boolean {
  return basis === 'ja4' || basis === 'ja3';
}

/** Null where there is nothing to tell the device by. The hash is good until the next one is made. */
export function hashDevice(hash: KeyedHash, { basis, text }: Fingerprint): Hash | null {
  if (basis === null) return null;
  hash.text(basis, text);
  return hash;
}

/** What is told where nothing is remembered: of a client that is not verified, or cannot be asked for. */
export function unknownDevice(facts: DeviceFacts, identity: Identity, scope: MemoryScope, registeredOf: RegisteredOf): DeviceValue {
  const { ja3, ja4, userAgent, certificate, basis } = facts;
  const named = identity.subject.asserted ? null : identity.subject.client;
  return {
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
}

/** The same with what the client's record says. @param hash of the device, null where it is told by nothing. */
export function readDevice(
  cells: Cells,
  nowMs: number,
  unknown: DeviceValue,
  hash: Hash | null,
  { learningRequests, learningHours }: Pick<DeviceOptions, 'learningRequests' | 'learningHours'>,
): DeviceValue {
  const { words, word, floats, float } = cells;
  const since = floats[float + FIRST] ?? 0;
  const learning = (words[word + TIMES_ALLOWED] ?? 0) < learningRequests || nowMs - since < learningHours * HOUR_MS;
  const found = hash === null ? -1 : findDevice(words, word + SEEN, hash);
  const unsaid = hash === null || learning || (found < 0 && hasOverflown(words, word + SEEN));
  return {
    ...unknown,
    newForClient: unsaid ? null : found < 0,
    firstSeen: found < 0 ? null : firstSeenAt(words, found),
    learning,
  };
}

/** @param shared clients of this fingerprint; 0 where that is not asked. */
export function withShared(value: DeviceValue, shared: number): DeviceValue {
  if (shared === 0) return value;
  return shared === NOT_COUNTED ? { ...value, degraded: true } : { ...value, sharedByClients: shared };
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

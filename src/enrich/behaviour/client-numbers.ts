import type { BehaviourValue } from '../../contract/behaviour.ts';
import type { Decision } from '../../contract/decision.ts';
import type { NetworkCoordinates, NetworkValue } from '../../contract/network.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Cells } from '../../stores/record-pool.ts';
import { baselineDeviation, baselineMean } from './baseline.ts';
import type { BehaviourOptions } from './behaviour.ts';
import {
  ACCURACY,
  ALLOWED,
  ASNS_KNOWN,
  ASNS_MAX,
  BASELINE,
  COUNTRIES_KNOWN,
  COUNTRIES_MAX,
  countryNumber,
  EVENTS,
  FIRST,
  floatOf,
  HOUR,
  LAST_ALLOWED,
  LATITUDE,
  LONGITUDE,
  MINUTE,
  PLACE_AT,
} from './client-record.ts';
import { type Hash, NOT_COUNTED } from './distinct.ts';
import { DENIALS, eventsOf, FIRST_OUTCOME, STEP_UPS } from './hour-counts.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { isNew } from './novelty.ts';
import { travelBetween } from './places.ts';

/* What a client's record says, wherever it is kept: in this process, or in a store that all replicas share. */

/** The numbers of a client. */
export type ClientNumbers = Omit<BehaviourValue, 'scope' | 'flags' | 'tokenAddresses' | 'addressFailedCredentials'> & {
  readonly clockBackwards: boolean;
};

/** What is known of a request besides the record. */
export type ClientLook = {
  /** The record's own time, unix milliseconds. */
  readonly nowMs: number;
  readonly clockBackwards: boolean;
  /** Numbers of the distinct sets, this request included. */
  readonly sets: { readonly resources: number; readonly addresses: number; readonly asns: number };
  readonly place: NetworkValue | null;
};

/** A request that is older than the newest one by more than this is told. */
export const BACKWARDS_MIN_MS = 5000;
const HOUR_MS = 3_600_000;
/** Denials that tell nothing of what the client does: a rule that could not tell (503), a credential that was refused or revoked (401). */
const UNCOUNTED: ReadonlySet<number> = new Set([401, 503]);

/** Reads a record that the request is counted in. */
export function readClient(
  cells: Cells,
  { nowMs, clockBackwards, sets, place }: ClientLook,
  { learningRequests, learningHours }: Pick<BehaviourOptions, 'learningRequests' | 'learningHours'>,
): ClientNumbers {
  const { words, word, halves, half, float } = cells;
  const { resources, addresses, asns } = sets;
  const allowed = words[word + ALLOWED] ?? 0;
  const learning = allowed < learningRequests || nowMs - floatOf(cells, FIRST) < learningHours * HOUR_MS;
  const minute = words[word + MINUTE + 1] ?? 0;
  const mean = baselineMean(cells, float + BASELINE, word + MINUTE);
  const lastAllowedMs = floatOf(cells, LAST_ALLOWED);
  const country = countryNumber(place?.country ?? null);
  const asn = place?.asn ?? null;
  const travel = travelOf(cells, place, nowMs);
  return {
    learning,
    clockBackwards,
    degraded: resources === NOT_COUNTED || addresses === NOT_COUNTED || asns === NOT_COUNTED,
    requestsMinute: minute,
    requestsMinuteMean: mean,
    requestsDeviation: mean === null ? null : baselineDeviation(cells, float + BASELINE, minute),
    resources: resources === NOT_COUNTED ? null : resources,
    addresses: addresses === NOT_COUNTED ? null : addresses,
    asns: asns === NOT_COUNTED ? null : asns,
    denials: eventsOf(cells, word + HOUR, half + EVENTS, nowMs, DENIALS),
    stepUps: eventsOf(cells, word + HOUR, half + EVENTS, nowMs, STEP_UPS),
    outcomes: outcomesOf(cells, nowMs),
    idleSeconds: lastAllowedMs === 0 ? null : Math.floor((nowMs - lastAllowedMs) / 1000),
    countryNew: learning || country === null ? null : isNew(halves, half + COUNTRIES_KNOWN, COUNTRIES_MAX, country),
    asnNew: learning || asn === null ? null : isNew(words, word + ASNS_KNOWN, ASNS_MAX, asn),
    travelKm: travel?.km ?? null,
    travelKmh: travel?.kmh ?? null,
  };
}

/** Whether a decision says anything about the client: one that could not be made does not. */
export function teaches({ error, effect, response }: Decision): boolean {
  return error === null && !(effect === 'deny' && UNCOUNTED.has(response?.status ?? 0));
}

/** Host and path, the query left out; without an HTTP request the resource that the gateway names. */
export function hashResource(hash: KeyedHash, { http, resource }: DecisionRequest): Hash | null {
  if (http !== null) hash.text(http.host, http.path);
  else if (resource !== null) hash.text(`${resource.type}:`, resource.id);
  else return null;
  return hash;
}

/** An address, or its prefix, as one of the client's or token's; null where it is not known. */
export function hashAddress(hash: KeyedHash, address: string | null): Hash | null {
  if (address === null) return null;
  hash.text('a', address);
  return hash;
}

/** An AS number; null where it is not known. */
export function hashAsn(hash: KeyedHash, asn: number | null): Hash | null {
  if (asn === null) return null;
  hash.number(asn);
  return hash;
}

function outcomesOf(cells: Cells, nowMs: number): NonNullable<BehaviourValue['outcomes']> {
  const of = (index: number): number => eventsOf(cells, cells.word + HOUR, cells.half + EVENTS, nowMs, FIRST_OUTCOME + index);
  return { failure: of(0), abuse: of(1) };
}

function travelOf(cells: Cells, place: NetworkValue | null, nowMs: number): { readonly km: number; readonly kmh: number } | null {
  const placeAtMs = floatOf(cells, PLACE_AT);
  const to = place?.coordinates ?? null;
  if (to === null || placeAtMs === 0) return null;
  const accuracy = floatOf(cells, ACCURACY);
  const from: NetworkCoordinates = {
    latitude: floatOf(cells, LATITUDE),
    longitude: floatOf(cells, LONGITUDE),
    accuracyKm: accuracy < 0 ? null : accuracy,
  };
  return travelBetween(from, placeAtMs, to, nowMs);
}

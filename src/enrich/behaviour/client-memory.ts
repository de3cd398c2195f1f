import type { BehaviourValue } from '../../contract/behaviour.ts';
import type { NetworkCoordinates, NetworkSignal, NetworkValue } from '../../contract/network.ts';
import type { DecisionRecord } from '../../contract/record.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Records } from '../../stores/pool-overlay.ts';
import type { Cells } from '../../stores/record-pool.ts';
import { baselineDeviation, baselineMean, countMinute } from './baseline.ts';
import type { BehaviourOptions } from './behaviour.ts';
import {
  ACCURACY,
  ADDRESSES,
  ALLOWED,
  ASNS,
  ASNS_KNOWN,
  ASNS_MAX,
  BASELINE,
  BLOCKS_PER_CLIENT,
  CLIENT_SETS,
  CLIENT_SHAPE,
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
  NEWEST,
  PLACE_AT,
  RESOURCES,
} from './client-record.ts';
import { DistinctSets, NOT_COUNTED } from './distinct.ts';
import { countEvent, DENIALS, eventsOf, FIRST_OUTCOME, STEP_UPS } from './hour-counts.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { LONGEST_MS, type MemoryMakers } from './memory.ts';
import { isNew, remember } from './novelty.ts';
import { travelBetween } from './places.ts';

/** The numbers of a client. */
export type ClientNumbers = Omit<BehaviourValue, 'scope' | 'flags' | 'tokenAddresses' | 'addressFailedCredentials'> & {
  readonly clockBackwards: boolean;
};

/** Denials that tell nothing of what the client does: a rule that could not tell (503), a credential that was refused or revoked (401). */
const UNCOUNTED: ReadonlySet<number> = new Set([401, 503]);
const BACKWARDS_MIN_MS = 5000;
const HOUR_MS = 3_600_000;

/** What is remembered of verified clients: one record of fixed size each. */
export class ClientMemory {
  readonly #options: BehaviourOptions;
  readonly #hash: KeyedHash;
  readonly #records: Records;
  readonly #sets: DistinctSets;

  constructor(options: BehaviourOptions, makers: MemoryMakers, hash: KeyedHash) {
    this.#options = options;
    this.#hash = hash;
    const sets = new DistinctSets(makers.blocks(options.entriesMax * BLOCKS_PER_CLIENT), makers.pointer());
    this.#sets = sets;
    this.#records = makers.records({
      entriesMax: options.entriesMax,
      shape: CLIENT_SHAPE,
      idleMs: LONGEST_MS,
      onEvict: ({ words, word }) => {
        for (const set of CLIENT_SETS) sets.clear(words, word + set);
      },
    });
  }

  get size(): number {
    return this.#records.size;
  }

  /** Counts a request and tells the numbers with it. @returns null where the client is new and the memory full. */
  look(client: string, request: DecisionRequest, network: NetworkSignal, address: string | null): ClientNumbers | null {
    const cells = this.#records.take(client, request.receivedAtMs);
    if (cells === null) return null;
    const backwards = !cells.fresh && floatOf(cells, NEWEST) - request.receivedAtMs > BACKWARDS_MIN_MS;
    const nowMs = timeOfClient(cells, request.receivedAtMs);
    const { words, word, halves, half, float } = cells;
    const place = network.status === 'present' ? network.value : null;
    const learning = this.#isLearning(cells, nowMs);

    const minute = countMinute(cells, float + BASELINE, word + MINUTE, nowMs);
    const mean = baselineMean(cells, float + BASELINE, word + MINUTE);
    const resources = this.#resources(words, word + RESOURCES, nowMs, request);
    const addresses = this.#addText(words, word + ADDRESSES, nowMs, address);
    const asns = this.#addNumber(words, word + ASNS, nowMs, place?.asn ?? null);
    const lastAllowedMs = floatOf(cells, LAST_ALLOWED);
    const country = countryNumber(place?.country ?? null);
    const asn = place?.asn ?? null;
    const travel = travelOf(cells, place, nowMs);
    return {
      learning,
      clockBackwards: backwards,
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

  /**
   * Learns from a decision. Only what was allowed teaches: else whoever is refused for a new place would be known there at the second try.
   * A decision that could not be made says nothing about the client.
   */
  learn(client: string, { request, decision, enrichment }: DecisionRecord): void {
    if (decision.error !== null || (decision.effect === 'deny' && UNCOUNTED.has(decision.response?.status ?? 0))) return;
    const cells = this.#records.find(client);
    if (cells === null) return;
    const nowMs = timeOfClient(cells, request.receivedAtMs);
    const { floats, float, words, word, halves, half } = cells;
    if (decision.effect !== 'allow') {
      countEvent(cells, word + HOUR, half + EVENTS, nowMs, decision.effect === 'deny' ? DENIALS : STEP_UPS);
      return;
    }
    words[word + ALLOWED] = Math.min((words[word + ALLOWED] ?? 0) + 1, 0xffff_fffe);
    floats[float + LAST_ALLOWED] = nowMs;
    if (enrichment?.network.status !== 'present') return;
    const { country, asn, coordinates } = enrichment.network.value;
    const number = countryNumber(country);
    if (number !== null) remember(halves, half + COUNTRIES_KNOWN, COUNTRIES_MAX, number);
    if (asn !== null) remember(words, word + ASNS_KNOWN, ASNS_MAX, asn);
    if (coordinates === null) return;
    floats[float + PLACE_AT] = nowMs;
    floats[float + LATITUDE] = coordinates.latitude;
    floats[float + LONGITUDE] = coordinates.longitude;
    floats[float + ACCURACY] = coordinates.accuracyKm ?? -1;
  }

  /** Counts a reported outcome; of a client that was forgotten meanwhile nothing. */
  outcome(client: string, outcome: number, receivedAtMs: number): void {
    const cells = this.#records.find(client);
    if (cells === null) return;
    countEvent(cells, cells.word + HOUR, cells.half + EVENTS, timeOfClient(cells, receivedAtMs), FIRST_OUTCOME + outcome);
  }

  #isLearning(cells: Cells, nowMs: number): boolean {
    const { learningRequests, learningHours } = this.#options;
    return (cells.words[cells.word + ALLOWED] ?? 0) < learningRequests || nowMs - floatOf(cells, FIRST) < learningHours * HOUR_MS;
  }

  /** Host and path, the query left out; without an HTTP request the resource that the gateway names. */
  #resources(words: Uint32Array, at: number, nowMs: number, { http, resource }: DecisionRequest): number {
    if (http !== null) this.#hash.text(http.host, http.path);
    else if (resource !== null) this.#hash.text(`${resource.type}:`, resource.id);
    else return this.#sets.count(words, at, nowMs);
    return this.#sets.add(words, at, nowMs, this.#hash);
  }

  #addText(words: Uint32Array, at: number, nowMs: number, text: string | null): number {
    if (text === null) return this.#sets.count(words, at, nowMs);
    this.#hash.text('a', text);
    return this.#sets.add(words, at, nowMs, this.#hash);
  }

  #addNumber(words: Uint32Array, at: number, nowMs: number, number: number | null): number {
    if (number === null) return this.#sets.count(words, at, nowMs);
    this.#hash.number(number);
    return this.#sets.add(words, at, nowMs, this.#hash);
  }
}

/** Time never runs backwards for a client; where it is set back by more than is counted over, the client's windows begin afresh. */
function timeOfClient(cells: Cells, receivedAtMs: number): number {
  const { floats, float } = cells;
  const newest = floats[float + NEWEST] ?? 0;
  const nowMs = receivedAtMs < newest && newest - receivedAtMs <= LONGEST_MS ? newest : receivedAtMs;
  floats[float + NEWEST] = nowMs;
  if (cells.fresh) floats[float + FIRST] = nowMs;
  if (nowMs < newest) {
    for (const field of [FIRST, LAST_ALLOWED, PLACE_AT]) floats[float + field] = Math.min(floats[float + field] ?? 0, nowMs);
  }
  return nowMs;
}

function outcomesOf(cells: Cells, nowMs: number): NonNullable<BehaviourValue['outcomes']> {
  const of = (index: number): number => eventsOf(cells, cells.word + HOUR, cells.half + EVENTS, nowMs, FIRST_OUTCOME + index);
  return { success: of(0), failure: of(1), error: of(2), abuse: of(3) };
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

import { COUNTED_OUTCOMES, type Outcome } from '../../contract/behaviour.ts';
import type { NetworkSignal } from '../../contract/network.ts';
import type { DecisionRecord } from '../../contract/record.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Records } from '../../stores/pool-overlay.ts';
import type { Cells } from '../../stores/record-pool.ts';
import { countMinute } from './baseline.ts';
import type { BehaviourOptions } from './behaviour.ts';
import { BACKWARDS_MIN_MS, type ClientNumbers, hashAddress, hashAsn, hashResource, readClient, teaches } from './client-numbers.ts';
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
import { DistinctSets, type Hash } from './distinct.ts';
import { countEvent, DENIALS, FIRST_OUTCOME, STEP_UPS } from './hour-counts.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { LONGEST_MS, type MemoryMakers } from './memory.ts';
import { remember } from './novelty.ts';

const COUNTED: readonly Outcome[] = COUNTED_OUTCOMES;

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
    const clockBackwards = !cells.fresh && floatOf(cells, NEWEST) - request.receivedAtMs > BACKWARDS_MIN_MS;
    const nowMs = timeOfClient(cells, request.receivedAtMs);
    const { words, word, float } = cells;
    const place = network.status === 'present' ? network.value : null;
    countMinute(cells, float + BASELINE, word + MINUTE, nowMs);
    const sets = {
      resources: this.#addHash(words, word + RESOURCES, nowMs, hashResource(this.#hash, request)),
      addresses: this.#addHash(words, word + ADDRESSES, nowMs, hashAddress(this.#hash, address)),
      asns: this.#addHash(words, word + ASNS, nowMs, hashAsn(this.#hash, place?.asn ?? null)),
    };
    return readClient(cells, { nowMs, clockBackwards, sets, place }, this.#options);
  }

  /**
   * Learns from a decision. Only what was allowed teaches: else whoever is refused for a new place would be known there at the second try.
   * A decision that could not be made says nothing about the client.
   */
  learn(client: string, { request, decision, enrichment }: DecisionRecord): void {
    if (!teaches(decision)) return;
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

  /** Counts a reported outcome that is counted; of a client that was forgotten meanwhile nothing. */
  outcome(client: string, outcome: Outcome, receivedAtMs: number): void {
    const counted = COUNTED.indexOf(outcome);
    if (counted < 0) return;
    const cells = this.#records.find(client);
    if (cells === null) return;
    countEvent(cells, cells.word + HOUR, cells.half + EVENTS, timeOfClient(cells, receivedAtMs), FIRST_OUTCOME + counted);
  }

  #addHash(words: Uint32Array, at: number, nowMs: number, hash: Hash | null): number {
    return hash === null ? this.#sets.count(words, at, nowMs) : this.#sets.add(words, at, nowMs, hash);
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

import type { BehaviourFlag, BehaviourSignal, BehaviourValue, MemoryScope, Outcome } from '../../contract/behaviour.ts';
import type { Identity } from '../../contract/identity.ts';
import type { NetworkSignal } from '../../contract/network.ts';
import type { DecisionRecord } from '../../contract/record.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import { ClientMemory } from './client-memory.ts';
import type { ClientNumbers } from './client-numbers.ts';
import { NOT_COUNTED } from './distinct.ts';
import { DistinctPool } from './distinct-pool.ts';
import { KeyedHash } from './keyed-hash.ts';
import { LONGEST_MS, type MemoryMakers } from './memory.ts';

/** What behaviour is configured by. */
export type BehaviourOptions = {
  /** Clients; of tokens and of addresses with refused credentials as many each. */
  readonly entriesMax: number;
  readonly learningRequests: number;
  readonly learningHours: number;
};

/** Keys that a request is remembered under, bounded in length; only verified evidence makes a client or token key. */
export type MemoryKeys = { readonly client: string | null; readonly address: string | null; readonly token: string | null };

/** Entries by pool. */
export type BehaviourEntries = { readonly clients: number; readonly tokens: number; readonly addresses: number };

/** Numbers about who asks, as far as this process has seen. */
export interface Behaviour {
  /** Counts the request and tells the numbers with it. */
  look(request: DecisionRequest, identity: Identity, network: NetworkSignal, keys: MemoryKeys): BehaviourSignal;
  /** Learns from what was decided. */
  learn(record: DecisionRecord, client: string): void;
  /** Counts a reported outcome. */
  outcome(client: string, outcome: Outcome, nowMs: number): void;
  entries(): BehaviourEntries;
}

const KEY_MAX = 1024;
const UNKNOWN: BehaviourSignal = { status: 'absent', code: 'client_unknown' };
const FULL: BehaviourSignal = { status: 'unavailable', code: 'store_full' };
const NO_FLAGS: readonly BehaviourFlag[] = [];
/** Of no client, or of one whose record could not be read. */
export const NOBODY: ClientNumbers = {
  learning: true,
  clockBackwards: false,
  degraded: false,
  requestsMinute: null,
  requestsMinuteMean: null,
  requestsDeviation: null,
  resources: null,
  addresses: null,
  asns: null,
  denials: null,
  stepUps: null,
  outcomes: null,
  idleSeconds: null,
  countryNew: null,
  asnNew: null,
  travelKm: null,
  travelKmh: null,
};

/** Three memories apart: nothing that comes without verified evidence can touch what is known of clients and tokens. */
export function createBehaviour(options: BehaviourOptions, scope: MemoryScope, makers: MemoryMakers): Behaviour {
  const { entriesMax } = options;
  const hash = new KeyedHash(makers.hashKey);
  const clients = new ClientMemory(options, makers, hash);
  // one in four: full to the last block, all three memories of 100,000 entries stay below 250 MB
  const few = Math.ceil(entriesMax / 4);
  const tokens = new DistinctPool(makers, entriesMax, few);
  const addresses = new DistinctPool(makers, entriesMax, few);

  function tokenAddresses({ token, address }: MemoryKeys, nowMs: number): number {
    if (token === null || address === null) return 0;
    hash.text('a', address);
    return tokens.add(token, nowMs, hash);
  }

  /** Distinct ones: a client that tries its one expired token again and again is no attacker. */
  function failedCredentials(request: DecisionRequest, identity: Identity, address: string, nowMs: number): number {
    const credential = refusedCredential(request, identity);
    if (credential === undefined) return addresses.count(address, nowMs);
    hash.text('c', credential);
    return addresses.add(address, nowMs, hash);
  }

  return {
    look(request, identity, network, keys) {
      const { client, address, token } = keys;
      if (client === null && address === null && token === null) return UNKNOWN;
      const nowMs = request.receivedAtMs;
      const known = client === null ? NOBODY : clients.look(client, request, network, address);
      if (known === null) return FULL;
      const ofToken = tokenAddresses(keys, nowMs);
      const failed = address === null ? 0 : failedCredentials(request, identity, address, nowMs);
      const { degraded, clockBackwards, ...numbers } = known;
      const value: BehaviourValue = {
        ...numbers,
        scope,
        historyLost: makers.startedAtMs !== undefined && nowMs - makers.startedAtMs < LONGEST_MS,
        degraded: degraded || ofToken === NOT_COUNTED || failed === NOT_COUNTED,
        flags: behaviourFlags(clockBackwards, identity),
        tokenAddresses: token === null || address === null ? null : counted(ofToken),
        addressFailedCredentials: address === null ? null : counted(failed),
      };
      return { status: 'present', value };
    },
    learn: (record, client) => clients.learn(client, record),
    outcome: (client, outcome, nowMs) => clients.outcome(client, outcome, nowMs),
    entries: () => ({ clients: clients.size, tokens: tokens.size, addresses: addresses.size }),
  };
}

/** The credential that was offered and refused: a token, else an API key. */
export function refusedCredential({ credentials }: DecisionRequest, { signals }: Identity): string | undefined {
  if (signals.token.status === 'invalid') return credentials.authorization[0];
  return signals.apiKey.status === 'invalid' ? (credentials.apiKeys[0] ?? credentials.authorization[0]) : undefined;
}

/** A number, or null where it could not be counted. */
export function counted(count: number): number | null {
  return count === NOT_COUNTED ? null : count;
}

/** What was odd about a request. */
export function behaviourFlags(clockBackwards: boolean, { subject }: Identity): readonly BehaviourFlag[] {
  const keyLong = (subject.client?.length ?? 0) > KEY_MAX;
  if (!clockBackwards && !keyLong) return NO_FLAGS;
  return [...(clockBackwards ? (['clock_backwards'] as const) : []), ...(keyLong ? (['key_long'] as const) : [])];
}

import type { Decision } from './decision.ts';
import type { Pep } from './pep.ts';
import type { Signal } from './signals.ts';
import type { Awaitable } from './stages.ts';

/* What is remembered of clients: the two signals, and what gateways report afterwards. */

/** Where the memory behind a signal lives: in the only process, in this one of several replicas, each with its own, or in a store that all replicas share. */
export type MemoryScope = 'process' | 'replica' | 'shared';

/** `client_unknown`: no verified client and nothing offered; `device_disabled`, `behaviour_disabled`: switched off. */
export type DeviceCode = 'device_missing' | 'device_disabled' | 'store_full';
export type BehaviourCode = 'client_unknown' | 'behaviour_disabled' | 'store_full' | 'store_unavailable';

/** What a device is told by: the strongest thing that the gateway handed on. */
export type DeviceBasis = 'ja4' | 'ja3' | 'user_agent';

/** What is known of the TLS client or program that asks. */
export type DeviceValue = {
  /** Lower case; only from a gateway trusted for `fingerprint`. */
  readonly ja3: string | null;
  readonly ja4: string | null;
  /** As the client sent it, cut at 512 characters: the client's own word. */
  readonly userAgent: string | null;
  readonly basis: DeviceBasis | null;
  /** Null while learning, without a verified client, and for a client that has more devices than are kept of one. */
  readonly newForClient: boolean | null;
  /** When the client was first allowed something with this device, unix seconds; null where it never was. */
  readonly firstSeen: number | null;
  /** Verified clients that used this device in the last hour, this one included. */
  readonly sharedByClients: number | null;
  /** Whether it is registered for the client; null where nothing is registered, or where nothing of that kind was offered. */
  readonly known: boolean | null;
  readonly learning: boolean;
  readonly scope: MemoryScope;
  readonly degraded: boolean;
};

export const OUTCOMES = ['success', 'failure', 'error', 'abuse'] as const;
/** What became of a request: `failure` the client's fault, `error` the upstream's, `abuse` what the application calls so. */
export type Outcome = (typeof OUTCOMES)[number];
/** Those that are counted for the client: the rest say nothing of it that a rule would compare. */
export const COUNTED_OUTCOMES = ['failure', 'abuse'] as const;
export type CountedOutcome = (typeof COUNTED_OUTCOMES)[number];

/**
 * What was odd: `clock_backwards` the request's time lies more than five seconds before one that was seen; `key_long` an identifier of
 * more than 1,024 characters, kept by its hash.
 */
export type BehaviourFlag = 'clock_backwards' | 'key_long';

/** Numbers of the verified client unless a name says token or address; null where its subject is not known or nothing can be said. */
export type BehaviourValue = {
  /** True until the client has been allowed enough requests over a long enough time, and where there is no client. */
  readonly learning: boolean;
  readonly scope: MemoryScope;
  /** True where a part could not be kept, since a memory is full, or could not be asked for, since its store is away; it is null then. */
  readonly degraded: boolean;
  /** True until it was kept without a loss (restart, flush) for as long as the longest window: numbers of the last hours may be too low. */
  readonly historyLost?: boolean;
  readonly flags: readonly BehaviourFlag[];
  /** Requests in the running minute, this one included. */
  readonly requestsMinute: number | null;
  /** Mean over the client's earlier active minutes; null until there are 30 of them. */
  readonly requestsMinuteMean: number | null;
  /** How far the running minute lies above (or below) that mean, in standard deviations. */
  readonly requestsDeviation: number | null;
  /** Distinct resources, addresses and AS numbers: the last hour, and at most the one before it. */
  readonly resources: number | null;
  readonly addresses: number | null;
  readonly asns: number | null;
  /** Decisions of the last hour, this one not included. */
  readonly denials: number | null;
  readonly stepUps: number | null;
  /** Reported in the last hour. */
  readonly outcomes: Readonly<Record<CountedOutcome, number>> | null;
  /** Since the last allowed request. */
  readonly idleSeconds: number | null;
  /** Never before allowed from there; null while learning, where the place is not known, and for a client of too many places. */
  readonly countryNew: boolean | null;
  readonly asnNew: boolean | null;
  /** From the place of the last allowed request, less what both places are uncertain by. */
  readonly travelKm: number | null;
  readonly travelKmh: number | null;
  /** Distinct addresses that this token came from. */
  readonly tokenAddresses: number | null;
  /** Distinct credentials that were refused from this address (IPv6: its /64). */
  readonly addressFailedCredentials: number | null;
};

export type DeviceSignal = Signal<DeviceValue, DeviceCode>;
export type BehaviourSignal = Signal<BehaviourValue, BehaviourCode>;

/** What a gateway or an application says of a request afterwards. */
export type FeedbackReport = {
  readonly decisionId: Decision['id'];
  readonly outcome: Outcome;
  /** HTTP status of the upstream's answer, or null. */
  readonly status: number | null;
  /** Amounts by unit, each finite and within bounds. */
  readonly cost: ReadonlyMap<string, number>;
};

/** Who reports, and on whose decisions beside its own. */
export type FeedbackReporter = Pick<Pep, 'name' | 'feedbackFor'>;

/**
 * `repeated`: there was one already, and this one counts for nothing; `unknown`: no decision of that id within the last five minutes, here or, with
 * a shared store, in any replica, that the reporter may report on (whether there is one of another gateway is not told); `unavailable`: that store
 * is away.
 */
export type FeedbackResult = 'accepted' | 'repeated' | 'unknown' | 'unavailable';

/** Takes reports about decisions. Never throws. */
export interface FeedbackSink {
  report(report: FeedbackReport, receivedAtMs: number, reporter: FeedbackReporter): Awaitable<FeedbackResult>;
}

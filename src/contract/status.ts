import type { ProofStatus } from './assertion.ts';
import type { CertificateEnd } from './certificate-ends.ts';
import type { ConfigStatus } from './config-status.ts';
import type { AuditStatus, LogSinkStatus } from './decision-log.ts';
import type { PolicyException } from './exceptions.ts';
import type { ListStatus } from './lists.ts';
import type { OverloadStatus } from './overload.ts';
import type { RegistryStatus } from './registry-status.ts';
import type { PushedRevocationsStatus } from './revocations.ts';
import type { CandidateStatus, MonitorStatus } from './rollout.ts';
import type { SourceStatus } from './sources.ts';
import type { TracingStatus } from './trace.ts';

/** Snapshots that parts give of themselves: read by `/status`, `/readyz` and at each scrape of the metrics, never on the hot path. */

export type CacheStatus = { readonly hits: number; readonly misses: number; readonly entries: number };

/** One issuer's key set. */
export type KeySetStatus = {
  readonly issuer: string;
  readonly state: 'ready' | 'stale' | 'never_fetched';
  /** Since the last success, seconds; null where there was none. */
  readonly ageSeconds: number | null;
  readonly keys: number;
  /** Stable code of the last failure, or null. */
  readonly lastError: string | null;
};

/** One bundle of trust anchors. */
export type TrustBundleStatus = {
  readonly name: string;
  readonly trustDomain: string | null;
  readonly state: 'ready' | 'stale' | 'never_loaded';
  /** Since the last success, seconds. */
  readonly ageSeconds: number | null;
  readonly certificates: number;
  readonly lastError: string | null;
};

/** One certificate revocation list. */
export type CrlStatus = {
  readonly name: string;
  /** `stale`: its `nextUpdate` is past; `never_loaded`: none was loaded whose signature is a bundle's. */
  readonly state: 'ready' | 'stale' | 'never_loaded';
  /** Unix seconds. */
  readonly thisUpdate: number | null;
  readonly nextUpdate: number | null;
  /** Since `thisUpdate`, seconds. */
  readonly ageSeconds: number | null;
  readonly entries: number;
  /** Stable code of what was wrong with the last fetch, or null. */
  readonly lastError: string | null;
};

/** The file of refused certificates. */
export type DenyListStatus = { readonly state: 'ready' | 'stale' | 'never_loaded' | 'none'; readonly entries: number };

export type CertificateTrustStatus = {
  readonly trustBundles: readonly TrustBundleStatus[];
  readonly crls: readonly CrlStatus[];
  readonly denied: DenyListStatus;
};

/** One authorization server that is asked about tokens. */
export type IntrospectionStatus = {
  readonly issuer: string;
  /** `open`: it has failed several times in a row, and is left alone for a while. */
  readonly state: 'ready' | 'failing' | 'open' | 'never_asked';
  readonly inFlight: number;
  /** Answers since the start, by what they said; `failed` are those that could not be used or did not come. */
  readonly answers: { readonly active: number; readonly inactive: number; readonly failed: number };
  /** Requests that were not asked about: too many in flight, or open. */
  readonly shed: number;
  readonly lastError: string | null;
};

/** HTTP message signatures. */
export type SignaturesStatus = {
  /** Of the configured profiles, by their names. */
  readonly keySets: readonly KeySetStatus[];
  /** Key directories that were fetched; a miss is a fetch. */
  readonly directories: CacheStatus;
  /** Fetches of directories that run now, and that failed since the start. */
  readonly fetching: number;
  readonly failures: number;
  /** Nonces that were used. */
  readonly replays: StoreStatus;
};

export type IdentifyStatus = {
  readonly keySets: readonly KeySetStatus[];
  readonly tokenCache: CacheStatus;
  readonly negativeCache: CacheStatus;
  readonly certificateCache: CacheStatus;
  readonly certificates: CertificateTrustStatus;
  /** Verified transaction tokens. */
  readonly txnTokenCache: CacheStatus;
  /** Keys of DPoP proofs. */
  readonly proofKeyCache: CacheStatus;
  /** Identifiers of proofs that were used. */
  readonly replays: StoreStatus;
  /** Of authorization servers that are asked about tokens; not there where none is. */
  readonly introspection?: { readonly servers: readonly IntrospectionStatus[]; readonly cache: CacheStatus };
  /** Null where they are turned off. */
  readonly signatures: SignaturesStatus | null;
};

export type DatabaseStatus = {
  readonly name: string;
  /**
   * `stale`: the file that lies there now is missing or cannot be used, and the last good one still answers; `broken` also where a record
   * of the one in use could not be read.
   */
  readonly state: 'ready' | 'stale' | 'missing' | 'broken';
  readonly type: string | null;
  /** Unix seconds. */
  readonly builtAt: number | null;
  /** Since it was built. */
  readonly ageSeconds: number | null;
  readonly sizeBytes: number | null;
  /** Stable code of what is wrong with the file or one of its records, or null. */
  readonly lastError: string | null;
};

export type StoreStatus = {
  readonly kind: 'memory' | 'redis';
  readonly state: 'ready' | 'unavailable';
  readonly entries: number | null;
  readonly lastError: string | null;
};

/** Reports of this process since its start. */
export type FeedbackStatus = {
  readonly accepted: number;
  readonly repeated: number;
  readonly unknown: number;
  /** Reports that could not be looked up, and decisions beyond the number that is kept; only where the store is shared. */
  readonly unavailable?: number;
  readonly unnoted?: number;
  /** Decisions that may be reported on; null where only the store knows. */
  readonly entries: number | null;
};

/** What is remembered of clients, in this process or in a store that all replicas share. */
export type RememberedStatus = {
  /** Entries by memory: clients, tokens, addresses; device_clients, fingerprints. What is switched off is not there. */
  readonly entries: Readonly<Record<string, number>>;
  /** Reports since the start, and decisions that may be reported on; null where no gateway is trusted to report. */
  readonly feedback: FeedbackStatus | null;
  /** Where all replicas remember together: whether that store answers, and what was told it and lost since the start. */
  readonly shared?: { readonly state: 'ready' | 'unavailable'; readonly dropped: number; readonly lastError: string | null };
};

export type EnrichStatus = {
  readonly databases: readonly DatabaseStatus[];
  readonly store: StoreStatus;
  readonly lists: readonly ListStatus[];
  readonly remembered: RememberedStatus;
  /** Not there where none is configured. */
  readonly sources?: readonly SourceStatus[];
};

/** One limit of a policy. */
export type RateLimitStatus = {
  readonly name: string;
  /** An entity, a named counter, or `pep`. */
  readonly of: string;
  readonly window: string;
  readonly limit: number;
  /** Counted and told, never enforced. */
  readonly shadow: boolean;
  /** What the limit does while the store cannot count. */
  readonly onStoreError: 'ignore' | 'deny';
  /** What it does with a request that has not what it counts by. */
  readonly onMissing: 'ignore' | 'deny';
};

/** What operators pushed over a policy. */
export type PushedStatus = {
  /** Counts changes; the `3` of a decision's revision `r1+d3`. */
  readonly revision: number;
  readonly documents: number;
  readonly bytes: number;
  /** Of all documents together: two replicas with the same one have the same data. */
  readonly sha256: string | null;
  /** `damaged`: what was kept could not be read at the start, and is not in force. */
  readonly state: 'ready' | 'damaged';
  /** True where it outlives the process. */
  readonly persisted: boolean;
  /** Those that are not over. */
  readonly exceptions: readonly PolicyException[];
};

export type PolicyStatus = {
  readonly name: string;
  readonly state: 'active' | 'not_loaded';
  readonly revision: string | null;
  /** Unix seconds. */
  readonly activatedAt: number | null;
  readonly rules: number;
  readonly routes: number;
  readonly limits?: readonly RateLimitStatus[];
  /** `revision`: of the bundle that was refused, where it could be told. */
  readonly lastError: { readonly code: string; readonly text: string; readonly at: number; readonly revision?: string | null } | null;
  /** Unix seconds when what was refused for a reason that may pass is tried again; not there where nothing is. */
  readonly retryAt?: number;
  /**
   * `source`: what its source has; `last_known_good`: the source cannot be read, or has something that is refused; `activated` and
   * `rolled_back`: an operator chose it. Null where nothing is active.
   */
  readonly runningOn?: 'source' | 'last_known_good' | 'activated' | 'rolled_back' | null;
  /** What the source has; where it is another one than `revision` the policy is not what it should be (USER-ASKS 61). */
  readonly expectedRevision?: string | null;
  /** Of the active signed bundle: a lower one is refused. */
  readonly sequence?: number | null;
  /** Since the source last confirmed what is active. */
  readonly ageSeconds?: number | null;
  /** True where that is more than `policy.ageMax`. */
  readonly tooOld?: boolean;
  /** Of the data that the policy needs, what is not there (USER-ASKS 62). */
  readonly missingData?: readonly string[];
  /** What operators pushed over it; not there where nothing ever was. */
  readonly data?: PushedStatus;
  /** Left out where none is configured. */
  readonly candidate?: CandidateStatus;
};

export type RecordStatus = {
  /** Over all sinks. */
  readonly written: number;
  readonly dropped: number;
  readonly sinks?: readonly LogSinkStatus[];
  /** Records whose masks failed, so that they were kept without their input. */
  readonly maskFailures?: number;
  /** Only where decisions must be recorded. */
  readonly audit?: AuditStatus;
};

export type ServiceStatus = {
  readonly version: string;
  readonly startedAt: number;
  readonly draining: boolean;
  readonly policies: readonly PolicyStatus[];
  readonly identify: IdentifyStatus;
  /** Left out where no registry is configured. */
  readonly registry?: RegistryStatus;
  /** What operators revoked in the running service. */
  readonly revocations?: PushedRevocationsStatus;
  readonly enrich: EnrichStatus;
  readonly record: RecordStatus;
  readonly overload?: OverloadStatus;
  /** Left out where the service was started without a file. */
  readonly config?: ConfigStatus;
  /** Left out where the configuration names no certificates. */
  readonly certificateEnds?: readonly CertificateEnd[];
  /** Of exported traces; left out where tracing is off. */
  readonly tracing?: TracingStatus;
  /** Where decisions are not enforced; left out where they are everywhere. */
  readonly monitor?: MonitorStatus;
  /** Left out where upstreams get no assertions. */
  readonly assertion?: ProofStatus;
  /** Rules fail closed on an undefined value; always true, shown since USER-ASKS 100 asks for it. */
  readonly strict: true;
};

/** `/readyz`: `ready` only with an active policy, and with the registry where one is configured; the parts are told apart. */
export type Readiness = {
  readonly ready: boolean;
  readonly parts: {
    readonly policy: 'ready' | 'not_loaded' | 'too_old' | 'data_not_loaded';
    readonly keys: 'ready' | 'not_fetched';
    /** Left out where no registry is configured. */
    readonly registry?: 'ready' | 'stale' | 'not_loaded';
    /** What operators revoked; left out where it is of this process alone, and there. */
    readonly revocations?: 'ready' | 'stale' | 'too_old' | 'not_loaded';
    readonly store: 'ready' | 'unavailable';
    /** Left out where decisions need not be recorded. */
    readonly audit?: 'ready' | 'unavailable';
    readonly draining: boolean;
    /** Left out once the start is over. */
    readonly starting?: true;
  };
};

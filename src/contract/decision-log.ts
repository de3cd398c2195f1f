import type { JsonObject } from './json.ts';

/** The forms of a record: a line of ours, an event of OPA's decision log, OCSF API Activity. */
export type LogFormat = 'countersign' | 'opa' | 'ocsf';

/** What a policy's `data.system.log` says of an event of its own. */
export interface LogRules {
  /** True where the record is not to be kept. @throws CountersignError policy_evaluation_failed */
  drop(event: JsonObject): boolean;
  /** What OPA's mask rules are: pointers, or objects with `op`, `path` and `value`; null where there is nothing to mask. @throws CountersignError policy_evaluation_failed */
  mask(event: JsonObject): unknown;
}

/**
 * Why a record is not in a sink: `buffer_full` the sink was slow or away for too long, `failed` it could not be made, `too_large` and `refused`
 * the collector would not have it, `shutdown` it was left over at the end.
 */
export type LogLoss = 'buffer_full' | 'failed' | 'too_large' | 'refused' | 'shutdown';

/** One place that records go to. Written, lost, filtered and waiting ones together are all that there were. */
export type LogSinkStatus = {
  readonly name: 'stdout' | 'file' | 'http';
  readonly format: LogFormat;
  readonly state: 'ready' | 'failing' | 'full';
  readonly written: number;
  /** By reason; a reason that never was is 0. */
  readonly lost: Readonly<Record<LogLoss, number>>;
  /** Left out because the policy's drop rule says so. */
  readonly filtered: number;
  readonly bufferedBytes: number;
  /** What the last attempt failed with, while it fails; names no address. */
  readonly lastError: string | null;
};

/** Whether decisions must be recorded, and whether they can be. */
export type AuditStatus = {
  readonly state: 'ready' | 'unavailable';
  /** True where what fails is of this process alone: its disk, its standard output. */
  readonly local: boolean;
  /** Decisions that were denied since they could not be recorded. */
  readonly denied: number;
};

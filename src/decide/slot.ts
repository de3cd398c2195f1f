import type { ActivePolicy, Clock, Logger } from '../contract/stages.ts';
import type { PolicyStatus } from '../contract/status.ts';
import type { ReadDocumentFile } from '../stores/read-file.ts';
import type { KeptPolicy } from './kept-policy.ts';
import type { PolicyOptions } from './options.ts';
import type { Prepare } from './prepare/prepare-revision.ts';
import type { DataSlot } from './pushed/data-slot.ts';
import type { PushedData } from './pushed/pushed-data.ts';
import type { KeptRevision } from './revision-history.ts';
import type { SlotInspection } from './slot-inspection.ts';

/** One of the last five revisions of a policy. */
export type PolicyRevision = {
  readonly revision: string;
  /** Unix seconds, of its last activation. */
  readonly activatedAt: number;
  readonly active: boolean;
};

/** One policy by name: what is active, what was, and what went wrong. */
export interface PolicySlot {
  readonly name: string;
  readonly options: PolicyOptions;
  /** Null until the first activation. */
  active(): ActivePolicy | null;
  /** Of the data that the active revision needs, what is not there. */
  missingData(): readonly string[];
  readonly inspection: SlotInspection;
  /** Null where nothing can be pushed over it. */
  readonly data: DataSlot | null;
  /** Ids of the routes of the active revision that are not enforced. */
  monitored(): readonly string[];
  /** What is active, with its bundle. */
  current(): KeptRevision | null;
  /** Of the active signed bundle; null where it is not signed or says none. */
  sequence(): number | null;
  /** Whether a bundle is active, or was and is kept. */
  knows(digest: string): boolean;
  /** @throws CountersignError `bundle_*`; the active revision stays, and `status()` says why */
  activate(packed: Uint8Array): Promise<ActivePolicy>;
  /** @throws CountersignError revision_unknown, and what `activate` throws */
  rollback(revision: string | null): Promise<ActivePolicy>;
  /** The newest first. */
  revisions(): readonly PolicyRevision[];
  /** Whether it is not put together with the data that is pushed now: then it must answer nobody. */
  isBehindData(): boolean;
  /** Puts what is active together again, with the data that is pushed now. Never rejects: what does not fit is noted. */
  refresh(): Promise<void>;
  /** Takes what was kept over the restart. Never rejects: what cannot be used is noted. */
  restore(): Promise<void>;
  /** Takes what the source has now. Never rejects; false where it failed for a reason that may pass. */
  offer(packed: Uint8Array, source: string): Promise<boolean>;
  /** The source still has what it had. */
  confirm(): void;
  /** Notes why a bundle could not even be read; `source` names where it should have come from (USER-ASKS 55). */
  fail(thrown: unknown, source: string): void;
  /** The source offers again what could not be used, in so many milliseconds at the least; null: it does not. */
  retrying(inMs: number | null): void;
  status(): PolicyStatus;
  /** Nothing is tried again any more. */
  stop(): void;
}

export type SlotParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly prepare: Prepare;
  readonly readFile: ReadDocumentFile;
  /** Null keeps nothing over a restart. */
  readonly kept: KeptPolicy | null;
  /** What operators push over it; null where they cannot. */
  readonly pushed: PushedData | null;
  /** The data is that of another slot, which opens and changes it, and says so by `refresh`. */
  readonly shares?: true;
  /** Other data is in use. */
  readonly onData?: () => void;
  /** Milliseconds until what may pass is tried again for the first time. */
  readonly retryMs?: number;
};

import type { ErrorCode } from './codes.ts';
import type { JsonValue } from './json.ts';
import type { PolicyStatus } from './status.ts';

/* What operators do to a running service: its policies and the data that is pushed over them. */

/** `viewer` reads, `operator` changes what a policy declares as mutable, rolls back and withdraws candidates, `admin` changes everything. */
export const OPERATOR_ROLES = ['viewer', 'operator', 'admin'] as const;
export type OperatorRole = (typeof OPERATOR_ROLES)[number];

/** Who calls the admin API. */
export type Operator = { readonly name: string; readonly role: OperatorRole };

/** One of the last revisions of a policy. */
export type KnownRevision = { readonly revision: string; readonly activatedAt: number; readonly active: boolean };

/** The policies as operators see and change them; each method throws a CountersignError with the code of why it cannot. */
export interface PolicyAdmin {
  status(): readonly PolicyStatus[];
  /** The newest first. */
  revisions(name: string): readonly KnownRevision[];
  activate(name: string, bundle: Uint8Array): Promise<unknown>;
  /** Null is the revision that was active before. */
  rollback(name: string, revision: string | null): Promise<unknown>;
  /** Makes the candidate the active revision; `revision` is what it must be, null takes it as it is. */
  promote(name: string, revision: string | null): Promise<unknown>;
  /** Lets nobody have the candidate until its source has another one. */
  withdraw(name: string): void;
}

/** What a change of data carries; the bytes are foreign. */
export type DataEdit = { readonly kind: 'put' | 'merge_patch' | 'json_patch'; readonly bytes: Uint8Array } | { readonly kind: 'delete' };

/** What has to hold for a change (RFC 9110 section 13.1): one of these entity tags, anything (`*`), or nothing there at all. */
export type DataCondition = { readonly match: readonly string[] | '*' } | { readonly match: null };

/** A change of data that was asked for. `path` begins with a root that may be pushed to. */
export type DataRequest = {
  readonly policy: string;
  readonly path: readonly string[];
  readonly edit: DataEdit;
  readonly condition: DataCondition;
  readonly operator: Operator;
};

/** One side of a change as the log shows it: the value where it is small, else what it can be recognised by; null where nothing was there. */
export type DataSide = { readonly value: JsonValue } | { readonly sha256: string; readonly bytes: number } | null;

/** A change that is in force. */
export type DataChanged = {
  readonly policy: string;
  /** Of the decisions from now on. */
  readonly revision: string;
  readonly dataRevision: number;
  readonly etag: string;
  /** Nothing was there before. */
  readonly created: boolean;
  /** True where it outlives the process. */
  readonly persisted: boolean;
  readonly before: DataSide;
  readonly after: DataSide;
};

/** A document as Rego and the service read it now, whoever it is from. */
export type DataRead = { readonly bytes: Uint8Array; readonly etag: string; readonly revision: string };

/** One document that was pushed. */
export type PushedDocument = {
  /** `countersign/limits/rate`. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Unix seconds. */
  readonly at: number;
  /** Name of the operator. */
  readonly by: string;
};

/** What was pushed over one policy. */
export type PushedList = {
  readonly policy: string;
  readonly revision: string | null;
  readonly dataRevision: number;
  readonly documents: readonly PushedDocument[];
};

/** Why nothing was done; `field` and `detail` name what was wrong. */
export type AdminRefused = { readonly refused: ErrorCode; readonly field?: string; readonly detail?: string };

/** The data that is pushed over policies. A failure that is nobody's mistake is thrown. */
export interface DataAdmin {
  list(policy: string): PushedList | AdminRefused;
  read(policy: string, path: readonly string[]): Promise<DataRead | AdminRefused>;
  change(request: DataRequest): Promise<DataChanged | AdminRefused>;
}

import type { AdminRefused, Operator } from './admin.ts';
import type { JsonObject, JsonValue } from './json.ts';

/* What operators revoke in a running service, beside the files of the registry. */

/** What a revocation is of. */
export const REVOCATION_KINDS = ['client', 'api_key', 'token', 'session', 'certificate', 'issued_before'] as const;
export type RevocationKind = (typeof REVOCATION_KINDS)[number];

/** One revocation that is in force. */
export type ListedRevocation = {
  /** Made of what is revoked, so that revoking it twice is one revocation. */
  readonly id: string;
  readonly kind: RevocationKind;
  /** What is revoked, in the members that it was posted with; a token by the hash of its `jti`. */
  readonly members: JsonObject;
  readonly reason: string;
  /** Name of the operator. */
  readonly by: string;
  /** Unix seconds. */
  readonly at: number;
  /** Unix seconds, or null where it does not end. */
  readonly expiresAt: number | null;
};

/** A part of what is in force, in the order of the ids. */
export type RevocationPage = {
  readonly total: number;
  readonly revocations: readonly ListedRevocation[];
  /** What the next page comes after; null after the last. */
  readonly next: string | null;
};

/** What to show: `after` is an id, or null for the begin. */
export type RevocationQuery = { readonly after: string | null; readonly limit: number; readonly kind: RevocationKind | null };

/** Revocations that are in force now. */
export type RevocationsChanged = {
  readonly changes: readonly { readonly before: ListedRevocation | null; readonly after: ListedRevocation | null }[];
  /** True where they outlive the process by a file of its own. */
  readonly persisted: boolean;
  /** True where the other replicas have them too. */
  readonly shared: boolean;
};

/** Why nothing is known to be done. Of `unconfirmed`, ids, nobody knows whether the store did it, or still will. */
export type RevocationsRefused = AdminRefused & { readonly unconfirmed?: readonly string[] };

/** The revocations as operators see and change them. */
export interface RevocationAdmin {
  list(query: RevocationQuery): RevocationPage;
  read(id: string): ListedRevocation | null;
  /** All of the values or none; they are foreign. */
  add(values: readonly JsonValue[], operator: Operator): Promise<RevocationsChanged | RevocationsRefused>;
  remove(id: string): Promise<RevocationsChanged | RevocationsRefused>;
}

/** Of the revocations that operators made. */
export type PushedRevocationsStatus = {
  /** `stale`: the store cannot be asked, and what is known stays in force; `never_loaded`: what is revoked was never read. */
  readonly state: 'ready' | 'stale' | 'never_loaded';
  /** Whether decisions wait for the first load: what is `never_loaded` then makes every credential unavailable. */
  readonly required: boolean;
  /** True where the store could not be asked for longer than the configuration allows. */
  readonly tooOld: boolean;
  readonly entries: number;
  /** Of `entries`, those of a form that this version does not know: they are kept, and revoke nothing here. */
  readonly unreadable: number;
  /** Counts changes, of all replicas. */
  readonly version: number;
  /** Since the store was last asked with success, seconds; null without a shared store, and before. */
  readonly ageSeconds: number | null;
  readonly shared: boolean;
  readonly persisted: boolean;
  /** Times since the start that the store had lost what was known here, and got it back. */
  readonly historyLost: number;
  readonly lastError: string | null;
};

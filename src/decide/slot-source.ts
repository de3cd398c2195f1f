import { createHash } from 'node:crypto';
import type { KeptState } from './kept-policy.ts';

/** What is known of the source of a policy, beside the policy itself. */
export interface SourceView {
  /** SHA-256 of the last bundle of the source that was good; null where there was none. */
  readonly digest: string | null;
  /** When the source last had what is active, or what it was replaced by on purpose; unix seconds. */
  readonly confirmedAt: number | null;
  /** The source has this bundle, and it is good. */
  accept(digest: string, seconds: number): void;
  /** The source has a bundle of that revision (null: it cannot be told), which is good or is not. */
  has(revision: string | null, good: boolean): void;
  /** The source has what it had: true where that was good. */
  confirm(seconds: number): boolean;
  /** The source could not be read. */
  lose(): void;
  /** A policy came from elsewhere than the source, so that its age begins. */
  renew(seconds: number): void;
  /** What was known before the restart. */
  restore(state: KeptState): void;
  at(seconds: number): { readonly ageSeconds: number | null; readonly expectedRevision: string | null; readonly healthy: boolean };
}

/** Nothing is known at first. */
export function createSourceView(): SourceView {
  let digest: string | null = null;
  let confirmedAt: number | null = null;
  let expectedRevision: string | null = null;
  let good = false;
  let reached = false;
  return {
    get digest() {
      return digest;
    },
    get confirmedAt() {
      return confirmedAt;
    },
    accept(accepted, seconds) {
      digest = accepted;
      confirmedAt = seconds;
    },
    has(revision, isGood) {
      expectedRevision = revision;
      good = isGood;
      reached = true;
    },
    confirm(seconds) {
      reached = true;
      if (good) confirmedAt = seconds;
      return good;
    },
    lose() {
      reached = false;
    },
    renew(seconds) {
      confirmedAt = seconds;
    },
    restore(state) {
      digest = state.sourceDigest;
      confirmedAt = state.confirmedAt;
    },
    at: (seconds) => ({
      ageSeconds: confirmedAt === null ? null : Math.max(0, seconds - confirmedAt),
      expectedRevision,
      healthy: reached && good,
    }),
  };
}

/** SHA-256 in lower-case hex, by which bundles are told apart. */
export function digestOf(packed: Uint8Array): string {
  return createHash('sha256').update(packed).digest('hex');
}

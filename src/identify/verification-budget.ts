import type { CreateBoundedCache } from '../stores/bounded-cache.ts';

/** Bounds the signature checks that one account (a prefix of client addresses) can cause by tokens that fail them. */
export interface VerificationBudget {
  /** True while nobody has failed: then everybody is allowed, and whose request it is need not be found out. */
  readonly untouched: boolean;
  /** False where the account has used up its failures. */
  allows(account: string | null, nowMs: number): boolean;
  /** Notes one failed verification. */
  spend(account: string | null, nowMs: number): void;
}

type Account = { failures: number; sinceMs: number };

/**
 * A leaky bucket for each account. The least recently seen one is forgotten first. Requests without an account are not bounded: nobody could
 * tell their senders apart, and one of them would shut out all the others.
 */
export function createVerificationBudget(
  limits: { readonly failuresPerMinute: number; readonly addressesMax: number },
  createCache: CreateBoundedCache,
): VerificationBudget {
  const accounts = createCache<Account>({ entriesMax: limits.addressesMax });
  const perMs = limits.failuresPerMinute / 60_000;

  /** Failures that still count, brought up to the time. */
  function current(account: Account, nowMs: number): number {
    account.failures = Math.max(0, account.failures - Math.max(0, nowMs - account.sinceMs) * perMs);
    account.sinceMs = nowMs;
    return account.failures;
  }

  return {
    get untouched() {
      return accounts.entries === 0;
    },
    allows(account, nowMs) {
      const known = account === null || accounts.entries === 0 ? undefined : accounts.get(account);
      return known === undefined || current(known, nowMs) <= limits.failuresPerMinute - 1;
    },
    spend(account, nowMs) {
      if (account === null) return;
      const known = accounts.get(account);
      if (known === undefined) accounts.set(account, { failures: 1, sinceMs: nowMs });
      else known.failures = current(known, nowMs) + 1;
    },
  };
}

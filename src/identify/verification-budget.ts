import { isIPv6 } from 'node:net';
import type { CreateBoundedCache } from '../stores/bounded-cache.ts';

/** Bounds the signature checks that one address can cause by tokens that fail them. */
export interface VerificationBudget {
  /** False where the address has used up its failures. */
  allows(address: string | null, nowMs: number): boolean;
  /** Notes one failed verification. */
  spend(address: string | null, nowMs: number): void;
}

type Account = { failures: number; sinceMs: number };

/**
 * A leaky bucket for each address, IPv6 by its /64. The least recently seen address is forgotten first. Requests without an address
 * share one account.
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
    allows(address, nowMs) {
      const account = accounts.entries === 0 ? undefined : accounts.get(accountKey(address));
      return account === undefined || current(account, nowMs) <= limits.failuresPerMinute - 1;
    },
    spend(address, nowMs) {
      const key = accountKey(address);
      const account = accounts.get(key);
      if (account === undefined) accounts.set(key, { failures: 1, sinceMs: nowMs });
      else account.failures = current(account, nowMs) + 1;
    },
  };
}

/** The address itself, or the /64 of an IPv6 address: a subscriber has that many addresses at no cost. */
function accountKey(address: string | null): string {
  if (address === null) return '';
  // an IPv4 address inside an IPv6 one is an address of its own
  if (!isIPv6(address) || address.includes('.')) return address;
  const [bare = ''] = address.toLowerCase().split('%', 1);
  const [head = '', tail] = bare.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  const groups = [...left, ...zeros, ...right].slice(0, 4);
  return groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':');
}

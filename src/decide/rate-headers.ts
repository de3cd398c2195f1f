import type { ExceededLimit } from './verdict.ts';

const INTEGER_MAX = 999_999_999_999_999;

/**
 * `retry-after`, `ratelimit` and `ratelimit-policy` of a 429 (draft-ietf-httpapi-ratelimit-headers, 2025-09). Retry-After is never earlier
 * than the latest `t`, so that the three agree. A limit that several rules name is given once, with its latest time.
 */
export function rateHeaders(limits: readonly ExceededLimit[], retryAfterSeconds: number | null): Record<string, string> {
  const retryAfter = Math.max(1, retryAfterSeconds ?? 0, ...limits.map(({ resetSeconds }) => Math.ceil(resetSeconds ?? 0)));
  return { 'retry-after': String(Math.min(retryAfter, INTEGER_MAX)), ...limitFields(limits) };
}

/** `ratelimit` and `ratelimit-policy`; none where there is no limit. `r` is from 0 to `q`; `t` is there where something has to be waited for. */
export function limitFields(limits: readonly ExceededLimit[]): Record<string, string> {
  if (limits.length === 0) return {};
  const byName = new Map<string, ExceededLimit>();
  for (const limit of limits) {
    const known = byName.get(limit.name);
    if (known === undefined || (known.resetSeconds ?? 0) < (limit.resetSeconds ?? 0)) byName.set(limit.name, limit);
  }
  const all = [...byName.values()];
  return {
    ratelimit: all.map((one) => `${quoted(one.name)};r=${remainingOf(one)}${resetOf(one)}`).join(', '),
    'ratelimit-policy': all
      .map((one) => `${quoted(one.name)};q=${integer(Math.floor(one.limit))};w=${integer(Math.ceil(one.windowSeconds))}`)
      .join(', '),
  };
}

function remainingOf({ remaining, limit }: ExceededLimit): number {
  return integer(Math.floor(Math.min(remaining, limit)));
}

/** An sf-integer (RFC 9651 section 3.3.1): one that is longer makes the whole field worth nothing. */
function integer(value: number): number {
  return Math.min(Math.max(0, value), INTEGER_MAX);
}

function resetOf({ resetSeconds }: ExceededLimit): string {
  return resetSeconds === null ? '' : `;t=${integer(Math.ceil(resetSeconds))}`;
}

/** An sf-string (RFC 9651); characters that it cannot hold are left out. */
function quoted(name: string): string {
  return `"${name.replace(/[^\x20-\x7E]/g, '').replace(/["\\]/g, '\\$&')}"`;
}

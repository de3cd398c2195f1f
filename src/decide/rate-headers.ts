import type { ExceededLimit } from './verdict.ts';

/**
 * `retry-after`, `ratelimit` and `ratelimit-policy` of a 429 (draft-ietf-httpapi-ratelimit-headers, 2025-09). Retry-After is never earlier
 * than the latest `t`, so that the three agree. A limit that several rules name is given once, with its latest time.
 */
export function rateHeaders(limits: readonly ExceededLimit[], retryAfterSeconds: number | null): Record<string, string> {
  const byName = new Map<string, ExceededLimit>();
  for (const limit of limits) {
    const known = byName.get(limit.name);
    if (known === undefined || known.resetSeconds < limit.resetSeconds) byName.set(limit.name, limit);
  }
  const all = [...byName.values()];
  const retryAfter = Math.max(1, retryAfterSeconds ?? 0, ...all.map(({ resetSeconds }) => Math.ceil(resetSeconds)));
  const headers: Record<string, string> = { 'retry-after': String(retryAfter) };
  if (all.length === 0) return headers;
  headers['ratelimit'] = all
    .map((one) => `${quoted(one.name)};r=${Math.max(0, Math.floor(Math.min(one.remaining, one.limit)))};t=${Math.ceil(one.resetSeconds)}`)
    .join(', ');
  headers['ratelimit-policy'] = all
    .map((one) => `${quoted(one.name)};q=${Math.floor(one.limit)};w=${Math.ceil(one.windowSeconds)}`)
    .join(', ');
  return headers;
}

/** An sf-string (RFC 9651); characters that it cannot hold are left out. */
function quoted(name: string): string {
  return `"${name.replace(/[^\x20-\x7E]/g, '').replace(/["\\]/g, '\\$&')}"`;
}

import { asCountersignError, CountersignError } from '../contract/errors.ts';
import type { TokenCode } from '../contract/signals.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import type { KeySetStatus } from '../contract/status.ts';
import type { LoadKeyDocument } from './keys-document.ts';
import { type KeyRing, parseKeyRing, type VerificationKey } from './keys-jwk.ts';
import type { IssuerOptions } from './options.ts';

/** When keys are fetched again besides the regular refresh. */
export type KeyTiming = {
  /** Pause after the first, second … failure in a row; the last one goes on. */
  readonly backoffMs: readonly number[];
  /** Pause after a fetch for an unknown kid that did not bring it: unknown kids cost one fetch in this time. */
  readonly cooldownMs: number;
};

export const KEY_TIMING: KeyTiming = { backoffMs: [1000, 2000, 4000], cooldownMs: 5000 };

export type KeySetOptions = {
  readonly issuer: string;
  readonly kind: IssuerOptions['kind'];
  readonly algorithms: ReadonlySet<string>;
  readonly refreshMs: number;
  readonly load: LoadKeyDocument;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timing: KeyTiming;
};

/**
 * The keys of one issuer. The last good ones stay whatever the source answers; only their absence for a kid makes anybody wait.
 * (jose's remote set drops its keys on a failed refetch, TRAPS 8.)
 */
export interface KeySet {
  /** The ring of the last success, or null before the first. */
  readonly ring: KeyRing | null;
  /** When the ring was fetched, unix seconds. */
  readonly fetchedAt: number | null;
  /**
   * Asks for a fetch on account of a kid that the ring lacks: a promise of whether it succeeded (one fetch for all who ask meanwhile),
   * or why there is none: `kid_unknown` while a fresh set is known not to have such keys, `keys_unavailable` while the source fails.
   */
  renew(kid: string | null): Promise<boolean> | Extract<TokenCode, 'kid_unknown' | 'keys_unavailable'>;
  /** Fetches, and from then on refreshes in the background until `stop`; the promise is that of the first fetch and never rejects. */
  start(): Promise<void>;
  stop(): void;
  status(): KeySetStatus;
}

/** The key for a header, or why there is none. */
export function selectKey(ring: KeyRing, algorithm: string, kid: string | null): VerificationKey | TokenCode {
  const named = kid === null ? ring.keys : (ring.byKid.get(kid) ?? []);
  const [first, second] = named;
  if (first === undefined) return 'kid_unknown';
  // RFC 7515 appendix D: without a kid nothing but the only key can be meant; trying all would let a signer choose
  if (kid === null && second !== undefined) return 'kid_required';
  const fitting = named.filter((key) => key.checks.has(algorithm));
  if (fitting.length > 1) return 'kid_ambiguous';
  return fitting[0] ?? 'key_algorithm_mismatch';
}

/** A key set that fetches through `load`; nothing is fetched before `start`. */
export function createKeySet({ issuer, kind, algorithms, refreshMs, load, clock, logger, timing }: KeySetOptions): KeySet {
  const stopping = new AbortController();
  let ring: KeyRing | null = null;
  let inFlight: Promise<boolean> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let succeededAtMs: number | null = null;
  let fetchedAt: number | null = null;
  let failures = 0;
  let failingUntilMs = Number.NEGATIVE_INFINITY;
  let coolingUntilMs = Number.NEGATIVE_INFINITY;
  let lastError: CountersignError | null = null;

  /** Starts a fetch, or joins the one that runs. */
  function fetchKeys(): Promise<boolean> {
    inFlight ??= attempt().finally(() => {
      inFlight = null;
    });
    return inFlight;
  }

  async function attempt(): Promise<boolean> {
    clearTimeout(timer);
    try {
      const next = parseKeyRing(parseDocument(await load(stopping.signal)), algorithms, ring, kind);
      succeed(next);
      return true;
    } catch (thrown) {
      fail(asCountersignError(thrown, 'fetch_failed'));
      return false;
    } finally {
      scheduleNext();
    }
  }

  function succeed(next: KeyRing): void {
    if (lastError !== null || ring === null) logger.info('keys_fetched', { issuer, keys: next.keys.length });
    ring = next;
    succeededAtMs = clock.monotonic();
    fetchedAt = Math.floor(clock.now() / 1000);
    failures = 0;
    failingUntilMs = Number.NEGATIVE_INFINITY;
    lastError = null;
  }

  function fail(error: CountersignError): void {
    if (stopping.signal.aborted) return;
    // an outage of hours is one warning, not one in four seconds
    const level = error.code === lastError?.code ? 'debug' : 'warn';
    logger[level]('keys_fetch_failed', {
      issuer,
      code: error.code,
      error: error.message,
      cause: rootCause(error),
      kept: ring?.keys.length ?? 0,
    });
    failingUntilMs = clock.monotonic() + pauseAfter(failures);
    failures++;
    lastError = error;
  }

  function pauseAfter(earlierFailures: number): number {
    return timing.backoffMs[Math.min(earlierFailures, timing.backoffMs.length - 1)] ?? refreshMs;
  }

  function scheduleNext(): void {
    if (stopping.signal.aborted) return;
    const delayMs = lastError === null ? refreshMs : failingUntilMs - clock.monotonic();
    timer = setTimeout(fetchKeys, Math.max(1, delayMs));
    timer.unref();
  }

  async function fetchFor(kid: string | null): Promise<boolean> {
    // a fetch that was under way may have left before the key was published: only one that began on this account proves its absence
    const began = inFlight === null;
    const succeeded = await fetchKeys();
    const found = kid === null || ring?.byKid.has(kid) === true;
    if (began && succeeded && !found) coolingUntilMs = clock.monotonic() + timing.cooldownMs;
    return succeeded;
  }

  return {
    get ring() {
      return ring;
    },
    get fetchedAt() {
      return fetchedAt;
    },
    renew(kid) {
      const nowMs = clock.monotonic();
      if (inFlight === null && nowMs < failingUntilMs) return 'keys_unavailable';
      if (inFlight === null && nowMs < coolingUntilMs) return 'kid_unknown';
      return fetchFor(kid);
    },
    async start() {
      await fetchKeys();
    },
    stop() {
      stopping.abort();
      clearTimeout(timer);
    },
    status() {
      return {
        issuer,
        state: ring === null ? 'never_fetched' : lastError === null ? 'ready' : 'stale',
        ageSeconds: succeededAtMs === null ? null : Math.floor((clock.monotonic() - succeededAtMs) / 1000),
        keys: ring?.keys.length ?? 0,
        lastError: lastError?.code ?? null,
      };
    },
  };
}

/** What the operating system or the HTTP client said: `fetch` wraps it. */
function rootCause(error: Error): string | null {
  let cause: unknown = error.cause;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof Error ? cause.message : null;
}

function parseDocument(bytes: Buffer): unknown {
  try {
    const document: unknown = JSON.parse(bytes.toString('utf8'));
    return document;
  } catch {
    // no cause: the parser's message quotes the document
    throw new CountersignError('keys_invalid', { detail: 'not JSON' });
  }
}

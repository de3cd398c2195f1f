import type { SignatureCode } from '../../contract/signature.ts';
import type { Awaitable, Clock, Logger } from '../../contract/stages.ts';
import type { CacheStatus } from '../../contract/status.ts';
import { within } from '../../contract/within.ts';
import type { CreateBoundedCache } from '../../stores/bounded-cache.ts';
import { counted } from '../token-cache.ts';
import { createVerificationBudget } from '../verification-budget.ts';
import type { PublishedKey } from './jwks.ts';
import type { FetchPublishedKeys, PublishedKeys } from './key-document.ts';
import type { DirectoryOptions } from './options.ts';
import type { Agent } from './signature-agent.ts';

/** Who asks, and how long the answer may take. */
export type Asking = { readonly account: string | null; readonly nowMs: number; readonly leftMs: number };

/** The keys that agents publish. */
export interface KeyDirectories {
  /** The key of this thumbprint, out of what is known or after a fetch; or why there is none. Never rejects. */
  find(agent: Agent, thumbprint: string, asking: Asking): Awaitable<PublishedKey | SignatureCode>;
  status(): { readonly directories: CacheStatus; readonly fetching: number; readonly failures: number };
}

type Known = {
  readonly keys: PublishedKeys;
  readonly fetchedAtMs: number;
  /** The last fetch, also a failed one. */
  askedAtMs: number;
};
type Failed = { readonly code: Failure; readonly untilMs: number };
type Failure = Extract<SignatureCode, 'directory_unavailable' | 'signature_directory_refused'>;

/** Pause between two fetches for keys that a directory does not have. */
const COOLDOWN_MS = 60_000;
/** Requests whose client address is not known share one budget: without it they could have us fetch without end. */
const SHOWN_MAX = 256;
const UNKNOWN_ACCOUNT = 'unknown';

/** Whoever names a document as what it is not gets a refusal that is theirs alone. */
const keyOf = ({ type, documentUrl }: Agent): string => `${type} ${documentUrl}`;

/**
 * Directories by kind and URL of their documents: used for `ageMaxSeconds`, fetched again in the background from half of that on, and one fetch for all
 * who wait for it. Whoever names agents at random pays by the budget of their address, and pushes nobody's keys out: failures are kept apart.
 */
export function createKeyDirectories(
  options: DirectoryOptions,
  fetchKeys: FetchPublishedKeys,
  { clock, logger, createCache }: { readonly clock: Clock; readonly logger: Logger; readonly createCache: CreateBoundedCache },
): KeyDirectories {
  const { cache, tally, status } = counted<Known>({ entriesMax: options.entriesMax }, createCache);
  const failed = createCache<Failed>({ entriesMax: options.entriesMax });
  const budget = createVerificationBudget({ failuresPerMinute: options.fetchesPerMinute, addressesMax: 10_000 }, createCache);
  // a directory is one URL a host; of the others a stranger could name any number on the host of a third
  const hostBudget = createVerificationBudget({ failuresPerMinute: options.fetchesPerMinute, addressesMax: 10_000 }, createCache);
  const inFlight = new Map<string, Promise<Failure | null>>();
  const ageMaxMs = options.ageMaxSeconds * 1000;
  let failures = 0;

  function find(agent: Agent, thumbprint: string, asking: Asking): Awaitable<PublishedKey | SignatureCode> {
    const now = clock.monotonic();
    const known = cache.get(keyOf(agent));
    if (known !== undefined && now < known.fetchedAtMs + ageMaxMs) {
      const key = known.keys.get(thumbprint);
      if (key !== undefined) {
        tally.hits++;
        if (now > known.askedAtMs + ageMaxMs / 2) renew(agent, asking);
        return key;
      }
      if (now < known.askedAtMs + COOLDOWN_MS) return 'signature_key_unknown';
    }
    const failure = failed.get(keyOf(agent));
    if (failure !== undefined && now < failure.untilMs) return failure.code;
    tally.misses++;
    const renewal = renew(agent, asking);
    if (typeof renewal === 'string') return renewal;
    return within<SignatureCode | null>(Math.min(options.waitMs, asking.leftMs), renewal, 'directory_pending').then(
      (code) => code ?? cache.get(keyOf(agent))?.keys.get(thumbprint) ?? 'signature_key_unknown',
    );
  }

  /** Joins the fetch that runs, or starts one where somebody pays for it. */
  function renew(agent: Agent, { account, nowMs }: Asking): Promise<Failure | null> | SignatureCode {
    const running = inFlight.get(keyOf(agent));
    if (running !== undefined) return running;
    const payer = account ?? UNKNOWN_ACCOUNT;
    const host = agent.type === 'directory' ? null : agent.host;
    if (inFlight.size >= options.concurrentMax || !budget.allows(payer, nowMs) || !hostBudget.allows(host, nowMs)) {
      return 'directory_budget_exhausted';
    }
    budget.spend(payer, nowMs);
    hostBudget.spend(host, nowMs);
    const started = load(agent).finally(() => inFlight.delete(keyOf(agent)));
    inFlight.set(keyOf(agent), started);
    return started;
  }

  async function load(agent: Agent): Promise<Failure | null> {
    const keys = await fetchKeys(agent).catch((): Failure => 'directory_unavailable');
    const now = clock.monotonic();
    if (typeof keys !== 'string') {
      cache.set(keyOf(agent), { keys, fetchedAtMs: now, askedAtMs: now });
      failed.delete(keyOf(agent));
      return null;
    }
    failures++;
    logger.info('key_directory_failed', {
      agent: agent.uri.slice(0, SHOWN_MAX),
      code: keys,
      kept: cache.get(keyOf(agent)) !== undefined,
    });
    // what was fetched before is good until its time is over
    const known = cache.get(keyOf(agent));
    if (known !== undefined) known.askedAtMs = now;
    failed.set(keyOf(agent), { code: keys, untilMs: now + options.failureSeconds * 1000 });
    return keys;
  }

  return { find, status: () => ({ directories: status(), fetching: inFlight.size, failures }) };
}

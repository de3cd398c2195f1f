import type { DecisionRequest } from '../../contract/request.ts';
import type { Awaitable, Clock, Logger } from '../../contract/stages.ts';
import type { SignaturesStatus } from '../../contract/status.ts';
import type { CreateBoundedCache } from '../../stores/bounded-cache.ts';
import type { GuardedFetch, GuardedFetchOptions } from '../../stores/guarded-fetch.ts';
import type { HttpFetch } from '../../stores/http-fetch.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import type { ReplayMemory } from '../../stores/replay-memory.ts';
import type { KeyTiming } from '../keys.ts';
import { createVerificationBudget } from '../verification-budget.ts';
import { createKeySetRules } from './key-set-rules.ts';
import type { SignatureOptions } from './options.ts';
import { refusal, type SignatureSignal } from './outcome.ts';
import { createSignatureVerifier } from './signature.ts';
import { createOriginsOf } from './signed-origin.ts';
import { createWebBotAuthRules } from './web-bot-auth.ts';

export type SignaturesParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly httpFetch: HttpFetch;
  readonly readFile: ReadDocumentFile;
  readonly createCache: CreateBoundedCache;
  readonly accountOf: (request: DecisionRequest) => string | null;
  /** Nonces of signatures; apart from what else is remembered, since strangers can fill it. */
  readonly signatureReplays: ReplayMemory;
  /** Makes what fetches documents that strangers name. */
  readonly createGuardedFetch: (options: GuardedFetchOptions) => GuardedFetch;
  readonly keyTiming?: KeyTiming;
};

/** What all kinds of signatures share. */
export type SharedOptions = {
  readonly keyWaitMs: number;
  readonly publicOrigins: readonly string[];
  readonly verificationBudget: { readonly failuresPerMinute: number; readonly addressesMax: number };
};

/** Message signatures as a part of the stage, with its background work. */
export interface Signatures {
  /** Absent at once where none is offered, or none is looked at. Never throws. */
  judge(request: DecisionRequest): Awaitable<SignatureSignal>;
  /** `Accept-Signature`, or null where signatures are turned off. */
  readonly accepted: string | null;
  start(): Promise<void>;
  stop(): void;
  /** Null where signatures are turned off. */
  status(): SignaturesStatus | null;
}

const UNCHECKED = refusal('signature_unchecked');
const MISSING = refusal('signature_missing');
const OFF: Signatures = {
  judge: () => UNCHECKED,
  accepted: null,
  start: () => Promise.resolve(),
  stop: () => undefined,
  status: () => null,
};
const NO_DIRECTORIES = { directories: { hits: 0, misses: 0, entries: 0 }, fetching: 0, failures: 0 };

/** Joins profiles and Web Bot Auth; where neither is configured nothing is made and nothing is looked at. */
export function createSignatures(options: SignatureOptions, shared: SharedOptions, parts: SignaturesParts): Signatures {
  const { profiles, webBotAuth, clockSkewSeconds, fieldBytesMax } = options;
  if (profiles.length === 0 && webBotAuth === null) return OFF;
  const keySets = profiles.map((profile) => createKeySetRules(profile, { keyWaitMs: shared.keyWaitMs, clockSkewSeconds }, parts));
  const bots =
    webBotAuth === null
      ? null
      : createWebBotAuthRules(
          webBotAuth,
          { clockSkewSeconds, fieldBytesMax },
          { ...parts, guardedFetch: parts.createGuardedFetch(webBotAuth.directory) },
        );
  const rules = [...keySets.map((one) => one.rules), ...(bots === null ? [] : [bots.rules])];
  const verifier = createSignatureVerifier(rules, {
    ...parts,
    replays: parts.signatureReplays,
    budget: createVerificationBudget(shared.verificationBudget, parts.createCache),
    originsOf: createOriginsOf(shared.publicOrigins),
    fieldBytesMax,
  });
  return {
    judge: (request) => (request.credentials.signature ? verifier.verify(request) : MISSING),
    accepted: rules.map(({ accepted }) => accepted).join(', '),
    async start() {
      await Promise.all(keySets.map(({ keys }) => keys.start()));
    },
    stop() {
      for (const { keys } of keySets) keys.stop();
    },
    status: () => ({
      keySets: keySets.map(({ keys }) => keys.status()),
      ...(bots === null ? NO_DIRECTORIES : bots.directories.status()),
      replays: parts.signatureReplays.status(),
    }),
  };
}

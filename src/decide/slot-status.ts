import type { PolicyStatus } from '../contract/status.ts';
import type { PolicyOrigin } from './kept-policy.ts';
import type { LoadedRevision } from './load-revision.ts';
import type { PolicyOptions } from './options.ts';
import type { KeptRevision } from './revision-history.ts';
import type { SourceView } from './slot-source.ts';

/** What a slot knows of itself. */
export type SlotFacts = Pick<PolicyStatus, 'name' | 'lastError'> & {
  readonly sequence: number | null;
  readonly options: Pick<PolicyOptions, 'ageMax'>;
  readonly loaded: LoadedRevision | null;
  readonly origin: PolicyOrigin;
  readonly missingData: readonly string[];
  /** Of the active revision. */
  readonly active: KeptRevision | undefined;
  readonly source: ReturnType<SourceView['at']>;
  readonly data: PolicyStatus['data'] | undefined;
  /** When something that was refused is tried again, unix milliseconds. */
  readonly retriesMs: readonly (number | null)[];
};

/** What is told of a policy. */
export function slotStatus(facts: SlotFacts): PolicyStatus {
  const { name, options, loaded, origin, sequence, lastError, missingData, active, data } = facts;
  const { ageSeconds, expectedRevision, healthy } = facts.source;
  return {
    name,
    state: loaded === null ? 'not_loaded' : 'active',
    revision: loaded?.bundle.revision ?? null,
    activatedAt: loaded === null ? null : (active?.activatedAt ?? null),
    rules: loaded?.rules ?? 0,
    routes: loaded?.routes ?? 0,
    limits: loaded?.limits ?? [],
    lastError,
    runningOn: loaded === null ? null : origin !== 'source' ? origin : healthy ? 'source' : 'last_known_good',
    expectedRevision,
    sequence,
    ageSeconds: loaded === null ? null : ageSeconds,
    tooOld: loaded !== null && options.ageMax !== null && ageSeconds !== null && ageSeconds > options.ageMax,
    missingData,
    ...(data === undefined ? {} : { data }),
    ...retryOf(facts.retriesMs),
  };
}

function retryOf(retriesMs: readonly (number | null)[]): Pick<PolicyStatus, 'retryAt'> {
  const known = retriesMs.filter((one) => one !== null);
  return known.length === 0 ? {} : { retryAt: Math.ceil(Math.min(...known) / 1000) };
}

import type { EnrichmentSignals } from '../../contract/signals.ts';
import type { SourceSignals } from '../../contract/sources.ts';
import type { Awaitable } from '../../contract/stages.ts';

/** The signals with what was prefetched beside them; both were begun before, so that neither waits for the other. */
export function joinSources(known: Awaitable<EnrichmentSignals>, prefetched: Awaitable<SourceSignals>): Awaitable<EnrichmentSignals> {
  if (!(known instanceof Promise) && !(prefetched instanceof Promise)) return { ...known, sources: prefetched };
  return Promise.all([known, prefetched]).then(([signals, sources]) => ({ ...signals, sources }));
}

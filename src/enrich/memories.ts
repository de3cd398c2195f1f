import type { MemoryScope } from '../contract/behaviour.ts';
import type { RecentEntries } from '../stores/recent-entries.ts';
import type { SharedStore } from '../stores/shared-store.ts';
import { type BehaviourOptions, createBehaviour } from './behaviour/behaviour.ts';
import { type CostSink, createFeedback, type ReportedDecision } from './behaviour/feedback.ts';
import type { MemoryMakers } from './behaviour/memory.ts';
import { createDevices, type DeviceOptions } from './device/device.ts';
import { createRegistered, type KnownDevice, type RegisteredOf } from './device/known.ts';
import type { Memories } from './remembered.ts';
import { createSharedClients } from './shared/shared-clients.ts';
import { createSharedFeedback } from './shared/shared-feedback.ts';

/** The sections of the configuration, and what else decides of what is remembered. */
export type MemoriesOptions = {
  readonly behaviour: BehaviourOptions & { readonly enabled: boolean; readonly feedbackEntriesMax: number };
  readonly device: DeviceOptions & { readonly enabled: boolean; readonly known: readonly KnownDevice[] };
  /** What each gateway is trusted for: where none is for `feedback`, no decision is kept for it. */
  readonly peps: readonly { readonly trusts: readonly string[] }[];
  readonly scope: MemoryScope;
};

export type MemoriesParts = MemoryMakers & {
  readonly recent: (entriesMax: number, ageMaxMs: number) => RecentEntries<ReportedDecision>;
  /** Fingerprints of the client's record, beside those of the configuration. */
  readonly registeredOf: RegisteredOf;
  readonly onCost: CostSink;
  /** Where all replicas remember together; null or left out where each process does so for itself. */
  readonly shared?: SharedStore | null;
};

/** How long an outcome may be reported. */
const FEEDBACK_AGE_MS = 300_000;

/** What is remembered of clients, in this process or in the store that all replicas share; what is switched off takes no memory. */
export function createMemories({ behaviour: options, device, peps, scope }: MemoriesOptions, parts: MemoriesParts): Memories {
  const reportable = peps.some(({ trusts }) => trusts.includes('feedback'));
  const registeredOf = createRegistered(device.known, parts.registeredOf);
  if (parts.shared != null) {
    const sections = { behaviour: options.enabled ? options : null, device: device.enabled ? device : null };
    const shared = createSharedClients(sections, registeredOf, parts.shared);
    const bounds = { ageMaxMs: FEEDBACK_AGE_MS, notesMax: options.feedbackEntriesMax };
    const feedback = reportable ? createSharedFeedback(bounds, parts.shared, shared, parts.onCost) : null;
    return { behaviour: null, devices: null, shared, feedback };
  }
  const behaviour = options.enabled ? createBehaviour(options, scope, parts) : null;
  return {
    behaviour,
    devices: device.enabled ? createDevices(device, scope, registeredOf, parts) : null,
    feedback: reportable ? createFeedback(parts.recent(options.feedbackEntriesMax, FEEDBACK_AGE_MS), behaviour, parts.onCost) : null,
  };
}

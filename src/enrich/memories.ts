import type { MemoryScope } from '../contract/behaviour.ts';
import type { RecentEntries } from '../stores/recent-entries.ts';
import { type BehaviourOptions, createBehaviour } from './behaviour/behaviour.ts';
import { type CostSink, createFeedback, type ReportedDecision } from './behaviour/feedback.ts';
import type { MemoryMakers } from './behaviour/memory.ts';
import { createDevices, type DeviceOptions } from './device/device.ts';
import { createRegistered, type KnownDevice, type RegisteredOf } from './device/known.ts';
import type { Memories } from './remembered.ts';

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
};

/** How long an outcome may be reported. */
const FEEDBACK_AGE_MS = 300_000;

/** What is remembered of clients in this process; what is switched off takes no memory. */
export function createMemories({ behaviour: options, device, peps, scope }: MemoriesOptions, parts: MemoriesParts): Memories {
  const behaviour = options.enabled ? createBehaviour(options, scope, parts) : null;
  const reportable = peps.some(({ trusts }) => trusts.includes('feedback'));
  return {
    behaviour,
    devices: device.enabled ? createDevices(device, scope, createRegistered(device.known, parts.registeredOf), parts) : null,
    feedback: reportable ? createFeedback(parts.recent(options.feedbackEntriesMax, FEEDBACK_AGE_MS), behaviour, parts.onCost) : null,
  };
}

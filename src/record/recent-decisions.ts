import type { Decision } from '../contract/decision.ts';
import type { AskedDecision, DecisionTrace } from '../contract/explain.ts';
import type { DecisionRecord } from '../contract/record.ts';
import { redactPath } from './redact.ts';

/** One of the last decisions with what it can be explained by; null where no policy was evaluated. */
export type KeptDecision = { readonly decision: Decision; readonly asked: AskedDecision; readonly trace: DecisionTrace | null };

/** The section `decisions.recent`. */
export type RecentOptions = {
  /** 0 keeps none. */
  readonly entriesMax: number;
  readonly bytesMax: number;
};

/** The last decisions, bounded by number and by bytes. */
export interface RecentDecisions {
  /** Keeps a decision; it works nothing out. */
  note(record: DecisionRecord): void;
  find(id: string): KeptDecision | null;
  status(): { readonly entries: number; readonly bytes: number };
}

type Entry = {
  readonly decision: Decision;
  readonly trace: DecisionTrace | null;
  readonly monitoredBy: DecisionRecord['monitoredBy'];
  readonly receivedAtMs: number;
  readonly totalMs: number;
  readonly endpoint: DecisionRecord['request']['endpoint'];
  readonly requestId: string | null;
  readonly pep: string;
  readonly method: string | null;
  readonly host: string;
  readonly path: string;
  readonly bytes: number;
};

/** An entry with its decision, its reasons and its answer to the client, beside the texts. */
const ENTRY_BYTES = 1500;
const PATH_MAX = 1024;

/** Keeps references, and of the request only what is named here: no credential is in it. Null where none is kept. */
export function createRecentDecisions({ entriesMax, bytesMax }: RecentOptions): RecentDecisions | null {
  if (entriesMax === 0) return null;
  const entries = new Map<string, Entry>();
  /** In the order that they came, round and round: the first of a Map from which many were taken is slow to find. */
  const ring: Entry[] = [];
  let oldest = 0;
  let held = 0;
  let bytes = 0;

  function dropOldest(): void {
    const entry = ring[oldest];
    oldest = (oldest + 1) % entriesMax;
    held -= 1;
    if (entry === undefined) return;
    bytes -= entry.bytes;
    if (entries.get(entry.decision.id) === entry) entries.delete(entry.decision.id);
  }

  return {
    note({ request, decision, times, monitoredBy, trace = null }) {
      const { http } = request;
      const text = trace?.input ?? '';
      const path = http === null ? '' : http.path.slice(0, PATH_MAX);
      const entry: Entry = {
        decision: decision.explanation === null ? decision : { ...decision, explanation: null },
        trace,
        monitoredBy,
        receivedAtMs: request.receivedAtMs,
        totalMs: times.total,
        endpoint: request.endpoint,
        requestId: request.requestId,
        pep: request.pep.name,
        method: http?.method ?? null,
        host: http?.host ?? '',
        path,
        // a text beyond Latin-1 takes two bytes a character
        bytes: ENTRY_BYTES + 2 * (text.length + path.length + (trace?.answer.length ?? 0)),
      };
      if (held === entriesMax) dropOldest();
      ring[(oldest + held) % entriesMax] = entry;
      held += 1;
      bytes += entry.bytes;
      entries.set(decision.id, entry);
      while (bytes > bytesMax && held > 0) dropOldest();
    },
    find(id) {
      const entry = entries.get(id);
      if (entry === undefined) return null;
      const { decision, trace, monitoredBy, receivedAtMs, totalMs, endpoint, requestId, pep, method, host, path } = entry;
      const monitored = monitoredBy === undefined ? {} : { monitoredBy };
      const request = method === null ? null : { method, host, path: redactPath(path) };
      return { decision, trace, asked: { requestId, endpoint, receivedAtMs, totalMs, pep, request, ...monitored } };
    },
    status: () => ({ entries: entries.size, bytes }),
  };
}

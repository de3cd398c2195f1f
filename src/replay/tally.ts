import type { RecordedDecision, RecordedPolicy, Redecided } from '../decide/recorded/recorded-decision.ts';
import type { DamagedLine } from './parse-line.ts';
import type { ChangeGroup, GapGroup, Outcome, ReplayReport } from './report.ts';

const GROUPS_MAX = 1000;
/** Of all groups together. */
const CLIENTS_MAX = 100_000;
const NAMES_MAX = 1000;
const CLIENTS_SHOWN_MAX = 5;
const DAMAGED_SHOWN_MAX = 20;
const OTHERS = '(others)';

export type Tally = {
  readonly line: () => void;
  readonly other: (kind: 'line' | 'policy') => void;
  readonly damaged: (file: string, line: number, problem: DamagedLine) => void;
  readonly decided: (record: RecordedDecision, now: Redecided) => void;
  readonly report: (policy: Pick<RecordedPolicy, 'revision' | 'revisionIsHash'>) => ReplayReport;
};

type Group = { readonly from: Outcome; readonly to: Outcome; records: number; clients: Map<string | null, number>; examples: string[] };
type Gap = { readonly why: GapGroup['why']; readonly path: string; records: number; examples: string[] };

/** Counts what a replay finds; its memory does not grow with the log. */
export function createTally(examplesMax: number): Tally {
  const counts = {
    lines: 0,
    records: 0,
    replayed: 0,
    changed: 0,
    newDenies: 0,
    newStepUps: 0,
    newAllows: 0,
    notEnforced: 0,
    otherReasons: 0,
  };
  const rest = { changesUngrouped: 0, notReplayable: 0, damaged: 0, otherLines: 0, otherPolicies: 0 };
  const groups = new Map<string, Group>();
  const gaps = new Map<string, Gap>();
  const damagedLines: { file: string; line: number; problem: DamagedLine }[] = [];
  const revisions = new Map<string, number>();
  const added = new Map<string, number>();
  const removed = new Map<string, number>();
  const notReevaluated = new Map<string, number>();
  const brokenLogs: string[] = [];
  let clients = 0;

  function change(record: RecordedDecision, now: Extract<Redecided, { decided: true }>): void {
    counts.changed++;
    const [before, after] = [record.monitoredBy === null ? record.effect : 'allow', now.enforced ? now.effect : 'allow'];
    if (before !== after) counts[after === 'deny' ? 'newDenies' : after === 'step_up' ? 'newStepUps' : 'newAllows']++;
    else if (record.effect !== now.effect) counts.notEnforced++;
    else counts.otherReasons++;
    for (const code of now.reasons) if (!record.reasons.includes(code)) count(added, code);
    for (const code of record.reasons) if (!now.reasons.includes(code)) count(removed, code);
    const from = outcomeOf(record, record.monitoredBy === null);
    const to = outcomeOf(now, now.enforced);
    const key = JSON.stringify([from, to]);
    const known = groups.get(key);
    if (known === undefined && groups.size >= GROUPS_MAX) {
      rest.changesUngrouped++;
      return;
    }
    const group = known ?? { from, to, records: 0, clients: new Map<string | null, number>(), examples: [] };
    if (known === undefined) groups.set(key, group);
    group.records++;
    if (group.examples.length < examplesMax) group.examples.push(record.id);
    const client = record.subject?.client ?? null;
    const of = group.clients.get(client);
    if (of === undefined && clients >= CLIENTS_MAX) return;
    if (of === undefined) clients++;
    group.clients.set(client, (of ?? 0) + 1);
  }

  function gap(record: RecordedDecision, { why, path }: Extract<Redecided, { decided: false }>): void {
    rest.notReplayable++;
    const key = `${why} ${path}`;
    const known = gaps.get(key);
    if (known === undefined && gaps.size >= GROUPS_MAX) return;
    const group = known ?? { why, path, records: 0, examples: [] };
    if (known === undefined) gaps.set(key, group);
    group.records++;
    if (group.examples.length < examplesMax) group.examples.push(record.id);
  }

  return {
    line: () => {
      counts.lines++;
    },
    other(kind) {
      if (kind === 'line') rest.otherLines++;
      else rest.otherPolicies++;
    },
    damaged(file, line, problem) {
      rest.damaged++;
      if (problem === 'gzip_broken') brokenLogs.push(file);
      if (damagedLines.length < DAMAGED_SHOWN_MAX) damagedLines.push({ file, line, problem });
    },
    decided(record, now) {
      counts.records++;
      count(revisions, record.policy.revision);
      if (!now.decided) {
        gap(record, now);
        return;
      }
      counts.replayed++;
      for (const name of now.notReevaluated) count(notReevaluated, name);
      const enforced = (record.monitoredBy === null) === now.enforced;
      const same = enforced && record.effect === now.effect && record.status === now.status && sameCodes(record.reasons, now.reasons);
      if (!same) change(record, now);
    },
    report: ({ revision, revisionIsHash }) => ({
      revision,
      revisionIsHash,
      revisions: sorted(revisions),
      ...counts,
      same: counts.replayed - counts.changed,
      changes: [...groups.values()].map(shownGroup).sort(byRecords),
      reasonsAdded: sorted(added),
      reasonsRemoved: sorted(removed),
      gaps: [...gaps.values()].map((one) => ({ ...one })).sort(byRecords),
      notReevaluated: sorted(notReevaluated),
      damagedLines: [...damagedLines],
      brokenLogs: [...brokenLogs],
      ...rest,
    }),
  };
}

function outcomeOf({ effect, reasons, status }: Pick<RecordedDecision, 'effect' | 'reasons' | 'status'>, enforced: boolean): Outcome {
  return { effect, reason: reasons[0] ?? '', status, ...(enforced ? {} : { enforced: false }) };
}

function shownGroup({ clients, ...group }: Group): ChangeGroup {
  const shown = [...clients]
    .map(([client, records]) => ({ client, records }))
    .sort(byRecords)
    .slice(0, CLIENTS_SHOWN_MAX);
  return { ...group, clients: shown, clientsTotal: clients.size };
}

/** Where there are too many names the later ones are counted together. */
function count(counts: Map<string, number>, name: string): void {
  const kept = counts.has(name) || counts.size < NAMES_MAX ? name : OTHERS;
  counts.set(kept, (counts.get(kept) ?? 0) + 1);
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}

/** Most first; among equals the first that came. */
function byRecords(a: { readonly records: number }, b: { readonly records: number }): number {
  return b.records - a.records;
}

function sameCodes(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((code, index) => code === b[index]);
}

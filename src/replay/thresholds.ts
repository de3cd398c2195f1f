import type { ReplayReport } from './report.ts';

/** A number of records, or a share of those that were replayed. */
export type Threshold = { readonly text: string; readonly records: number } | { readonly text: string; readonly share: number };

/** `0`, `25`, `0.1%`; null where it is neither. */
export function parseThreshold(text: string): Threshold | null {
  const [, number = '', percent] = /^(\d{1,12}(?:\.\d{1,9})?)(%?)$/.exec(text) ?? [];
  if (number === '') return null;
  const value = Number(number);
  if (percent === '%') return value > 100 ? null : { text, share: value / 100 };
  return Number.isInteger(value) ? { text, records: value } : null;
}

export type Thresholds = Readonly<Partial<Record<'newDenies' | 'changed' | 'notReplayable' | 'damaged', Threshold>>>;

export type Exceeded = { readonly name: keyof Thresholds; readonly limit: string; readonly records: number };

/** The thresholds that a replay is over. What is damaged is a share of all lines, what is not replayable of all records, the others of those that were replayed. */
export function exceededBy(report: ReplayReport, thresholds: Thresholds): readonly Exceeded[] {
  const exceeded: Exceeded[] = [];
  for (const name of ['newDenies', 'changed', 'notReplayable', 'damaged'] as const) {
    const limit = thresholds[name];
    if (limit === undefined) continue;
    const all = name === 'damaged' ? report.lines : name === 'notReplayable' ? report.records : report.replayed;
    const max = 'records' in limit ? limit.records : limit.share * all;
    if (report[name] > max) exceeded.push({ name, limit: limit.text, records: report[name] });
  }
  return exceeded;
}

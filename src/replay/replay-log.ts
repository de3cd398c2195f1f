import type { RecordedPolicy } from '../decide/recorded/recorded-decision.ts';
import type { LogLine } from '../stores/read-lines.ts';
import { parseLine } from './parse-line.ts';
import type { ReplayReport } from './report.ts';
import { createTally } from './tally.ts';

/** A log by the name that it is shown by. */
export type Log = { readonly file: string; readonly lines: AsyncIterable<LogLine> };

export type ReplayOptions = {
  /** Only records of the policy of this name are decided again. */
  readonly policyName: string;
  /** Decision ids that are kept of each group. */
  readonly examplesMax: number;
};

/**
 * Decides every record of the logs again and compares. It reads line by line: memory is bounded whatever the logs hold. What is damaged is
 * counted; only a log that cannot be read fails, with its error.
 */
export async function replayLogs(logs: readonly Log[], policy: RecordedPolicy, options: ReplayOptions): Promise<ReplayReport> {
  const tally = createTally(options.examplesMax);
  for (const { file, lines } of logs) {
    for await (const { number, bytes, problem } of lines) {
      tally.line();
      if (bytes === null) {
        tally.damaged(file, number, problem ?? 'form');
        continue;
      }
      const parsed = parseLine(bytes);
      if (parsed.kind === 'damaged') tally.damaged(file, number, parsed.problem);
      else if (parsed.kind === 'other') tally.other('line');
      else if (parsed.record.policy.name !== options.policyName) tally.other('policy');
      else tally.decided(parsed.record, policy.decide(parsed.record));
    }
  }
  return tally.report(policy);
}

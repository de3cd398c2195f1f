import { basename } from 'node:path';
import { z } from 'zod';

/** `test/conformance/known.yaml`. */
export const Known = z.strictObject({
  /** The test files of each topic. */
  topics: z.record(z.string(), z.array(z.string()).min(1)),
  refused: z.array(
    z.strictObject({
      topic: z.string(),
      /** Title of the block that the cases stand in, so that ids need be unique within it only. */
      in: z.string(),
      reason: z.string().min(20),
      /** Titles of tests, or what comes before their first blank. */
      cases: z.array(z.string()).min(1),
    }),
  ),
});
export type Known = z.infer<typeof Known>;

/** What is read of vitest's JSON report. */
export const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()),
          title: z.string(),
          status: z.string(),
          meta: z.looseObject({ refusedOnPurpose: z.boolean().optional() }).optional(),
        }),
      ),
    }),
  ),
});
export type Report = z.infer<typeof Report>;

export type TopicTotals = {
  readonly topic: string;
  cases: number;
  passed: number;
  refused: number;
  failed: number;
  skipped: number;
  /** A reason with the number of cases that have it. */
  readonly reasons: Map<string, number>;
  readonly problems: string[];
};

/**
 * Counts a report by topic. A case that is refused on purpose without a reason is a failure, and so is a listed one that is not refused any more, a
 * file that could not be loaded and one that belongs to no topic. `only` leaves out the other topics.
 */
export function tally(report: Report, known: Known, only: string | null): readonly TopicTotals[] {
  const topics = new Map(
    Object.keys(known.topics)
      .filter((topic) => only === null || topic === only)
      .map((topic) => [topic, emptyTotals(topic)]),
  );
  const unmet = new Map(
    known.refused.flatMap(({ topic, in: block, cases, reason }) =>
      cases.map((id) => [keyOf(topic, block, id), { topic, block, id, reason }] as const),
    ),
  );
  for (const { name, assertionResults, message } of report.testResults) {
    const file = basename(name);
    const topic = Object.keys(known.topics).find((one) => known.topics[one]?.includes(file)) ?? `without a topic: ${file}`;
    if (only !== null && topic !== only) continue;
    const totals = topics.get(topic) ?? emptyTotals(topic);
    topics.set(topic, totals);
    if (topic.startsWith('without')) fail(totals, `${file} is in no topic of known.yaml`);
    if (assertionResults.length === 0) fail(totals, `${file} could not be run: ${message ?? ''}`);
    for (const { ancestorTitles, title, status, meta } of assertionResults) {
      totals.cases++;
      const block = ancestorTitles.at(-1) ?? '';
      const keys = [keyOf(topic, block, title), keyOf(topic, block, title.split(' ')[0] ?? '')];
      const entry = keys.map((key) => unmet.get(key)).find((one) => one !== undefined);
      if (status === 'failed') fail(totals, `${block}: ${title}`);
      else if (status !== 'passed') totals.skipped++;
      else if (meta?.refusedOnPurpose !== true) totals.passed++;
      else if (entry === undefined) fail(totals, `${block}: ${title} is refused, and known.yaml has no reason for it`);
      else {
        totals.refused++;
        totals.reasons.set(entry.reason, (totals.reasons.get(entry.reason) ?? 0) + 1);
        for (const key of keys) unmet.delete(key);
      }
    }
  }
  for (const { topic, block, id } of unmet.values()) {
    const totals = topics.get(topic);
    if (totals !== undefined && totals.skipped === 0) fail(totals, `${block}: ${id} is listed in known.yaml, and is not refused`);
  }
  return [...topics.values()];
}

function keyOf(topic: string, block: string, id: string): string {
  return `${topic}\n${block}\n${id}`;
}

function emptyTotals(topic: string): TopicTotals {
  return { topic, cases: 0, passed: 0, refused: 0, failed: 0, skipped: 0, reasons: new Map(), problems: [] };
}

function fail(totals: TopicTotals, problem: string): void {
  totals.failed++;
  totals.problems.push(problem);
}

import { asCountersignError, type CountersignError } from '../../contract/errors.ts';
import type { ListContentOptions, ListReport } from '../../contract/lists.ts';
import { hashList, judgeList, type ListContent, NO_CONTENT, readList } from './parse-list.ts';
import { UNSLICED } from './slices.ts';

const PROBLEMS_MAX = 100;

/** What the service would make of the bytes of a list; never throws on account of them. */
export async function checkList(bytes: Buffer, options: ListContentOptions): Promise<ListReport> {
  const problems: { line: number; problem: string }[] = [];
  let badLines = 0;
  let content: ListContent = NO_CONTENT;
  let refusal: CountersignError | null = null;
  try {
    content = await readList(bytes, options, UNSLICED, (line, problem) => {
      badLines += 1;
      if (problems.length < PROBLEMS_MAX) problems.push({ line, problem });
    });
    judgeList(content, options);
  } catch (thrown) {
    refusal = asCountersignError(thrown, 'list_invalid');
  }
  return {
    refused: refusal === null ? null : refusal.message,
    entries: content.entries,
    ipv4Ranges: content.ipv4.size,
    ipv6Ranges: content.ipv6.size,
    asns: content.asns.size,
    badLines,
    problems,
    sha256: await hashList(bytes, UNSLICED),
  };
}

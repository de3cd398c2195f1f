import { createHash } from 'node:crypto';
import { CountersignError } from '../../contract/errors.ts';
import type { ListContentOptions } from '../../contract/lists.ts';
import { createRangeSlot, type EntryProblem, readAsn, readRange } from './list-entry.ts';
import { createLineReader } from './list-line.ts';
import { coverageOf, joinRanges, type RangeSet } from './range-set.ts';
import type { Slices } from './slices.ts';

/** The content of a list, ready to be merged with that of others. */
export type ListContent = {
  /** Lines that held an entry, repeated ones included. */
  readonly entries: number;
  /** The same without those that say what one before said: what a size is compared by. */
  readonly distinct: number;
  readonly badLines: number;
  readonly ipv4: RangeSet;
  readonly ipv6: RangeSet;
  readonly asns: ReadonlySet<number>;
};

const NO_RANGE_SET = { size: 0, starts: new Uint32Array(), ends: new Uint32Array() };

/** Content without any entry. */
export const NO_CONTENT: ListContent = {
  entries: 0,
  distinct: 0,
  badLines: 0,
  ipv4: { ...NO_RANGE_SET, width: 1 },
  ipv6: { ...NO_RANGE_SET, width: 4 },
  asns: new Set(),
};

/** Told of each line that should hold an entry and does not. */
export type OnBadLine = (line: number, problem: EntryProblem | 'too long') => void;

/** Nothing that a list holds needs more; a longer line is not looked at. */
const LINE_BYTES_MAX = 4096;
const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = '\uFEFF';
const HASH_BYTES = 1 << 20;
const HALF_OF_IPV4 = 2 ** 31;
/** Of 2000::/3, the only addresses that are given out, in networks of /64. */
const HALF_OF_IPV6 = 2 ** 60;

/**
 * Reads the bytes of a list in slices, and judges them.
 * @throws CountersignError `list_invalid` where too many lines are wrong, there are too many entries, or they cover too much;
 * `list_too_short` where there are fewer than `entriesMin`. The detail holds numbers and never a part of the content.
 */
export async function parseList(bytes: Buffer, options: ListContentOptions, slices: Slices): Promise<ListContent> {
  const content = await readList(bytes, options, slices, () => undefined);
  judgeList(content, options);
  return content;
}

/** What can be read of a list, however little that is; throws `list_invalid` above `entriesMax` and without the column. */
export async function readList(bytes: Buffer, options: ListContentOptions, slices: Slices, onBadLine: OnBadLine): Promise<ListContent> {
  const { entries, badLines, asns, ...found } = await readLines(bytes, options, slices, onBadLine);
  const ipv4 = await joinRanges(1, found.ipv4.size, found.ipv4.starts, found.ipv4.ends, slices);
  const ipv6 = await joinRanges(4, found.ipv6.size, found.ipv6.starts, found.ipv6.ends, slices);
  const distinct = asns.size + found.ipv4.size + found.ipv6.size - ipv4.repeated - ipv6.repeated;
  return { entries, distinct, badLines, ipv4, ipv6, asns };
}

/** Refuses content that is not what the configuration says of it, as `parseList` does. */
export function judgeList({ entries, badLines, ipv4, ipv6 }: ListContent, options: ListContentOptions): void {
  if (badLines > (entries + badLines) * options.badLinesMax) {
    throw new CountersignError('list_invalid', { detail: `${badLines} of ${entries + badLines} lines are wrong` });
  }
  if (entries < options.entriesMin) {
    throw new CountersignError('list_too_short', { detail: `${entries} entries, at least ${options.entriesMin}` });
  }
  if (!options.allowWide && coverageOf(ipv4) > HALF_OF_IPV4) {
    throw new CountersignError('list_invalid', { detail: 'it covers more than half of IPv4' });
  }
  if (!options.allowWide && coverageOf(ipv6) > HALF_OF_IPV6) {
    throw new CountersignError('list_invalid', { detail: 'it covers more than half of IPv6' });
  }
}

type Lines = {
  entries: number;
  badLines: number;
  readonly ipv4: GrowingRanges;
  readonly ipv6: GrowingRanges;
  readonly asns: Set<number>;
};

async function readLines(bytes: Buffer, options: ListContentOptions, slices: Slices, onBadLine: OnBadLine): Promise<Lines> {
  const encoding = options.format === 'jsonl' || options.format === 'csv' ? 'utf8' : 'latin1';
  const readLine = createLineReader(options);
  const found: Lines = { entries: 0, badLines: 0, ipv4: new GrowingRanges(1), ipv6: new GrowingRanges(4), asns: new Set() };
  const slot = createRangeSlot();

  const take = (text: string | null): EntryProblem | null => {
    if (text === null) return 'no entry';
    if (options.kind === 'asns') {
      const asn = readAsn(text);
      if (asn === null) return 'not an AS number';
      found.asns.add(asn);
      return null;
    }
    const problem = readRange(text, slot, options.allowWide);
    if (problem === null) (slot.width === 1 ? found.ipv4 : found.ipv6).add(slot.start, slot.end);
    return problem;
  };

  let at = startOf(bytes);
  for (let number = 1; at < bytes.length; number += 1) {
    if ((number & 255) === 0 && slices.over()) await slices.next();
    const feed = bytes.indexOf(LINE_FEED, at);
    const end = feed < 0 ? bytes.length : feed;
    const text = end - at > LINE_BYTES_MAX ? undefined : readLine(bytes.toString(encoding, at, end));
    at = end + 1;
    if (text === '') continue;
    const problem = text === undefined ? 'too long' : take(text);
    if (problem !== null) {
      found.badLines += 1;
      onBadLine(number, problem);
      continue;
    }
    found.entries += 1;
    if (found.entries > options.entriesMax) {
      throw new CountersignError('list_invalid', { detail: `more than ${options.entriesMax} entries` });
    }
  }
  return found;
}

function startOf(bytes: Buffer): number {
  const mark = Buffer.from(BYTE_ORDER_MARK);
  return bytes.subarray(0, mark.length).equals(mark) ? mark.length : 0;
}

/** Ranges in two arrays that double when they are full. */
class GrowingRanges {
  starts: Uint32Array;
  ends: Uint32Array;
  size = 0;
  readonly #width: 1 | 4;

  constructor(width: 1 | 4) {
    this.#width = width;
    this.starts = new Uint32Array(256 * width);
    this.ends = new Uint32Array(256 * width);
  }

  add(start: Uint32Array, end: Uint32Array): void {
    const at = this.size * this.#width;
    if (at === this.starts.length) {
      this.starts = doubled(this.starts);
      this.ends = doubled(this.ends);
    }
    for (let word = 0; word < this.#width; word += 1) {
      this.starts[at + word] = start[word] ?? 0;
      this.ends[at + word] = end[word] ?? 0;
    }
    this.size += 1;
  }
}

function doubled(words: Uint32Array): Uint32Array {
  const more = new Uint32Array(words.length * 2);
  more.set(words);
  return more;
}

/** SHA-256 of a content in hex, in slices: 32 MiB take 20 to 100 ms. */
export async function hashList(bytes: Buffer, slices: Slices): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += HASH_BYTES) {
    hash.update(bytes.subarray(at, at + HASH_BYTES));
    if (slices.over()) await slices.next();
  }
  return hash.digest('hex');
}

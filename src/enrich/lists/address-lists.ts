import { isDeepStrictEqual } from 'node:util';
import type { PreparedChange } from '../../contract/lifecycle.ts';
import type { ListFacts, ListGap, ListHit, ListStatus } from '../../contract/lists.ts';
import type { Clock, Logger } from '../../contract/stages.ts';
import { within } from '../../contract/within.ts';
import type { ReadChangedFile } from '../../stores/changed-file.ts';
import type { HttpFetchChanged } from '../../stores/http-fetch.ts';
import type { IpAddress } from '../ip-address.ts';
import { type AcceptedContent, createAcceptedContent } from './accepted-content.ts';
import { type AsnIndex, buildAsnIndex, NO_ASNS } from './asn-index.ts';
import { createHostingList } from './hosting-list.ts';
import { createListSource, type ListSource } from './list-source.ts';
import type { NamedList } from './named-list.ts';
import type { AddressListsOptions, ListOptions } from './options.ts';
import { type ListContent, NO_CONTENT } from './parse-list.ts';
import { buildRangeIndex, NO_RANGES, type RangeIndex } from './range-index.ts';
import type { RangeSet } from './range-set.ts';
import { createSlices } from './slices.ts';

/** What the lists say of one address. Equal answers within a second are the same frozen object. */
export type ListMatch = ListFacts & {
  /** What the hits add to the kinds of the network, sorted. */
  readonly kinds: readonly string[];
};

/** All configured lists, and the packaged one. */
export interface AddressLists {
  /** `asnFailed`: nobody can say what the number of the AS is, though somebody should. Never throws, never waits. */
  match(address: IpAddress, asn: number | null, asnFailed: boolean): ListMatch;
  /**
   * Other lists for those of now; one that is among them just so keeps its content and its age. Resolves once what is new is loaded, after two seconds at
   * the latest. Rejects with `list_invalid` where they overlap in too many ways; one change at a time.
   */
  prepare(lists: readonly ListOptions[]): Promise<PreparedChange>;
  /** Loads all, and goes on reading them again; never rejects. */
  start(): Promise<void>;
  stop(): void;
  status(): readonly ListStatus[];
}

export type AddressListsParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readFile: ReadChangedFile;
  readonly fetch: HttpFetchChanged;
  readonly random: () => number;
};

/** Nothing is on a list, and all of them could be asked. */
export const NO_MATCH: ListMatch = Object.freeze({ hits: Object.freeze([]), unavailable: Object.freeze([]), kinds: Object.freeze([]) });

/** Different answers that are kept within a second. */
const MATCHES_MAX = 4096;

/** What is not loaded by then behaves as at the start: it says of itself that it is not, and comes later. */
const READY_WAIT_MS = 2000;

type Indexes = { readonly ipv4: RangeIndex; readonly ipv6: RangeIndex; readonly asns: AsnIndex };

/** A list with what it is made of and what it holds. */
type Entry = { readonly options: ListOptions; readonly source: ListSource; content: ListContent };

/** The lists at one time; their numbers in the indexes are their places here. */
type Generation = { readonly entries: readonly Entry[]; readonly lists: readonly NamedList[]; readonly anyAsns: boolean };

/** Nothing is read before `start`; until then every configured list is `never_loaded`. */
export function createAddressLists(options: AddressListsOptions, parts: AddressListsParts): AddressLists {
  const { clock } = parts;
  const hosting = options.hostingAsns ? createHostingList() : null;
  const accepted: AcceptedContent = createAcceptedContent(options.listsAcceptFile, parts, () => reconsider());
  let { entries, lists, anyAsns } = generationOf(options.lists.map(createEntry));
  let indexes: Indexes = { ipv4: NO_RANGES, ipv6: NO_RANGES, asns: NO_ASNS };
  let second = Number.NEGATIVE_INFINITY;
  let gaps: readonly ListGap[] = NO_MATCH.unavailable;
  let gapsWithoutAsn: readonly ListGap[] = NO_MATCH.unavailable;
  const matches = new Map<number, ListMatch>();
  let building: Promise<void> = hosting === null ? Promise.resolve() : buildAll(entries).then(use);

  function createEntry(list: ListOptions): Entry {
    const entry: Entry = {
      options: list,
      content: NO_CONTENT,
      source: createListSource(list, {
        ...parts,
        exclusive,
        publish: (content, inUse) => publish(entry, content, inUse),
        accepts: (sha256) => accepted.has(list.name, sha256),
      }),
    };
    return entry;
  }

  function generationOf(all: readonly Entry[]): Generation {
    const sources = all.map(({ source }) => source);
    const named = hosting === null ? sources : [...sources, hosting.list];
    return { entries: all, lists: named, anyAsns: named.some(({ kind }) => kind === 'asns') };
  }

  /** In the order of the lists, the packaged one last. */
  function contentsOf(all: readonly Entry[]): readonly ListContent[] {
    return [...all.map(({ content }) => content), ...(hosting === null ? [] : [hosting.content])];
  }

  async function buildAll(all: readonly Entry[]): Promise<Indexes> {
    const slices = createSlices(() => clock.monotonic());
    const contents = contentsOf(all);
    return {
      ipv4: await buildRangeIndex(contents.map(rangesOf4), slices),
      ipv6: await buildRangeIndex(contents.map(rangesOf6), slices),
      asns: await buildAsnIndex(contents.map(asnsOf), slices),
    };
  }

  /** What neither the old nor the new content of the list has anything of stays as it is. */
  async function rebuild(number: number, before: ListContent, content: ListContent): Promise<Indexes> {
    const slices = createSlices(() => clock.monotonic());
    const next = contentsOf(entries).with(number, content);
    const { ipv4, ipv6, asns } = indexes;
    return {
      ipv4: before.ipv4.size + content.ipv4.size === 0 ? ipv4 : await buildRangeIndex(next.map(rangesOf4), slices),
      ipv6: before.ipv6.size + content.ipv6.size === 0 ? ipv6 : await buildRangeIndex(next.map(rangesOf6), slices),
      asns: before.asns.size + content.asns.size === 0 ? asns : await buildAsnIndex(next.map(asnsOf), slices),
    };
  }

  function use(built: Indexes): void {
    indexes = built;
    second = Number.NEGATIVE_INFINITY;
  }

  function exclusive(work: () => Promise<void>): Promise<void> {
    const turn = building.then(work);
    building = turn.catch(() => undefined);
    return turn;
  }

  /** From within `exclusive`, in which no other lists are taken into force. */
  async function publish(entry: Entry, content: ListContent, inUse: () => void): Promise<void> {
    const number = entries.indexOf(entry);
    const built = number === -1 ? null : await rebuild(number, entry.content, content);
    // all at once: no request sees one list of before and another of after
    entry.content = content;
    inUse();
    if (built !== null) use(built);
  }

  async function reconsider(): Promise<void> {
    await Promise.all(entries.map(({ source }) => source.reconsider()));
  }

  async function prepare(wanted: readonly ListOptions[]): Promise<PreparedChange> {
    const before = entries;
    const next = wanted.map((list) => before.find((one) => isDeepStrictEqual(one.options, list)) ?? createEntry(list));
    const added = next.filter((entry) => !before.includes(entry));
    const built = Promise.withResolvers<Indexes>();
    const over = Promise.withResolvers<void>();
    const end = (closed: readonly Entry[]): void => {
      for (const { source } of closed) source.stop();
      over.resolve();
    };
    try {
      await within<unknown>(READY_WAIT_MS, Promise.all(added.map(({ source }) => source.start())), null);
      // no list takes other content into use from the moment of this build to that of its use
      exclusive(async () => {
        built.resolve(await buildAll(next));
        await over.promise;
      }).catch(built.reject);
      const ready = await built.promise;
      return {
        commit() {
          ({ entries, lists, anyAsns } = generationOf(next));
          use(ready);
          end(before.filter((entry) => !next.includes(entry)));
        },
        discard: () => end(added),
      };
    } catch (thrown) {
      end(added);
      throw thrown;
    }
  }

  /** Ages count in whole seconds, so that answers can be shared within one. */
  function turnSecond(now: number): void {
    second = now;
    matches.clear();
    gaps = gapsOf(lists, false);
    gapsWithoutAsn = anyAsns ? gapsOf(lists, true) : gaps;
  }

  function describe(addressSet: readonly number[], asnSet: readonly number[], unavailable: readonly ListGap[]): ListMatch {
    const hit = [...addressSet, ...asnSet].flatMap((number) => lists[number] ?? []);
    const kinds = [...new Set(hit.flatMap((list) => list.kinds))].sort();
    return Object.freeze({ hits: Object.freeze(hit.map(hitOf)), unavailable, kinds: Object.freeze(kinds) });
  }

  return {
    match({ family, groups }, asn, asnFailed) {
      if (lists.length === 0) return NO_MATCH;
      const now = Math.floor(clock.monotonic() / 1000);
      if (now !== second) turnSecond(now);
      const { ipv4, ipv6, asns } = indexes;
      const ranges = family === 4 ? ipv4 : ipv6;
      const addressSet = ranges.find(groups);
      const asnSet = asn === null ? 0 : asns.find(asn);
      const unavailable = asnFailed ? gapsWithoutAsn : gaps;
      if (addressSet === 0 && asnSet === 0 && unavailable.length === 0) return NO_MATCH;
      const key = ((asnSet * 65_536 + addressSet) * 2 + (family === 4 ? 0 : 1)) * 2 + (asnFailed ? 1 : 0);
      const known = matches.get(key);
      if (known !== undefined) return known;
      const found = describe(ranges.sets[addressSet] ?? [], asns.sets[asnSet] ?? [], unavailable);
      if (matches.size >= MATCHES_MAX) matches.clear();
      matches.set(key, found);
      return found;
    },
    prepare,
    async start() {
      await Promise.all([building, accepted.start()]);
      await Promise.all(entries.map(({ source }) => source.start()));
    },
    stop() {
      accepted.stop();
      for (const { source } of entries) source.stop();
    },
    status: () => lists.map((list) => list.status()),
  };
}

const rangesOf4 = ({ ipv4 }: ListContent): RangeSet => ipv4;
const rangesOf6 = ({ ipv6 }: ListContent): RangeSet => ipv6;
const asnsOf = ({ asns }: ListContent): ReadonlySet<number> => asns;

function hitOf(list: NamedList): ListHit {
  return Object.freeze({ name: list.name, tags: list.tags, ageSeconds: list.ageSeconds(), stale: list.tooOld() });
}

function gapsOf(lists: readonly NamedList[], asnFailed: boolean): readonly ListGap[] {
  const gaps = lists.flatMap((list): ListGap[] => {
    const { name, tags } = list;
    if (!list.loaded()) return [{ name, tags, code: 'never_loaded' }];
    if (list.tooOld()) return [{ name, tags, code: 'too_old' }];
    return asnFailed && list.kind === 'asns' ? [{ name, tags, code: 'asn_unknown' }] : [];
  });
  return gaps.length === 0 ? NO_MATCH.unavailable : Object.freeze(gaps);
}

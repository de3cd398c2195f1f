import type { Clock, Logger } from '../../../src/contract/stages.ts';
import { parseIpAddress } from '../../../src/enrich/ip-address.ts';
import { type AddressLists, createAddressLists } from '../../../src/enrich/lists/address-lists.ts';
import type { AddressListsOptions, ListOptions } from '../../../src/enrich/lists/options.ts';
import { readChangedFile } from '../../../src/stores/changed-file.ts';
import { httpFetchChanged } from '../../../src/stores/http-fetch.ts';

/** 2026-09-21T13:33:20Z */
export const NOW_MS = 1_790_000_000_000;

/** A list as the configuration's defaults have it. */
export function listOptions(more: Partial<ListOptions> = {}): ListOptions {
  return {
    ...{
      name: 'drop',
      kind: 'addresses',
      format: 'lines',
      column: null,
      field: null,
      file: null,
      url: null,
      tags: ['malicious'],
      kinds: [],
    },
    ...{ refreshSeconds: 3600, fetchTimeoutMs: 2000, ageMaxSeconds: null, shrinkMax: 0.5, badLinesMax: 0.05 },
    ...{ entriesMin: 1, entriesMax: 1000, bytesMax: 100_000, allowWide: false },
    ...more,
  };
}

/** A clock that stands still until it is moved. */
export type ManualClock = Clock & { pass(ms: number): void };
export function createManualClock(): ManualClock {
  let passedMs = 5000;
  return {
    now: () => NOW_MS + passedMs - 5000,
    monotonic: () => passedMs,
    pass(ms) {
      passedMs += ms;
    },
  };
}

export type LogLine = { readonly level: string; readonly event: string; readonly fields: unknown };
export function createLog(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (event: string, fields?: unknown) => void lines.push({ level, event, fields });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export type TestLists = { readonly lists: AddressLists; readonly clock: ManualClock; readonly log: ReturnType<typeof createLog> };

/** Lists over the real file system and the real HTTP client. */
export function createTestLists(options: Partial<AddressListsOptions>): TestLists {
  const clock = createManualClock();
  const log = createLog();
  const lists = createAddressLists(
    { lists: [], listsAcceptFile: null, hostingAsns: false, ...options },
    { clock, logger: log, readFile: readChangedFile, fetch: httpFetchChanged, random: () => 0.5 },
  );
  return { lists, clock, log };
}

/** Names of the lists that an address is on. */
export function namesOf(lists: AddressLists, address: string, asn: number | null = null): string[] {
  const parsed = parseIpAddress(address);
  if (parsed === null) throw new Error(`no address: ${address}`);
  return lists.match(parsed, asn, false).hits.map(({ name }) => name);
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type IpAddress, parseIpAddress } from '../src/enrich/ip-address.ts';
import { type AddressLists, createAddressLists } from '../src/enrich/lists/address-lists.ts';
import type { ListOptions } from '../src/enrich/lists/options.ts';
import { readChangedFile } from '../src/stores/changed-file.ts';
import { httpFetchChanged } from '../src/stores/http-fetch.ts';
import { systemClock } from '../src/system-clock.ts';

/**
 * Lists of addresses at size: `node bench/lists.ts [--ranges 200000]`. Half of the ranges are IPv4, half IPv6, over four lists in files, in
 * random order, a tenth of them nested in others. Prints the memory that they keep, what loading costs the event loop, and the cost of a look-up.
 */
const { values } = parseArgs({ options: { ranges: { type: 'string', default: '200000' } } });
const RANGES = Number(values.ranges);
const LISTS = 4;
const LOOKUPS = 2_000_000;
const MIB = 1 << 20;

/** Numbers below `bound`, the same in each run (mulberry32). */
function createRandom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * bound);
  };
}

const random = createRandom(7);
const octet = (): number => random(256);
const group = (): string => random(65_536).toString(16);

function randomRange(index: number): string {
  if (index % 2 === 0) return `${1 + random(222)}.${octet()}.${octet()}.${octet()}/${index % 20 === 0 ? 14 + random(8) : 24 + random(9)}`;
  return `2${random(4096).toString(16).padStart(3, '0')}:${group()}:${group()}:${group()}::/${index % 20 === 1 ? 28 + random(12) : 40 + random(25)}`;
}

function listOptions(name: string, file: string): ListOptions {
  return {
    ...{ name, file, url: null, kind: 'addresses', format: 'lines', column: null, field: null, tags: ['malicious'], kinds: [] },
    ...{ refreshSeconds: 3600, fetchTimeoutMs: 1000, ageMaxSeconds: null, shrinkMax: 0.5, badLinesMax: 0, entriesMin: 1 },
    ...{ entriesMax: 5_000_000, bytesMax: 1 << 28, allowWide: true },
  };
}

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');
/** Heap and array buffers in use, once the garbage is gone. */
async function usedMib(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    if (typeof collect === 'function') collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / MIB;
}

/** Nanoseconds of one look-up, and how many hit. */
function measure(lists: AddressLists, addresses: readonly IpAddress[]): { readonly ns: number; readonly hits: number } {
  let hits = 0;
  const started = process.hrtime.bigint();
  for (let index = 0; index < LOOKUPS; index += 1) {
    const address = addresses[index % addresses.length];
    if (address !== undefined && lists.match(address, null, false).hits.length > 0) hits += 1;
  }
  return { ns: Number(process.hrtime.bigint() - started) / LOOKUPS, hits: hits / LOOKUPS };
}

const parsed = (texts: readonly string[]): IpAddress[] => texts.flatMap((text) => parseIpAddress(text) ?? []);
const print = (label: string, value: string): void => console.log(`${label.padEnd(34)} ${value}`);

const directory = mkdtempSync(join(tmpdir(), 'countersign-lists-'));
try {
  const ranges = Array.from({ length: RANGES }, (_, index) => randomRange(index));
  const files = Array.from({ length: LISTS }, (_, list) => {
    const file = join(directory, `${list}.txt`);
    writeFileSync(file, ranges.filter((_range, index) => index % LISTS === list).join('\n'));
    return file;
  });
  const inside = (part: number): string[] => ranges.filter((_, index) => index % 2 === part).map((range) => range.replace(/\/.*/, ''));
  const [hits4, hits6] = [parsed(inside(0)), parsed(inside(1))];
  const misses4 = parsed(Array.from({ length: 50_000 }, () => `${224 + random(16)}.${octet()}.${octet()}.${octet()}`));
  const any4 = parsed(Array.from({ length: 50_000 }, () => `${1 + random(222)}.${octet()}.${octet()}.${octet()}`));
  const any6 = parsed(Array.from({ length: 50_000 }, () => `2${random(4096).toString(16)}:${group()}:${group()}:${group()}::1`));

  const before = await usedMib();
  const residentBefore = process.memoryUsage.rss() / MIB;
  const lists = createAddressLists(
    { lists: files.map((file, index) => listOptions(`list_${index}`, file)), listsAcceptFile: null, hostingAsns: false },
    {
      clock: systemClock,
      logger: { debug() {}, info() {}, warn: console.warn, error: console.error },
      readFile: readChangedFile,
      fetch: httpFetchChanged,
      random: Math.random,
    },
  );
  const idle = monitorEventLoopDelay({ resolution: 1 });
  idle.enable();
  await new Promise((resolve) => setTimeout(resolve, 500));
  idle.disable();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.cpuUsage();
  const started = performance.now();
  await lists.start();
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  print('ranges, over lists', `${RANGES} over ${LISTS}`);
  print('loaded in', `${(performance.now() - started).toFixed(0)} ms, ${((user + system) / 1000).toFixed(0)} ms of CPU`);
  print('event loop, longest pause', `${(delay.max / 1e6).toFixed(1)} ms (p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms)`);
  print('the same with nothing to do', `${(idle.max / 1e6).toFixed(1)} ms (p99 ${(idle.percentile(99) / 1e6).toFixed(1)} ms)`);
  print('resident memory after loading', `+${(process.memoryUsage.rss() / MIB - residentBefore).toFixed(1)} MiB`);
  print('memory that stays', `${((await usedMib()) - before).toFixed(1)} MiB`);
  for (const [label, addresses] of Object.entries({ hits4, misses4, any4, hits6, any6 })) {
    measure(lists, addresses);
    const { ns, hits } = measure(lists, addresses);
    print(`look-up, ${label}`, `${(ns / 1000).toFixed(3)} µs (${(hits * 100).toFixed(0)} % on a list)`);
  }
  lists.stop();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

import { parentPort, workerData } from 'node:worker_threads';
import { openQuietly } from './databases.ts';

/** What the probe of one file tells: its state, the answers by kind, and the processor time of opening and asking. */
export type ProbeReport = {
  readonly state: string;
  readonly records: number;
  readonly unknown: number;
  readonly broken: number;
  readonly cpuMs: number;
};

/*
 * A worker that opens the database file of `workerData` and asks it for addresses all over the address space, so that a file
 * that sends the reader round in circles or eats its memory ends this worker and not the tests.
 */
const port = parentPort;
const path: unknown = workerData;
if (port === null || typeof path !== 'string') throw new Error('to be started as a worker, with a path');

const before = process.threadCpuUsage();
const database = await openQuietly(path);
const tally = { records: 0, unknown: 0, broken: 0 };
function ask(address: string, family: 4 | 6): void {
  const found = database.lookup(address, family);
  if (typeof found !== 'object') tally.broken += 1;
  else if (found.record === null) tally.unknown += 1;
  else tally.records += 1;
}
for (let first = 0; first < 256; first += 1) {
  ask(`${first}.1.1.${first}`, 4);
  ask(`${(first << 8).toString(16)}:${first.toString(16)}::1`, 6);
}
for (const address of ['1.1.1.1', '81.2.69.160', '2.125.160.216', '255.255.255.255', '0.0.0.0']) ask(address, 4);
for (const address of ['::', '::1', '2001:218::', '2001:db8::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']) ask(address, 6);
const used = process.threadCpuUsage(before);
port.postMessage({ state: database.status().state, ...tally, cpuMs: (used.user + used.system) / 1000 } satisfies ProbeReport);

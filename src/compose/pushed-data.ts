import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import { createDataThread, type RunDataJob } from '../decide/pushed/data-thread.ts';
import { createPushedData, type PushedData, type StateFile } from '../decide/pushed/pushed-data.ts';
import { createStateFolder } from '../stores/state-folder.ts';

/** This module is TypeScript when it is run from source, and so is its neighbour. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './data-worker.ts' : './data-worker.js', import.meta.url);
const THREAD = { worker: WORKER, timeoutMs: 60_000, heapMbMax: 2048, jobsMax: 16 };

/** The thread that works on pushed data, for all policies. */
export function openDataThread(): ReturnType<typeof createDataThread> {
  return createDataThread(THREAD);
}

const FILE = 'data.json';
/** Whatever was pushed under any configuration is read again: data that is left out since a bound was lowered could open what it closed. */
const FILE_BYTES_MAX = 268_435_456;

/** What operators push over one policy, in its folder of the state. */
export function openPushedData(
  policy: string,
  { admin, state: { directory } }: Config,
  parts: { readonly clock: Clock; readonly logger: Logger; readonly run: RunDataJob },
): PushedData {
  const file = directory === null ? null : openStateFile(join(directory, 'data', policy));
  return createPushedData({ policy, file, bounds: admin, ...parts });
}

function openStateFile(path: string): StateFile {
  const folder = createStateFolder(path);
  return {
    read: () => folder.read(FILE, FILE_BYTES_MAX),
    write: (bytes) => folder.write(FILE, bytes),
    setAside: (bytes) => folder.write(`${FILE}.damaged`, bytes),
  };
}

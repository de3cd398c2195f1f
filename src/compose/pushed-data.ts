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
/** JSON escapes take space, and the owner and times of each document. */
const OVERHEAD_FACTOR = 2;

/** What operators push over one policy, in its folder of the state. */
export function openPushedData(
  policy: string,
  { admin, state: { directory } }: Config,
  parts: { readonly clock: Clock; readonly logger: Logger; readonly run: RunDataJob },
): PushedData {
  const file = directory === null ? null : openStateFile(join(directory, 'data', policy), admin.dataMaxBytes * OVERHEAD_FACTOR);
  return createPushedData({ policy, file, bounds: admin, ...parts });
}

function openStateFile(path: string, bytesMax: number): StateFile {
  const folder = createStateFolder(path);
  return {
    read: () => folder.read(FILE, bytesMax),
    write: (bytes) => folder.write(FILE, bytes),
    setAside: (bytes) => folder.write(`${FILE}.damaged`, bytes),
  };
}

import { basename } from 'node:path';
import { entrypointOf } from '../config/policy.ts';
import { CountersignError } from '../contract/errors.ts';
import { openRecorded } from '../decide/recorded/recorded-policy.ts';
import { createLocalSource } from '../decide/source/local-sources.ts';
import { replayLogs } from '../replay/replay-log.ts';
import type { ReplayTools } from '../replay/tools.ts';
import { readChangedFile } from '../stores/changed-file.ts';
import { readLines } from '../stores/read-lines.ts';

const MEMORY_PAGES_MAX = 4096;
/** An input at every cap and its line are below this. */
const LINE_BYTES_MAX = 8 << 20;

/** What `countersign replay` works with: no service is needed for it. */
export function createReplayTools(): ReplayTools {
  return {
    async replay({ logs, policy: bundle, contract, opaBin, policyName, examplesMax, ...task }) {
      const entrypoint = entrypointOf({ contract, entrypoint: task.entrypoint });
      const found = await createLocalSource({ bundle, opaBin, entrypoint, contract }, { readFile: readChangedFile }).read(
        null,
        new AbortController().signal,
      );
      if (found === null) throw new CountersignError('bundle_unreadable', { detail: 'nothing there' });
      const policy = await openRecorded(found.packed, { contract, entrypoint, memoryPagesMax: MEMORY_PAGES_MAX, name: policyName });
      const opened = logs.map((path) => ({ file: basename(path), lines: readLines(path, LINE_BYTES_MAX) }));
      return replayLogs(opened, policy, { policyName, examplesMax });
    },
  };
}

import { parentPort, workerData } from 'node:worker_threads';
import { runDataJob } from '../decide/pushed/data-job.ts';
import { giveWay } from './give-way.ts';

/* The thread that works on pushed data: a root of its own. */

if (parentPort !== null) {
  giveWay();
  const outcome = await runDataJob(workerData);
  const moved = outcome.kind === 'read' ? [outcome.json.buffer] : [];
  parentPort.postMessage(outcome, outcome.kind === 'edited' || outcome.kind === 'opened' ? buffersOf(outcome.kept) : moved);
}

function buffersOf({
  file,
  documents,
}: {
  readonly file: Uint8Array<ArrayBuffer>;
  readonly documents: readonly { readonly json: Uint8Array<ArrayBuffer> }[];
}) {
  return [file.buffer, ...documents.map(({ json }) => json.buffer)];
}

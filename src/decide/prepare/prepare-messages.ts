import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '../../contract/codes.ts';
import { CountersignError } from '../../contract/errors.ts';
import type { Prepare, PreparedRevision, PrepareOutcome, PrepareTask } from './prepare-revision.ts';

/* What the two threads say to each other. An error of ours crosses as plain data: a copy would be of no class. */

export type PrepareRequest = { readonly task: PrepareTask };
export type PrepareReply =
  | { readonly ok: true; readonly prepared: PreparedRevision }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly field: string | null;
      readonly message: string;
      readonly revision: string | null;
    };

/** The thread's side: answers each task with its outcome. The memory image and the routes are shared and not copied. */
export function servePreparing(port: MessagePort, prepare: Prepare): void {
  port.on('message', ({ task }: PrepareRequest) => {
    void prepare(task).then((outcome) => {
      if (outcome.ok) port.postMessage(outcome satisfies PrepareReply, buffersOf(outcome.prepared));
      else port.postMessage(refusal(outcome.error, outcome.revision));
    });
  });
}

/** What changes its thread without a copy. */
function buffersOf({ host }: PreparedRevision): ArrayBuffer[] {
  return host.blocked.map(({ buffer }) => buffer);
}

function refusal(error: CountersignError, revision: string | null): PrepareReply {
  return { ok: false, code: error.code, field: error.field, message: error.message, revision };
}

/** The asking side: the outcome as it was there. */
export function outcomeOf(reply: PrepareReply): PrepareOutcome {
  if (reply.ok) return reply;
  const { code, field, message, revision } = reply;
  const named = field === null ? {} : { field };
  const shown = new CountersignError(code, named).message;
  const detail = message.slice(shown.length).replace(/^ \((.*)\)$/s, '$1');
  return { ok: false, error: new CountersignError(code, detail === '' ? named : { ...named, detail }), revision };
}

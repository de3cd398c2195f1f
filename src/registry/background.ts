import { Worker } from 'node:worker_threads';
import { CountersignError } from '../contract/errors.ts';
import type { ApiKeyRecord, ClientRecord } from '../contract/registry.ts';
import type { LoadBounds } from './load-files.ts';
import type { Refusal } from './problem.ts';
import type { Revocation } from './revocation-entry.ts';
import type { FoundFile, Part } from './source-files.ts';

/** What a thread is asked to read. */
export type BackgroundJob = { readonly part: Part; readonly files: readonly FoundFile[]; readonly bounds: LoadBounds };

/** What comes back, portion after portion. */
export type ToMain =
  | { readonly kind: 'clients'; readonly clients: readonly ClientRecord[] }
  | { readonly kind: 'apiKeys'; readonly apiKeys: readonly ApiKeyRecord[] }
  | { readonly kind: 'revocations'; readonly revocations: readonly Revocation[] }
  | ({ readonly kind: 'refused' } & Refusal)
  | { readonly kind: 'done' };

/** Takes the entries of what is being loaded. */
export type Receiver = {
  readonly client: (client: ClientRecord) => void;
  readonly apiKey: (apiKey: ApiKeyRecord) => void;
  readonly revocation: (revocation: Revocation) => void;
};

const DEADLINE_MS = 300_000;
const HEAP_MB_MAX = 2048;
/** This module is TypeScript when it is run from source, and so is its neighbour. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './background-worker.ts' : './background-worker.js', import.meta.url);

/**
 * Reads files in a thread of its own, so that a hundred thousand entries do not stop a single decision. The receiver has had all entries once
 * it resolves with null; a refusal has handed over none. Rejects where the thread fails, and after `stopping`.
 */
export function loadInBackground(job: BackgroundJob, receiver: Receiver, stopping: AbortSignal): Promise<Refusal | null> {
  return new Promise<Refusal | null>((resolve, reject) => {
    const worker = new Worker(WORKER, { workerData: job, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX } });
    const fail = (detail: string, cause?: unknown): void => {
      reject(new CountersignError('registry_too_large', { detail, cause }));
      end();
    };
    const timer = setTimeout(() => fail('it took too long to read'), DEADLINE_MS);
    timer.unref();
    const stop = (): void => fail('stopped');
    const end = (): void => {
      clearTimeout(timer);
      stopping.removeEventListener('abort', stop);
      worker.removeAllListeners('exit');
      void worker.terminate();
    };
    stopping.addEventListener('abort', stop, { once: true });
    worker.unref();
    worker.on('error', (cause) => fail('its reader failed', cause));
    worker.on('exit', () => fail('its reader ended'));
    worker.on('message', (message: ToMain) => {
      if (message.kind === 'done' || message.kind === 'refused') {
        resolve(message.kind === 'done' ? null : { code: message.code, problems: message.problems });
        end();
        return;
      }
      take(message, receiver);
      // others first: the next portion waits for its turn like any event
      setImmediate(() => worker.postMessage('taken'));
    });
  });
}

function take(message: Exclude<ToMain, { kind: 'done' | 'refused' }>, receiver: Receiver): void {
  if (message.kind === 'clients') for (const client of message.clients) receiver.client(client);
  else if (message.kind === 'apiKeys') for (const apiKey of message.apiKeys) receiver.apiKey(apiKey);
  else for (const revocation of message.revocations) receiver.revocation(revocation);
}

import { createHash } from 'node:crypto';
import type { AdminRefused, DataEdit, DataSide, OperatorRole } from '../../contract/admin.ts';
import { asCountersignError, CountersignError } from '../../contract/errors.ts';
import type { PolicyException } from '../../contract/exceptions.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import { type Bundle, readBundle } from '../bundle.ts';
import { applyEdit, valueInForce } from './edit.ts';
import { parseExceptions } from './exceptions.ts';
import { EXCEPTIONS, isMutable, pathText, startsWith } from './roots.ts';
import { decodeState, encodeState, type PushedState } from './state-file.ts';

/*
 * What is done with pushed data in a thread of its own, since parsing and writing megabytes of JSON would hold every decision up. All that goes
 * in and comes out can be copied between threads.
 */

/** One pushed document, as the service keeps it. */
export type KeptDocument = {
  readonly path: readonly string[];
  /** JSON in UTF-8. */
  readonly json: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  readonly at: number;
  readonly by: string;
};

/** All that was pushed over a policy, as the service keeps it: texts, so that nothing large lies about as objects. */
export type KeptData = {
  readonly revision: number;
  readonly roots: Readonly<Record<string, number>>;
  readonly documents: readonly KeptDocument[];
  readonly exceptions: readonly PolicyException[];
  /** Paths that an operator without the role admin changed last. */
  readonly operatorPaths: readonly string[];
  /** What is written to the state file. */
  readonly file: Uint8Array<ArrayBuffer>;
  /** Of all documents together; null where there is none. */
  readonly sha256: string | null;
  readonly bytes: number;
};

export type DataJob =
  | { readonly kind: 'open'; readonly policy: string; readonly file: Uint8Array }
  | {
      readonly kind: 'read';
      readonly policy: string;
      readonly file: Uint8Array | null;
      readonly packed: Uint8Array;
      readonly path: readonly string[];
    }
  | {
      readonly kind: 'edit';
      readonly policy: string;
      readonly file: Uint8Array | null;
      readonly packed: Uint8Array;
      readonly path: readonly string[];
      readonly edit: DataEdit;
      readonly present: boolean | null;
      readonly role: OperatorRole;
      readonly by: string;
      readonly at: number;
      readonly dataMaxBytes: number;
      /** The revision that is counted from where there is no file. */
      readonly from: number;
    };

export type DataOutcome =
  | { readonly kind: 'opened'; readonly kept: KeptData }
  | { readonly kind: 'read'; readonly json: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'edited'; readonly kept: KeptData; readonly before: DataSide; readonly after: DataSide }
  | ({ readonly kind: 'refused' } & AdminRefused);

/** Does a job; never rejects. */
export async function runDataJob(job: DataJob): Promise<DataOutcome> {
  try {
    if (job.kind === 'open') return { kind: 'opened', kept: keptOf(decodeState(job.file, job.policy)) };
    const bundle = await readBundle(job.packed);
    const state = job.file === null ? emptyState(job.policy, job.kind === 'edit' ? job.from : 0) : decodeState(job.file, job.policy);
    return job.kind === 'read' ? read(bundle.data, state, job.path) : edit(bundle, state, job);
  } catch (thrown) {
    const { code, field, message } = asCountersignError(thrown, 'data_preparation_failed');
    return { kind: 'refused', refused: code, detail: message, ...(field === null ? {} : { field }) };
  }
}

function emptyState(policy: string, revision: number): PushedState {
  return { policy, revision, roots: {}, documents: [], operatorPaths: [] };
}

function read(data: JsonObject, state: PushedState, path: readonly string[]): DataOutcome {
  const value = valueInForce(data, state, path);
  return value === undefined ? { kind: 'refused', refused: 'data_unknown', field: pathText(path) } : { kind: 'read', json: bytesOf(value) };
}

function edit({ manifest, data }: Bundle, state: PushedState, job: DataJob & { readonly kind: 'edit' }): DataOutcome {
  const { path, role } = job;
  if (role !== 'admin' && !isMutable(path, manifest.metadata.mutable ?? [])) {
    return { kind: 'refused', refused: 'operator_not_allowed', field: pathText(path) };
  }
  const edited = applyEdit(data, state, job);
  if ('refused' in edited) return { kind: 'refused', ...edited };
  const limits = edited.state.documents.find((one) => startsWith(path, one.path) || startsWith(one.path, path));
  if (limits !== undefined) checkNoExceptions(edited.state);
  const kept = keptOf(edited.state);
  if (kept.bytes > job.dataMaxBytes) return { kind: 'refused', refused: 'data_too_large', field: 'admin.dataMaxBytes' };
  return { kind: 'edited', kept, before: sideOf(edited.before), after: sideOf(edited.after) };
}

/** Exceptions within the limits would be a second place for them, which a rule could read and nobody would see. */
function checkNoExceptions({ documents }: PushedState): void {
  const whole = documents.find(({ path }) => path.length < EXCEPTIONS.length && startsWith(EXCEPTIONS, path));
  if (whole !== undefined && isJsonObject(whole.value) && Object.hasOwn(whole.value, 'exceptions')) {
    throw new CountersignError('data_path_forbidden', { field: pathText(EXCEPTIONS), detail: 'they are pushed by their own path' });
  }
}

function keptOf(state: PushedState): KeptData {
  const documents = state.documents.map(({ path, value, at, by }): KeptDocument => {
    const json = bytesOf(value);
    return { path, json, sha256: digestOf(json), at, by };
  });
  const whole = documents.map(({ path, sha256 }) => `${pathText(path)} ${sha256}`).sort();
  return {
    revision: state.revision,
    roots: state.roots,
    documents,
    exceptions: parseExceptions(state.documents.find(({ path }) => startsWith(path, EXCEPTIONS))?.value),
    operatorPaths: state.operatorPaths,
    file: encodeState(state),
    sha256: whole.length === 0 ? null : digestOf(Buffer.from(whole.join('\n'))),
    bytes: documents.reduce((sum, { json }) => sum + json.byteLength, 0),
  };
}

/** Larger values are shown by their digest. */
const SHOWN_BYTES_MAX = 2048;

function sideOf(value: JsonValue | undefined): DataSide {
  if (value === undefined) return null;
  const json = bytesOf(value);
  return json.byteLength > SHOWN_BYTES_MAX ? { sha256: digestOf(json), bytes: json.byteLength } : { value };
}

function bytesOf(value: JsonValue): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

import type { AdminRefused, DataEdit, OperatorRole } from '../../contract/admin.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { applyJsonPatch } from '../../formats/json-patch.ts';
import { applyMergePatch } from '../../formats/merge-patch.ts';
import { parseStrictJson } from '../../formats/strict-json.ts';
import { laidOver, type Pushed, valueAt, withoutValue, withValue } from './documents.ts';
import { EXCEPTIONS, pathText, rootOf, startsWith } from './roots.ts';
import { DOCUMENTS_MAX, OPERATOR_PATHS_MAX, type PushedState, STATE_JSON_LIMITS } from './state-file.ts';

/** A change, as it reaches the place where it is made. */
export type EditRequest = {
  readonly path: readonly string[];
  readonly edit: DataEdit;
  /** Whether something has to be there, or nothing; null where either will do. */
  readonly present: boolean | null;
  /** Unix seconds. */
  readonly at: number;
  readonly by: string;
  readonly role: OperatorRole;
};

/** What a change leaves. */
export type Edited = { readonly state: PushedState; readonly before: JsonValue | undefined; readonly after: JsonValue | undefined };

/** The value that is in force at a path; undefined where there is none. Exceptions are never part of the limits. */
export function valueInForce(data: JsonObject, state: PushedState, path: readonly string[]): JsonValue | undefined {
  if (startsWith(path, EXCEPTIONS)) {
    const pushed = state.documents.find((one) => startsWith(one.path, EXCEPTIONS));
    return pushed === undefined ? undefined : valueAt(pushed.value, path.slice(EXCEPTIONS.length));
  }
  const laid = laidOver(data, state.documents);
  return laid === null ? undefined : valueAt(laid, path);
}

/** Makes a change; nothing is judged here but the change itself: whether the data fits the policy is for the load. */
export function applyEdit(data: JsonObject, state: PushedState, request: EditRequest): Edited | AdminRefused {
  const { path, edit, present } = request;
  const before = valueInForce(data, state, path);
  if (present !== null && present !== (before !== undefined)) return { refused: 'precondition_failed' };
  if (edit.kind === 'delete') return withdrawn(data, state, request, before);
  if (hasTooManyValues(edit.bytes)) return { refused: 'data_too_large', field: 'values' };
  const parsed = parseStrictJson(edit.bytes, STATE_JSON_LIMITS);
  if (!parsed.ok) return { refused: `body_${parsed.problem}`, ...(parsed.name === undefined ? {} : { field: parsed.name }) };
  let value = parsed.value;
  if (edit.kind !== 'put') {
    if (before === undefined) return { refused: 'data_unknown', field: pathText(path) };
    const patched =
      edit.kind === 'merge_patch' ? { ok: true as const, value: applyMergePatch(before, value) } : applyJsonPatch(before, value);
    if (!patched.ok) {
      if (patched.problem === 'too_large') return { refused: 'data_too_large', field: `/${patched.operation}` };
      const refused = patched.problem === 'invalid' ? ('patch_invalid' as const) : ('patch_conflict' as const);
      return patched.operation === null ? { refused } : { refused, field: `/${patched.operation}` };
    }
    value = patched.value;
  }
  const documents = pushedAt(state.documents, request, value);
  if (documents === null) return { refused: 'data_path_invalid', field: pathText(path) };
  if (documents.length > DOCUMENTS_MAX) return { refused: 'data_too_large', field: 'documents' };
  return bounded(finished(state, request, documents, before, value));
}

/** More could not be read again. */
function bounded(edited: Edited): Edited | AdminRefused {
  return edited.state.operatorPaths.length > OPERATOR_PATHS_MAX ? { refused: 'data_too_large', field: 'documents' } : edited;
}

/** As many as the preparation of a revision takes: a heap that is full while JSON is parsed ends the whole process and not only the thread. */
const VALUES_MAX = 2_000_000;
const [COMMA, BRACKET, BRACE] = [0x2c, 0x5b, 0x7b];

function hasTooManyValues(bytes: Uint8Array): boolean {
  if (bytes.byteLength <= VALUES_MAX) return false;
  let values = 0;
  for (const byte of bytes) if (byte === COMMA || byte === BRACKET || byte === BRACE) values++;
  return values > VALUES_MAX;
}

/** The documents with a value at a path: within the one that lies there or above it, else as one of its own that takes the place of those below. */
function pushedAt(documents: readonly Pushed[], { path, at, by }: EditRequest, value: JsonValue): readonly Pushed[] | null {
  const exceptions = startsWith(path, EXCEPTIONS);
  const start = documents.find((one) => startsWith(path, one.path)) ?? (exceptions ? { path: EXCEPTIONS, value: {} } : null);
  if (start === null) {
    const others = documents.filter((one) => !startsWith(one.path, path) || startsWith(one.path, EXCEPTIONS));
    return [...others, { path, value, at, by }];
  }
  const rest = path.slice(start.path.length);
  const changed = rest.length === 0 ? value : withValue(start.value, rest, value);
  if (changed === null && rest.length > 0) return null;
  return [...documents.filter((one) => one.path !== start.path), { path: start.path, value: changed, at, by }];
}

function withdrawn(data: JsonObject, state: PushedState, request: EditRequest, before: JsonValue | undefined): Edited | AdminRefused {
  const { path, at, by } = request;
  const own = (one: Pushed): boolean => startsWith(one.path, path) && (startsWith(path, EXCEPTIONS) || !startsWith(one.path, EXCEPTIONS));
  let documents = state.documents.filter((one) => !own(one));
  if (documents.length === state.documents.length) {
    const around = documents.find((one) => startsWith(path, one.path));
    const left = around === undefined ? null : withoutValue(around.value, path.slice(around.path.length));
    if (around === undefined || left === null) return { refused: 'data_unknown', field: pathText(path) };
    documents = documents.map((one) => (one === around ? { ...one, value: left, at, by } : one));
  }
  // out of what somebody else pushed: the bundle's own value does not come back; an exception that is taken back opens nothing
  const changes = documents.length === state.documents.length && !startsWith(path, EXCEPTIONS);
  const next = finished(state, request, documents, before, undefined, changes);
  return bounded({ ...next, after: valueInForce(data, next.state, path) });
}

/** @param changes whether something of the request's is in force afterwards, if only that something is gone */
function finished(
  state: PushedState,
  { path, role }: EditRequest,
  documents: readonly Pushed[],
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  changes = after !== undefined,
): Edited {
  const revision = state.revision + 1;
  const root = rootOf(state.policy, path) ?? '';
  const operatorPaths = operatorPathsAfter(state.operatorPaths, pathText(path), role !== 'admin' && changes);
  return {
    state: { policy: state.policy, revision, roots: { ...state.roots, [root]: revision }, documents, operatorPaths },
    before,
    after,
  };
}

/** Whoever changes a path answers for all that lies at or below it. */
function operatorPathsAfter(known: readonly string[], path: string, byOperator: boolean): readonly string[] {
  const others = known.filter((one) => one !== path && !one.startsWith(`${path}/`));
  return byOperator ? [...others, path] : others;
}

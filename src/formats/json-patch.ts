import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { parseJsonPointer, resolveJsonPointer } from './json-pointer.ts';

/** The document after a patch, or which operation could not be done: none of them is done then (RFC 5789 section 2). */
export type Patched =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly problem: Problem; readonly operation: number | null };

type Tokens = readonly string[];
type Problem = 'invalid' | 'target_missing' | 'test_failed' | 'too_large';
type Step = { readonly value: JsonValue } | { readonly problem: Problem };

/** A patch is written by people or by one program for one change. */
const OPERATIONS_MAX = 1000;
/** Values and characters that all `copy` together may add: thirty of them, each of the whole, would be a thousand million times as much. */
const COPIED_MAX = 16 << 20;
const INDEX = /^(0|[1-9]\d{0,8})$/;

/** Applies a JSON Patch (RFC 6902). The document stays as it is. */
export function applyJsonPatch(document: JsonValue, patch: JsonValue): Patched {
  if (!Array.isArray(patch) || patch.length > OPERATIONS_MAX) return { ok: false, problem: 'invalid', operation: null };
  let value = document;
  let copied = 0;
  for (const [operation, one] of patch.entries()) {
    copied += copiedBy(value, one, COPIED_MAX - copied);
    if (copied > COPIED_MAX) return { ok: false, problem: 'too_large', operation };
    const step = isJsonObject(one) ? apply(value, one) : INVALID;
    if ('problem' in step) return { ok: false, problem: step.problem, operation };
    value = step.value;
  }
  return { ok: true, value };
}

const INVALID: Step = { problem: 'invalid' };
const MISSING: Step = { problem: 'target_missing' };

function apply(document: JsonValue, operation: JsonObject): Step {
  const path = pointerOf(operation, 'path');
  if (path === null) return INVALID;
  const { op } = operation;
  if (op === 'remove') return remove(document, path);
  if (op === 'move' || op === 'copy') {
    const from = pointerOf(operation, 'from');
    if (from === null) return INVALID;
    const moved = resolveJsonPointer(document, from);
    if (moved === undefined) return MISSING;
    if (op === 'copy') return add(document, path, moved);
    // section 4.4: nothing can be moved into itself
    if (from.length < path.length && from.every((token, index) => token === path[index])) return INVALID;
    if (from.length === path.length && from.every((token, index) => token === path[index])) return { value: document };
    const removed = remove(document, from);
    return 'problem' in removed ? removed : add(removed.value, path, moved);
  }
  const { value } = operation;
  if (value === undefined) return INVALID;
  if (op === 'add') return add(document, path, value);
  const known = resolveJsonPointer(document, path);
  if (op === 'replace') return known === undefined ? MISSING : replace(document, path, value);
  if (op !== 'test') return INVALID;
  return known !== undefined && isDeepStrictEqual(known, value) ? { value: document } : { problem: 'test_failed' };
}

/** What an operation copies, counted to just over `max`. */
function copiedBy(document: JsonValue, operation: JsonValue | undefined, max: number): number {
  if (!isJsonObject(operation) || operation['op'] !== 'copy') return 0;
  const from = pointerOf(operation, 'from');
  const copied = from === null ? undefined : resolveJsonPointer(document, from);
  let size = 0;
  const waiting: JsonValue[] = copied === undefined ? [] : [copied];
  for (let one = waiting.pop(); one !== undefined && size <= max; one = waiting.pop()) {
    size += typeof one === 'string' ? one.length + 1 : 1;
    if (isList(one)) for (const item of one) waiting.push(item);
    else if (isJsonObject(one)) {
      for (const [name, member] of Object.entries(one)) {
        size += name.length;
        waiting.push(member);
      }
    }
  }
  return size;
}

function pointerOf(operation: JsonObject, member: 'path' | 'from'): Tokens | null {
  const text = operation[member];
  return typeof text === 'string' ? parseJsonPointer(text) : null;
}

/** A copy of the containers on the way to a place, with `change` done to the last of them. */
function change(document: JsonValue, [token, ...rest]: Tokens, last: (container: JsonValue, token: string) => Step): Step {
  if (token === undefined) return INVALID;
  if (rest.length === 0) return last(document, token);
  const inner = resolveJsonPointer(document, [token]);
  if (inner === undefined) return MISSING;
  const changed = change(inner, rest, last);
  return 'problem' in changed ? changed : { value: withMember(document, token, changed.value) };
}

function add(document: JsonValue, path: Tokens, value: JsonValue): Step {
  if (path.length === 0) return { value };
  return change(document, path, (container, token) => {
    if (!isList(container)) return isJsonObject(container) ? { value: withMember(container, token, value) } : MISSING;
    const index = token === '-' ? container.length : INDEX.test(token) ? Number(token) : -1;
    return index < 0 || index > container.length ? MISSING : { value: container.toSpliced(index, 0, value) };
  });
}

function remove(document: JsonValue, path: Tokens): Step {
  return change(document, path, (container, token) => {
    if (resolveJsonPointer(container, [token]) === undefined) return MISSING;
    if (isList(container)) return { value: container.toSpliced(Number(token), 1) };
    return {
      value: isJsonObject(container) ? Object.fromEntries(Object.entries(container).filter(([name]) => name !== token)) : container,
    };
  });
}

function replace(document: JsonValue, path: Tokens, value: JsonValue): Step {
  return path.length === 0 ? { value } : change(document, path, (container, token) => ({ value: withMember(container, token, value) }));
}

function withMember(container: JsonValue, token: string, value: JsonValue): JsonValue {
  if (isList(container)) return container.with(Number(token), value);
  const members = new Map(isJsonObject(container) ? Object.entries(container) : []);
  // unlike an assignment this makes an own member of every name
  return Object.fromEntries(members.set(token, value));
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

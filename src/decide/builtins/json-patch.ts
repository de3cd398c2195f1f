import type { Builtin, BuiltinTable } from './builtin.ts';
import { atMost } from './builtin.ts';
import { canonical, isArray, isEqual, isObject, lookup, type RegoObject, RegoSet, type RegoValue, wholeOf } from './value.ts';

/* JSON Patch (RFC 6902) as OPA has it: paths are pointers or rows of keys, and sets are patched too. */

const OPERATIONS_MAX = 1000;
const OPERATIONS_FREE = 50;
const WORK_MAX = 50_000_000;
/** Characters of what all `copy` together add: each of the whole doubles it. */
const COPIED_MAX = 1 << 20;

type Path = readonly RegoValue[];
/** Undefined is a failure, and the whole patch has no value. */
type Edit = (value: RegoValue | undefined, key: RegoValue) => RegoValue | undefined;

function parsePath(path: RegoValue | undefined): Path | undefined {
  if (isArray(path)) return path;
  if (typeof path !== 'string') return undefined;
  if (path === '') return [];
  return path
    .replace(/^\/+/, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The place in a row that a key names; `-` is behind the last one. */
function indexOf(length: number, key: RegoValue): number | undefined {
  if (key === '-') return length;
  if (typeof key === 'string' && (!/^-?\d+$/.test(key) || (key !== '0' && key.startsWith('0')))) return undefined;
  const whole = typeof key === 'string' ? BigInt(key) : wholeOf(key);
  return whole === undefined || whole < 0n || whole > BigInt(length) ? undefined : Number(whole);
}

function without(object: RegoObject, key: RegoValue): Map<RegoValue, RegoValue> {
  if (typeof key === 'string') {
    const left = new Map(object);
    left.delete(key);
    return left;
  }
  const wanted = canonical(key);
  return new Map([...object].filter(([name]) => canonical(name) !== wanted));
}

const insert =
  (added: RegoValue): Edit =>
  (value, key) => {
    if (value instanceof RegoSet) return isEqual(key, added) ? new RegoSet([...value.items, added]) : undefined;
    if (isObject(value)) return without(value, key).set(key, added);
    const index = isArray(value) ? indexOf(value.length, key) : undefined;
    return isArray(value) && index !== undefined ? value.toSpliced(index, 0, added) : undefined;
  };

const remove: Edit = (value, key) => {
  if (get(value, key) === undefined) return undefined;
  if (value instanceof RegoSet) return new RegoSet(value.items.filter((item) => !isEqual(item, key)));
  if (isObject(value)) return without(value, key);
  const index = isArray(value) ? indexOf(value.length, key) : undefined;
  return isArray(value) && index !== undefined ? value.toSpliced(index, 1) : undefined;
};

function get(value: RegoValue | undefined, key: RegoValue): RegoValue | undefined {
  if (isObject(value)) return lookup(value, key);
  if (value instanceof RegoSet) return value.items.find((item) => isEqual(item, key));
  const index = isArray(value) ? indexOf(value.length, key) : undefined;
  return isArray(value) && index !== undefined ? value[index] : undefined;
}

/** The value with an edit made at the end of a path. */
function edited(value: RegoValue, path: Path, edit: Edit): RegoValue | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return undefined;
  if (rest.length === 0) return edit(value, key);
  const below = get(value, key);
  const made = below === undefined ? undefined : edited(below, rest, edit);
  if (made === undefined) return undefined;
  if (isObject(value)) return without(value, key).set(key, made);
  if (value instanceof RegoSet) return new RegoSet([...value.items.filter((item) => !isEqual(item, key)), made]);
  const index = isArray(value) ? indexOf(value.length, key) : undefined;
  return isArray(value) && index !== undefined ? value.with(index, made) : undefined;
}

function at(value: RegoValue, path: Path): RegoValue | undefined {
  return path.reduce<RegoValue | undefined>((current, key) => (current === undefined ? undefined : get(current, key)), value);
}

function added(target: RegoValue, path: Path, value: RegoValue): RegoValue | undefined {
  return path.length === 0 ? value : edited(target, path, insert(value));
}

type Copied = { characters: number };

function applied(target: RegoValue, operation: RegoObject, copied: Copied): RegoValue | undefined {
  const op = operation.get('op');
  const path = parsePath(operation.get('path'));
  const value = operation.get('value');
  if (path === undefined) return undefined;
  if (op === 'remove') return path.length === 0 ? undefined : edited(target, path, remove);
  if (op === 'move' || op === 'copy') {
    const from = parsePath(operation.get('from'));
    const moved = from === undefined ? undefined : at(target, from);
    if (from === undefined || moved === undefined) return undefined;
    if (op === 'copy') {
      // within the bound before, the text is no longer than twice that
      copied.characters += canonical(moved).length;
      atMost(copied.characters, COPIED_MAX, 'characters copied');
    }
    const rest = op === 'copy' || from.length === 0 ? target : edited(target, from, remove);
    return rest === undefined ? undefined : added(rest, path, moved);
  }
  if (value === undefined) return undefined;
  if (op === 'add') return added(target, path, value);
  if (op === 'test') {
    const found = at(target, path);
    return found !== undefined && isEqual(found, value) ? target : undefined;
  }
  if (op !== 'replace') return undefined;
  const rest = path.length === 0 ? target : edited(target, path, remove);
  return rest === undefined ? undefined : added(rest, path, value);
}

const patch: Builtin = ([target, operations]) => {
  if (target === undefined || !isArray(operations)) return undefined;
  atMost(operations.length, OPERATIONS_MAX, 'operations');
  // each operation copies the containers on its way
  if (operations.length > OPERATIONS_FREE) atMost(canonical(target).length * operations.length, WORK_MAX, 'characters patched');
  let value: RegoValue | undefined = target;
  const copied = { characters: 0 };
  for (const operation of operations) {
    value = value === undefined || !isObject(operation) ? undefined : applied(value, operation, copied);
  }
  return value;
};

export const JSON_PATCH: BuiltinTable = { 'json.patch': patch };

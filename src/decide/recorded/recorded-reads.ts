import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { InputPaths, Shape } from '../projection.ts';
import type { NotReplayable } from './recorded-decision.ts';

/* What rules read of an input, and whether a record holds it. */

/** What the record lacks: a path in the input, its names joined by dots. */
export type Gap = { readonly why: Extract<NotReplayable, 'not_recorded' | 'hidden'>; readonly path: string };

/** One thing that is read. */
type Read = {
  /** Of a signal's parts the state says whether they can be there; what is optional may be null. */
  readonly kind: 'field' | 'optional' | 'signal';
  /** Names down to the signal, or to the object that may be null. */
  readonly holder: readonly string[];
  /** Names down to what a record holds whole or not at all. */
  readonly leaf: readonly string[];
  /** All names that are read: those of the leaf, and of what is inside it. */
  readonly names: readonly string[];
};

/** What stands in a log for a text that may be a secret. */
const HIDDEN = '***';

/**
 * Makes, once for a policy, what finds the first thing that its rules read and a record does not hold; null where there is none.
 * @param shape the input as it is built; null where records hold all that there is, as those of the contract `envoy` do
 * @param paths what is read; null is everything
 */
export function compileReads<F>(shape: Shape<F> | null, paths: InputPaths): (input: JsonObject) => Gap | null {
  const reads = distinct(shape === null ? plainReads(paths) : (paths ?? [[]]).flatMap((path) => readsOf(shape, [], path, path)));
  return (input) => {
    for (const read of reads) {
      const gap = gapOf(input, read, shape === null);
      if (gap !== null) return gap;
    }
    return null;
  };
}

/** Whether rules read this, something in it, or something that it is in. */
export function areRead(paths: InputPaths, names: readonly string[]): boolean {
  return paths === null || paths.some((path) => path.every((name, index) => index >= names.length || name === names[index]));
}

function plainReads(paths: InputPaths): Read[] {
  return (paths ?? [[]]).map((names) => ({ kind: 'field', holder: [], leaf: names, names }));
}

function readsOf<F>(shape: Shape<F>, above: readonly string[], path: readonly string[], names: readonly string[]): Read[] {
  const [name, ...below] = path;
  if (name === undefined) return Object.keys(shape).flatMap((each) => readsOf(shape, above, [each], [...above, each]));
  const part = Object.hasOwn(shape, name) ? shape[name] : undefined;
  // a name that no input has: it is as absent in a record as it would be in a request
  if (part === undefined) return [];
  const here = [...above, name];
  if (typeof part === 'function') return [{ kind: 'field', holder: above, leaf: here, names }];
  if ('group' in part) return readsOf(part.group, here, below, names);
  if ('optional' in part) {
    const wanted = below[0] === undefined ? part.fields : part.fields.filter((field) => field === below[0]);
    return wanted.map((field) => partRead('optional', here, [field], below.length > 1 ? names : null));
  }
  const [section, field] = below;
  const values = section === undefined || field === undefined ? part.fields : part.fields.filter((one) => one === field);
  return [
    ...(section === undefined || section === 'status' ? [partRead('signal', here, ['status'], null)] : []),
    ...(section === undefined || section === 'code' ? [partRead('signal', here, ['code'], null)] : []),
    ...(section === undefined || section === 'value'
      ? values.map((one) => partRead('signal', here, ['value', one], below.length > 2 ? names : null))
      : []),
  ];
}

function partRead(kind: Read['kind'], holder: readonly string[], rest: readonly string[], names: readonly string[] | null): Read {
  const leaf = [...holder, ...rest];
  return { kind, holder, leaf, names: names ?? leaf };
}

function distinct(reads: readonly Read[]): Read[] {
  return [...new Map(reads.map((read) => [JSON.stringify(read.names), read])).values()];
}

function gapOf(input: JsonObject, read: Read, whole: boolean): Gap | null {
  if (!whole) {
    const path = lackingIn(input, read);
    if (path !== null) return { why: 'not_recorded', path: path.join('.') };
  }
  return hides(valueAt(input, read.names)) ? { why: 'hidden', path: read.names.join('.') } : null;
}

/** What of a read is not in the record, or null. */
function lackingIn(input: JsonObject, { kind, holder, leaf }: Read): readonly string[] | null {
  if (kind === 'field') return has(input, leaf) ? null : leaf;
  const held = valueAt(input, holder);
  if (kind === 'optional') return held === null || has(input, leaf) ? null : leaf;
  const status = isJsonObject(held) ? held['status'] : undefined;
  if (status === undefined) return [...holder, 'status'];
  const section = leaf[holder.length];
  if (section === 'status' || (section === 'value') !== (status === 'present')) return null;
  return has(input, leaf) ? null : leaf;
}

function has(input: JsonObject, names: readonly string[]): boolean {
  let at: JsonValue | undefined = input;
  for (const name of names) {
    if (!isJsonObject(at) || !Object.hasOwn(at, name)) return false;
    at = at[name];
  }
  return true;
}

/** The value at a path, or the last one on the way to it that has no members. */
function valueAt(input: JsonObject, names: readonly string[]): JsonValue | undefined {
  let at: JsonValue | undefined = input;
  for (const name of names) {
    if (!isJsonObject(at)) return at;
    at = Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at;
}

function hides(value: JsonValue | undefined): boolean {
  if (typeof value === 'string') return value.includes(HIDDEN);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hides);
}

import type { JsonObject, JsonValue } from '../contract/json.ts';

/** One field of the input, made from the facts of a request. */
export type Field<F> = (facts: F) => JsonValue;
/** A signal: its state always, its value's fields only where it is present. */
export type SignalShape<F> = { readonly signal: (facts: F, fields: FieldPlan) => JsonValue; readonly fields: readonly string[] };
/** An object that may be null: the wanted ones of its fields. */
export type OptionalShape<F> = {
  readonly optional: (facts: F, names: readonly string[]) => JsonValue;
  readonly fields: readonly string[];
};
type Part<F> = Field<F> | SignalShape<F> | OptionalShape<F> | Group<F>;
/** The whole input as a tree. */
export type Shape<F> = { readonly [name: string]: Part<F> };
export type Group<F> = { readonly group: Shape<F> };

/** Which parts of a signal are wanted. */
export type FieldPlan = { readonly status: boolean; readonly code: boolean; readonly value: readonly string[] | null };

/** Names below names; `true` is everything below. */
type Wanted = true | Map<string, Wanted>;

/** Paths below `input` that the rules read (`opa deps`), as lists of names; null means that it is not known, so everything. */
export type InputPaths = readonly (readonly string[])[] | null;

/**
 * Makes, once at load, the function that builds only the wanted parts of an input. A path that ends above fields wants all of them,
 * one that ends below a field wants the field: what is built is never less than what is read.
 */
export function compileShape<F>(shape: Shape<F>, paths: InputPaths): (facts: F) => JsonObject {
  return compileGroup(shape, paths === null ? true : wantedOf(paths));
}

function wantedOf(paths: readonly (readonly string[])[]): Wanted {
  const root = new Map<string, Wanted>();
  for (const path of paths) {
    if (path.length === 0) return true;
    let node = root;
    for (const [index, name] of path.entries()) {
      const below = node.get(name);
      if (below === true) break;
      if (index === path.length - 1) {
        node.set(name, true);
        break;
      }
      const next = below ?? new Map<string, Wanted>();
      node.set(name, next);
      node = next;
    }
  }
  return root;
}

function compileGroup<F>(shape: Shape<F>, wanted: Wanted): (facts: F) => JsonObject {
  const names: string[] = [];
  const fields: Field<F>[] = [];
  for (const [name, part] of Object.entries(shape)) {
    const below = wanted === true ? true : wanted.get(name);
    if (below === undefined) continue;
    names.push(name);
    fields.push(compilePart(part, below));
  }
  return (facts) => {
    const built: Record<string, JsonValue> = {};
    for (let index = 0; index < names.length; index++) {
      const name = names[index];
      const field = fields[index];
      if (name !== undefined && field !== undefined) built[name] = field(facts);
    }
    return built;
  };
}

function compilePart<F>(part: Part<F>, wanted: Wanted): Field<F> {
  if (typeof part === 'function') return part;
  if ('group' in part) return compileGroup(part.group, wanted);
  if ('optional' in part) {
    const names = wanted === true ? part.fields : part.fields.filter((name) => wanted.has(name));
    const { optional } = part;
    return (facts) => optional(facts, names);
  }
  const plan = planOf(part.fields, wanted);
  const { signal } = part;
  return (facts) => signal(facts, plan);
}

function planOf(fields: readonly string[], wanted: Wanted): FieldPlan {
  if (wanted === true) return { status: true, code: true, value: fields };
  const value = wanted.get('value');
  return {
    status: wanted.has('status'),
    code: wanted.has('code'),
    value: value === undefined ? null : value === true ? fields : fields.filter((name) => value.has(name)),
  };
}

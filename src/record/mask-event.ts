import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

/** One of OPA's mask rules. */
export type MaskRule = {
  readonly op: 'remove' | 'upsert';
  /** The first one is `input` or `result`. */
  readonly path: readonly string[];
  /** As it is told in `erased` and `masked`. */
  readonly text: string;
  readonly value: JsonValue;
};

/** An event after its masks. */
export type Masked = { readonly event: JsonObject; readonly erased: readonly string[]; readonly masked: readonly string[] };

const RULES_MAX = 1000;
const SEGMENTS_MAX = 64;

/**
 * What `data.system.log.mask` says, by OPA's rules: a text is a pointer to what is removed, an object has `op`, `path` and `value`. As there,
 * one rule that cannot be read spoils all of them; null then.
 */
export function parseMaskRules(said: unknown): readonly MaskRule[] | null {
  if (!Array.isArray(said) || said.length > RULES_MAX) return null;
  const rules: MaskRule[] = [];
  for (const one of said) {
    const rule = typeof one === 'string' ? parseMaskRule('remove', one, null) : isJsonObject(one) ? parseObject(one) : null;
    if (rule === null) return null;
    rules.push(rule);
  }
  return rules;
}

function parseObject({ op, path, value = null }: JsonObject): MaskRule | null {
  if ((op !== 'remove' && op !== 'upsert') || typeof path !== 'string') return null;
  return parseMaskRule(op, path, value);
}

function parseMaskRule(op: MaskRule['op'], text: string, value: JsonValue): MaskRule | null {
  if (!text.startsWith('/')) return null;
  const path: string[] = [];
  for (const segment of text.slice(1).split('/')) {
    const name = decoded(segment);
    if (name === null) return null;
    path.push(name);
  }
  // OPA's third place is empty here: its builtins that are not deterministic are not in our policies' answers
  if (path.length > SEGMENTS_MAX || !['input', 'result', 'nd_builtin_cache'].includes(path[0] ?? '')) return null;
  return { op, path, text, value };
}

/** A segment as JSON pointers (RFC 6901) and URLs write it; null where it is neither. */
function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return null;
  }
}

/** Applies rules one after the other; those that lead nowhere do nothing and are not told, as in OPA. */
export function maskEvent(event: JsonObject, rules: readonly MaskRule[]): Masked {
  let shown: JsonObject = event;
  const erased: string[] = [];
  const masked: string[] = [];
  for (const { op, path, text, value } of rules) {
    // what is not there cannot be masked, and `upsert` makes no input where none is kept
    const [root = ''] = path;
    if (!Object.hasOwn(shown, root) || shown[root] === null) continue;
    const changed = op === 'remove' ? without(shown, path) : withValue(shown, path, value);
    if (!isJsonObject(changed)) continue;
    shown = changed;
    (op === 'remove' ? erased : masked).push(text);
  }
  return { event: shown, erased, masked };
}

/** A copy without what the path leads to; undefined where it leads nowhere. */
function without(node: JsonValue, path: readonly string[]): JsonValue | undefined {
  return changed(node, path, (parent, name) => {
    if (Array.isArray(parent)) return parent.toSpliced(Number(name), 1);
    const { [name]: _gone, ...rest } = isJsonObject(parent) ? parent : {};
    return rest;
  });
}

function withValue(node: JsonValue, path: readonly string[], value: JsonValue): JsonValue | undefined {
  const [name = '', ...rest] = path;
  if (isJsonObject(node)) {
    const child = Object.hasOwn(node, name) ? (node[name] ?? null) : {};
    const made = rest.length === 0 ? value : withValue(child, rest, value);
    return made === undefined ? undefined : withMember(node, name, made);
  }
  if (!Array.isArray(node) || !isIndexIn(node, name)) return undefined;
  const made = rest.length === 0 ? value : withValue(node[Number(name)] ?? null, rest, value);
  return made === undefined ? undefined : node.with(Number(name), made);
}

function changed(node: JsonValue, path: readonly string[], change: (parent: JsonValue, name: string) => JsonValue): JsonValue | undefined {
  const [name = '', ...rest] = path;
  const child = childOf(node, name);
  if (child === undefined) return undefined;
  if (rest.length === 0) return change(node, name);
  const made = changed(child, rest, change);
  if (made === undefined) return undefined;
  return Array.isArray(node) ? node.with(Number(name), made) : withMember(isJsonObject(node) ? node : {}, name, made);
}

function childOf(node: JsonValue, name: string): JsonValue | undefined {
  if (isJsonObject(node)) return Object.hasOwn(node, name) ? node[name] : undefined;
  return Array.isArray(node) && isIndexIn(node, name) ? node[Number(name)] : undefined;
}

/** Also a member called `__proto__` is one like any other. */
function withMember(object: JsonObject, name: string, value: JsonValue): JsonObject {
  return Object.fromEntries([...Object.entries(object).filter(([known]) => known !== name), [name, value]]);
}

function isIndexIn(list: readonly JsonValue[], name: string): boolean {
  return /^(0|[1-9]\d{0,6})$/.test(name) && Number(name) < list.length;
}

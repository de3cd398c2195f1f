/** Bounds of a document: containers within each other, and names of all objects together. */
export type JsonLimits = {
  readonly depthMax: number;
  readonly keysMax: number;
  /** Refuse the name `__proto__`, for documents whose members are copied about. */
  readonly protoRefused?: boolean;
};

/** What is wrong with a text; `name` is the repeated one, where it is harmless to show. */
export type JsonRefusal = {
  readonly problem: 'invalid_json' | 'lone_surrogate' | 'too_many_keys' | 'duplicate_key' | 'too_deep';
  readonly name?: string;
};

/** Objects with more names than this look duplicates up in a set; below it, comparing is cheaper. */
const LINEAR_KEYS_MAX = 12;
const SHOWN_KEY = /^[\w.-]{1,64}$/;

/**
 * One pass over JSON text for what `JSON.parse` does not refuse. It judges strings, brackets and numbers only: text that is no JSON
 * may come through, and `JSON.parse` refuses it afterwards. Null means that nothing was found.
 */
export function scanJson(text: string, limits: JsonLimits): JsonRefusal | null {
  const length = text.length;
  // per depth: where the object's names begin in `keys`, -1 for an array
  const starts: number[] = [];
  const sets: (Set<string> | undefined)[] = [];
  const keys: string[] = [];
  let depth = 0;
  let keyCount = 0;
  let expectKey = false;
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) {
      const from = at + 1;
      // no `indexOf` under a condition here: V8 made it unconditional, and each string cost a search to the end of the text
      let end = from;
      let escaped = false;
      for (; end < length; end++) {
        const unit = text.charCodeAt(end);
        if (unit === 34) break;
        if (unit !== 92) continue;
        escaped = true;
        const next = afterEscape(text, end);
        if (next === LONE_SURROGATE) return { problem: 'lone_surrogate' };
        end = next - 1;
      }
      if (end >= length) return { problem: 'invalid_json' };
      if (expectKey) {
        expectKey = false;
        if (++keyCount > limits.keysMax) return { problem: 'too_many_keys' };
        const key = escaped ? unescaped(text.slice(from - 1, end + 1)) : text.slice(from, end);
        if (key === null || (limits.protoRefused && key === '__proto__')) return { problem: 'invalid_json' };
        if (isDuplicate(key, keys, starts[depth - 1] ?? 0, sets, depth)) {
          return SHOWN_KEY.test(key) ? { problem: 'duplicate_key', name: key } : { problem: 'duplicate_key' };
        }
        keys.push(key);
      }
      at = end;
    } else if (code === 123 || code === 91) {
      if (depth === limits.depthMax) return { problem: 'too_deep' };
      expectKey = code === 123;
      starts[depth++] = expectKey ? keys.length : -1;
    } else if (code === 125 || code === 93) {
      if (depth === 0) return { problem: 'invalid_json' };
      const start = starts[--depth] ?? -1;
      if (start >= 0) keys.length = start;
      if (sets[depth + 1] !== undefined) sets[depth + 1] = undefined;
      expectKey = false;
    } else if (code === 44) {
      expectKey = depth > 0 && (starts[depth - 1] ?? -1) >= 0;
    } else if (code === 45 || (code >= 48 && code <= 57)) {
      const end = numberEnd(text, at + 1);
      // 1e309 is the shortest number that a double cannot hold: JSON.parse would make it Infinity
      if (end - at > 4 && !Number.isFinite(Number(text.slice(at, end)))) return { problem: 'invalid_json' };
      at = end - 1;
    }
  }
  return null;
}

const LONE_SURROGATE = -1;

/** Index after the escape that begins at `at`; a pair of surrogates is taken as one. */
function afterEscape(text: string, at: number): number {
  if (text.charCodeAt(at + 1) !== 117) return at + 2;
  const unit = hexUnit(text, at + 2);
  if (unit < 0xd800 || unit > 0xdfff) return at + 6;
  const paired = unit < 0xdc00 && text.charCodeAt(at + 6) === 92 && text.charCodeAt(at + 7) === 117;
  const low = paired ? hexUnit(text, at + 8) : 0;
  return low >= 0xdc00 && low <= 0xdfff ? at + 12 : LONE_SURROGATE;
}

/** Four hex digits as a number; NaN or a wrong value where they are none, which `JSON.parse` refuses afterwards. */
function hexUnit(text: string, at: number): number {
  return Number.parseInt(text.slice(at, at + 4), 16);
}

function unescaped(quoted: string): string | null {
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

function isDuplicate(key: string, keys: string[], start: number, sets: (Set<string> | undefined)[], depth: number): boolean {
  const count = keys.length - start;
  if (count < LINEAR_KEYS_MAX) {
    for (let index = start; index < keys.length; index++) if (keys[index] === key) return true;
    return false;
  }
  let set = sets[depth];
  if (set === undefined) {
    set = new Set(keys.slice(start));
    sets[depth] = set;
  }
  if (set.has(key)) return true;
  set.add(key);
  return false;
}

function numberEnd(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const part = (code >= 48 && code <= 57) || code === 46 || code === 43 || code === 45 || code === 101 || code === 69;
    if (!part) break;
  }
  return at;
}

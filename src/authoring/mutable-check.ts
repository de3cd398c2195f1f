import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { type Finding, findingOf } from './finding.ts';

const FILE = '.manifest';
const PUSHABLE: readonly (readonly string[])[] = [['countersign', 'limits'], ['countersign', 'routes'], ['tenants']];

/** Warnings for what the manifest leaves to operators and nobody could change: a misspelt path is found when an operator needs it. */
export function mutableWarnings(manifest: string, metadata: JsonObject, data: JsonObject): Finding[] {
  const { mutable } = metadata;
  if (!Array.isArray(mutable)) return [];
  return mutable.flatMap((path) => {
    if (typeof path !== 'string') return [];
    const names = path.split('/');
    const isPushable = PUSHABLE.some((root) => root.every((name, index) => name === names[index]));
    // what tenants have is pushed for the most part
    if (isPushable && (names[0] === 'tenants' || isThere(data, names))) return [];
    const before = manifest.slice(0, Math.max(0, manifest.indexOf(JSON.stringify(path)))).split('\n');
    return [findingOf('mutable_unknown', { file: FILE, line: before.length, column: (before.at(-1) ?? '').length + 1 }, path)];
  });
}

function isThere(data: JsonObject, names: readonly string[]): boolean {
  let at: JsonValue | undefined = data;
  for (const name of names) {
    if (!isJsonObject(at) || !Object.hasOwn(at, name)) return false;
    at = at[name];
  }
  return true;
}

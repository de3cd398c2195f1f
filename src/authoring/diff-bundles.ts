import { isJsonObject, type JsonValue } from '../contract/json.ts';
import { compareText } from './finding.ts';
import type { BundleFacts, RuleTitle } from './tools.ts';

/* What is other in one bundle than in another. */

/** Names that came, went, or stayed and say something else. */
export type NameChanges = { readonly added: readonly string[]; readonly removed: readonly string[]; readonly changed: readonly string[] };

/** One value of the data; `before` or `after` is not there where the path was not. */
export type DataChange = { readonly path: string; readonly before?: JsonValue; readonly after?: JsonValue };

export type BundleDiff = {
  readonly same: boolean;
  readonly revision: { readonly before: string; readonly after: string };
  /** Codes of rules; changed by code or by METADATA, not by layout or comments. */
  readonly rules: NameChanges;
  /** Other Rego files, such as libraries, by path. */
  readonly modules: NameChanges;
  readonly entrypoints: Omit<NameChanges, 'changed'>;
  readonly roots: Omit<NameChanges, 'changed'>;
  readonly builtins: Omit<NameChanges, 'changed'>;
  readonly data: readonly DataChange[];
  /** Changes of the data beyond the most that are listed. */
  readonly dataLeftOut: number;
};

const CHANGES_MAX = 1000;
const RULE = /^countersign\/rules\/([^/]+)\/([^/]+)\.rego$/;

type Sources = { readonly rules: ReadonlyMap<string, string>; readonly modules: ReadonlyMap<string, string> };

/** Compares two bundles; `digestOf` is the same for the same code. */
export function diffBundles(before: BundleFacts, after: BundleFacts, digestOf: (rego: string) => string): BundleDiff {
  const [a, b] = [sourcesOf(before, digestOf), sourcesOf(after, digestOf)];
  const changes: DataChange[] = [];
  collect('', before.data, after.data, changes);
  const diff = {
    revision: { before: before.revision, after: after.revision },
    rules: compareMaps(a.rules, b.rules),
    modules: compareMaps(a.modules, b.modules),
    entrypoints: compareLists(before.entrypoints, after.entrypoints),
    roots: compareLists(before.roots, after.roots),
    builtins: compareLists(before.builtins, after.builtins),
    data: changes.slice(0, CHANGES_MAX),
    dataLeftOut: Math.max(0, changes.length - CHANGES_MAX),
  };
  const names = [diff.rules, diff.modules, diff.entrypoints, diff.roots, diff.builtins];
  return { same: changes.length === 0 && names.every((one) => Object.values(one).every((list) => list.length === 0)), ...diff };
}

function sourcesOf({ files, rules: titles }: BundleFacts, digestOf: (rego: string) => string): Sources {
  const rules = new Map<string, string>();
  const modules = new Map<string, string>();
  for (const [path, bytes] of files) {
    if (!path.endsWith('.rego')) continue;
    const digest = digestOf(Buffer.from(bytes).toString('utf8'));
    const [, category, name] = RULE.exec(path) ?? [];
    const code = `${category}.${name}`;
    if (category === undefined) modules.set(path, digest);
    else rules.set(code, `${digest} ${titleText(titles?.[code])}`);
  }
  return { rules, modules };
}

function titleText(title: RuleTitle | undefined): string {
  return title === undefined ? '' : JSON.stringify([title.title, title.public, title.status]);
}

function compareMaps(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): NameChanges {
  const { added, removed } = compareLists([...before.keys()], [...after.keys()]);
  const changed = [...after].filter(([name, digest]) => before.has(name) && before.get(name) !== digest).map(([name]) => name);
  return { added, removed, changed: changed.sort(compareText) };
}

function compareLists(before: readonly string[], after: readonly string[]): Omit<NameChanges, 'changed'> {
  const [had, has] = [new Set(before), new Set(after)];
  return {
    added: after.filter((name) => !had.has(name)).sort(compareText),
    removed: before.filter((name) => !has.has(name)).sort(compareText),
  };
}

/** Objects are compared name by name, everything else as a whole. */
function collect(path: string, before: JsonValue, after: JsonValue, changes: DataChange[]): void {
  if (!isJsonObject(before) || !isJsonObject(after)) {
    if (JSON.stringify(before) !== JSON.stringify(after)) changes.push({ path, before, after });
    return;
  }
  for (const name of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(compareText)) {
    const below = path === '' ? name : `${path}.${name}`;
    const [was, is] = [before[name], after[name]];
    if (was === undefined && is !== undefined) changes.push({ path: below, after: is });
    else if (is === undefined && was !== undefined) changes.push({ path: below, before: was });
    else if (was !== undefined && is !== undefined) collect(below, was, is, changes);
  }
}

import { CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { BASE_PACKAGES } from './base-packages.ts';
import type { Bundle } from './bundle.ts';
import type { PolicyOptions } from './options.ts';
import { type RegoFile, scanRego } from './rego-scan.ts';

/* What a bundle may not do (DESIGN 4), as far as its sources and data show it. */

type Scanned = RegoFile & { readonly path: string; readonly package: readonly string[] };

/** Packages whose documents data must not touch, whether or not the bundle has them: in Wasm data silently shadows rules. */
const RESERVED: readonly (readonly string[])[] = [
  ['countersign', 'rules'],
  ['countersign', 'decision'],
  ['countersign', 'lib'],
];

/**
 * Refuses what a bundle may not do, as far as its sources and data show it.
 * @returns the codes of its rules, sorted
 * @throws CountersignError bundle_rule_depth, bundle_redefines_base, bundle_data_shadows_rules, bundle_rule_defaulted, bundle_rule_missing,
 *   bundle_unreadable where a source is no Rego or none is there
 */
export function checkBundle(bundle: Bundle, options: Pick<PolicyOptions, 'contract' | 'entrypoint' | 'requiredRules'>): readonly string[] {
  const { requiredRules } = options;
  const files = scanAll(bundle.rego);
  // plain `opa build` takes the entry point's rule out of its source, so that its file may count as empty
  const entry = options.entrypoint.split('/').slice(0, -1);
  if (options.contract === 'envoy') {
    checkShadows(bundle.data, [entry, ...files.map((file) => file.package)]);
    return [];
  }
  const rules = new Set<string>();
  for (const file of files) {
    const [root, kind, category, name] = file.package;
    if (root !== 'countersign') continue;
    if (kind === undefined || kind === 'decision' || kind === 'lib') checkBase(file, files);
    if (kind !== 'rules') continue;
    if (category === undefined || name === undefined || file.package.length !== 4) {
      throw new CountersignError('bundle_rule_depth', { field: file.path, detail: file.package.join('.') });
    }
    if (file.defaultsVerdict) throw new CountersignError('bundle_rule_defaulted', { field: file.path, detail: 'default verdict' });
    if (file.bareElse) throw new CountersignError('bundle_rule_defaulted', { field: file.path, detail: 'else without a condition' });
    rules.add(`${category}.${name}`);
  }
  checkShadows(bundle.data, [...RESERVED, entry, ...files.map((file) => file.package)]);
  const missing = requiredRules.filter((code) => !rules.has(code));
  if (missing.length > 0) throw new CountersignError('bundle_rule_missing', { field: missing.join(', ') });
  return [...rules].sort();
}

/** Files that hold only a package and imports define nothing and count as none. */
function scanAll(rego: ReadonlyMap<string, string>): Scanned[] {
  if (rego.size === 0) throw new CountersignError('bundle_unreadable', { detail: 'no Rego source in it, so it cannot be checked' });
  const files: Scanned[] = [];
  for (const [path, source] of rego) {
    const scanned = scanRego(source);
    if (scanned.package === null) throw new CountersignError('bundle_unreadable', { field: path, detail: 'no package' });
    if (!scanned.empty) files.push({ ...scanned, package: scanned.package, path });
  }
  return files;
}

/** The base's packages are the base's own files, whole and alone; nothing may be put at `countersign` itself or beside them. */
function checkBase(file: Scanned, files: readonly Scanned[]): void {
  const name = file.package.join('.');
  const known = Object.hasOwn(BASE_PACKAGES, name) ? BASE_PACKAGES[name] : [];
  const beside = files.find((other) => other !== file && other.package.join('.') === name);
  const isBase = known?.includes(file.digest) === true;
  if (isBase && beside === undefined) return;
  // what lies beside the base's own file is what is wrong
  throw new CountersignError('bundle_redefines_base', { field: (isBase ? beside : file)?.path ?? file.path, detail: name });
}

/**
 * Refuses data at, above or below a package.
 * @throws CountersignError bundle_data_shadows_rules, the field is the path of the data
 */
export function checkShadows(data: JsonObject, packages: readonly (readonly string[])[]): void {
  for (const names of packages) {
    let at: JsonValue = data;
    for (const [index, name] of names.entries()) {
      if (!isJsonObject(at)) throw shadow(names.slice(0, index));
      if (!Object.hasOwn(at, name)) break;
      at = at[name] ?? null;
      if (index === names.length - 1) throw shadow(names);
    }
  }
}

function shadow(path: readonly string[]): CountersignError {
  return new CountersignError('bundle_data_shadows_rules', { field: path.join('.') });
}

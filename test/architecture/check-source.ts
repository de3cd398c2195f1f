import { dirname, join, normalize } from 'node:path/posix';
import { COMPUTED, parseSource, type SourceFacts } from './parse-source.ts';

/** One broken rule, at one place. */
export type Violation = { readonly path: string; readonly line: number; readonly rule: string; readonly text: string };

/** What a part of `src/` may import of ours, by the folder or file under `src/`; `types` only by `import type`. */
type PartRule = { readonly values: readonly string[]; readonly types?: readonly string[] };

/** DESIGN 2. A part may always import itself. */
const PARTS: Readonly<Record<string, PartRule>> = {
  contract: { values: [] },
  formats: { values: ['contract/json.ts'] },
  identify: { values: ['contract', 'formats'], types: ['stores'] },
  enrich: { values: ['contract', 'formats'], types: ['stores'] },
  decide: { values: ['contract', 'formats'], types: ['stores'] },
  record: { values: ['contract', 'formats'], types: ['stores'] },
  endpoints: { values: ['contract', 'formats'] },
  registry: { values: ['contract', 'formats'], types: ['stores'] },
  stores: { values: ['contract/errors.ts', 'contract/codes.ts'] },
  config: { values: ['formats'] },
  authoring: { values: ['contract', 'formats', 'cases'] },
  // it stands in for the stages before a policy, by their own readers
  cases: {
    values: [
      'contract',
      'formats',
      'registry',
      'endpoints/decide/receive.ts',
      'identify/delegation.ts',
      'identify/registered.ts',
      'stores/bounded-cache.ts',
    ],
  },
  cli: { values: ['contract', 'config', 'formats', 'registry', 'authoring', 'cases', 'replay'] },
  doctor: { values: ['contract'], types: ['config', 'stores'] },
  replay: { values: ['contract'], types: ['decide', 'stores'] },
  // what applications import: nothing of the service, and no library
  client: { values: ['contract/json.ts', 'formats/strict-json.ts', 'system-clock.ts'] },
  'pdp.ts': { values: ['contract'] },
  'batch.ts': { values: ['contract'], types: ['pdp.ts'] },
  'readiness.ts': { values: ['contract'] },
  'decision-id.ts': { values: ['contract'] },
  'system-clock.ts': { values: ['contract'] },
  'process.ts': {
    values: [
      'contract',
      'config',
      'cli',
      'service.ts',
      'compose/command-tools.ts',
      'compose/doctor-tools.ts',
      'compose/policy-tools.ts',
      'compose/replay-tools.ts',
      'system-clock.ts',
      'record/logger.ts',
    ],
  },
  'main.ts': { values: ['process.ts'] },
};

/** The composition root, and the folder of what it constructs: they alone may import every part, and nothing else imports the folder. */
const ROOT: ReadonlySet<string> = new Set(['service.ts', 'compose']);

/** Globals with an owner: the environment, the clock and chance are passed in everywhere else. */
const GLOBALS: Readonly<Record<string, readonly string[]>> = {
  'process.env': ['src/config/'],
  'Date.now': ['src/system-clock.ts'],
  'new Date()': ['src/system-clock.ts'],
  'performance.now': ['src/system-clock.ts'],
  'process.hrtime': ['src/system-clock.ts'],
  'crypto.randomUUID': ['src/decision-id.ts'],
};

/** The part that a file under `src/` belongs to. */
function partOf(path: string): string {
  const [first = ''] = path.slice('src/'.length).split('/');
  return first;
}

/** Everything in one file under `src/` that breaks a rule of the house. */
export function checkSource(path: string, text: string): Violation[] {
  const facts = parseSource(text);
  const at = (line: number, rule: string, what: string): Violation => ({ path, line, rule, text: what });
  return [
    ...importViolations(path, facts, at),
    ...facts.defaultExports.map((line) => at(line, 'default-export', 'no default exports')),
    ...(facts.isBarrel ? [at(1, 'barrel', 'the file only hands on what others export')] : []),
    ...facts.globals
      .filter(({ name }) => GLOBALS[name]?.some((owner) => path.startsWith(owner)) === false)
      .map(({ name, line }) => at(line, 'global', `${name} belongs to ${GLOBALS[name]?.join(', ')}`)),
    ...facts.imports
      .filter(({ specifier }) => specifier === 'node:process' || specifier === 'process')
      .map(({ line }) => at(line, 'global', 'process is used as the global, so that its uses can be seen')),
  ];
}

type At = (line: number, rule: string, what: string) => Violation;

function importViolations(path: string, facts: SourceFacts, at: At): Violation[] {
  const found: Violation[] = [];
  const part = partOf(path);
  for (const { specifier, typeOnly, line } of facts.imports) {
    if (specifier === COMPUTED) found.push(at(line, 'computed', 'an import whose target cannot be read here'));
    if (!specifier.startsWith('.')) continue;
    const target = normalize(join(dirname(path), specifier));
    if (!target.startsWith('src/')) found.push(at(line, 'outside', `${specifier} leaves src/`));
    else if (!target.endsWith('.ts')) found.push(at(line, 'extension', `${specifier} does not name a .ts file`));
    else if (!ROOT.has(part) && !mayImport(path, target, typeOnly)) {
      found.push(at(line, 'part', `${part} may not import ${typeOnly ? 'types' : 'values'} of ${target.slice('src/'.length)}`));
    }
  }
  return found;
}

function mayImport(path: string, target: string, typeOnly: boolean): boolean {
  const part = partOf(path);
  if (partOf(target) === part) return part !== 'endpoints' || isOwnProtocol(path, target);
  const rule = PARTS[part];
  const allowed = [...(rule?.values ?? []), ...(typeOnly ? (rule?.types ?? []) : [])];
  return allowed.some((one) => target === `src/${one}` || target.startsWith(`src/${one}/`));
}

/** A protocol's folder imports itself and the files beside the folders; of those only a listener, which serves protocols, imports them. */
function isOwnProtocol(path: string, target: string): boolean {
  return dirname(target) === 'src/endpoints' || dirname(target) === dirname(path) || /^src\/endpoints\/[a-z]+-server\.ts$/.test(path);
}

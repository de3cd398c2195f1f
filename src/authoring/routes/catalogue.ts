import { stringify } from 'yaml';
import type { JsonObject } from '../../contract/json.ts';
import type { Tier } from '../../contract/route.ts';
import { compareText, type Finding } from '../finding.ts';

/** One route of `data.countersign.routes`. */
export type CatalogueRoute = {
  readonly id: string;
  readonly hosts: readonly string[];
  readonly methods: readonly string[];
  readonly path: string;
  readonly tier: Tier;
  readonly scopes: readonly string[];
  readonly public: boolean;
};

/** Where a route comes from, in the document that is imported. */
export type Origin = Pick<Finding, 'file' | 'line' | 'column'>;

/** What is used where a document says nothing. */
export type RouteDefaults = { readonly tier: Tier; readonly publicTier: Tier; readonly scopes: readonly string[] };

export type ImportedRoutes = { readonly routes: readonly CatalogueRoute[]; readonly notes: readonly Finding[] };

/** What an import may have to say. Only with `dropped` a route of the document is not in the catalogue, and its requests are denied. */
export const IMPORT_NOTES = {
  route_scopes_missing: 'nothing says which scopes the route asks for: a protected route without scopes is granted by nothing',
  route_scopes_joined: 'one of several securities would do in the document; the catalogue asks for the scopes of all of them',
  route_security_unknown: 'a security scheme is not in the document, or has no scopes',
  route_anonymous: 'the document also lets requests without credentials pass: the route is public',
  route_path_widened: 'a segment that is a parameter in part became one as a whole',
  route_match_widened: 'conditions over headers or query parameters are left out: the route holds without them too',
  route_dropped: 'the route is not in the catalogue',
  reference_unresolved: 'a reference that leads out of the document, or nowhere',
} as const;

/** A note at its place. */
export function noteOf(code: keyof typeof IMPORT_NOTES, origin: Origin, more?: string): Finding {
  const { file, line, column } = origin;
  return { file, line, column, code, text: more === undefined ? IMPORT_NOTES[code] : `${IMPORT_NOTES[code]}: ${more}` };
}

/** Gathers routes: every id once, every host, method and path once. */
export function createCatalogue() {
  const routes: CatalogueRoute[] = [];
  const notes: Finding[] = [];
  const ids = new Set<string>(['unknown']);
  const taken = new Set<string>();
  return {
    routes,
    notes,
    note: (code: keyof typeof IMPORT_NOTES, origin: Origin, more?: string) => void notes.push(noteOf(code, origin, more)),
    add(route: CatalogueRoute, origin: Origin): void {
      const shape = route.path
        .replace(/\{[^}*]+\}/g, '{}')
        .replace(/\{[^}]+\*\}/g, '{*}')
        .replace(/(.)\/$/, '$1');
      const hosts = route.hosts.length === 0 ? [''] : route.hosts;
      const keys = hosts.flatMap((host) => route.methods.map((method) => `${host} ${method} ${shape}`));
      const twice = keys.find((key) => taken.has(key));
      if (twice !== undefined) {
        notes.push(noteOf('route_dropped', origin, `${twice.trim()} is there already`));
        return;
      }
      for (const key of keys) taken.add(key);
      routes.push({ ...route, id: unused(route.id, ids) });
    },
  };
}

/** The catalogue as data: names without a value are left out. */
export function catalogueData(routes: readonly CatalogueRoute[]): JsonObject {
  return Object.fromEntries(
    routes.map(({ id, hosts, methods, path, tier, scopes, public: open }) => [
      id,
      {
        ...(hosts.length === 0 ? {} : { hosts }),
        methods,
        path,
        tier,
        ...(scopes.length === 0 ? {} : { scopes }),
        ...(open ? { public: true } : {}),
      },
    ]),
  );
}

/** The catalogue as `countersign/routes/data.yaml` has it: a line a route. */
export function catalogueText(routes: readonly CatalogueRoute[], from: string): string {
  const lines = Object.entries(catalogueData(routes)).map(([id, route]) => {
    const name = /^[A-Za-z]\w*$/.test(id) && !RESERVED.has(id.toLowerCase()) ? id : JSON.stringify(id);
    return `${name}: ${stringify(route, { collectionStyle: 'flow', aliasDuplicateObjects: false, lineWidth: 0 }).trimEnd()}\n`;
  });
  return `# The route catalogue, imported from ${from.replace(/[^\x20-\x7e]/g, '?')}.\n${lines.join('')}`;
}

/** Names that YAML, old or new, reads as values. */
const RESERVED = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n']);

/** An id of letters, digits and `_`, as routes have them. */
export function idOf(text: string): string {
  const id = text
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 100);
  return id === '' ? 'route' : id;
}

/** Distinct texts in order. */
export function distinctSorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort(compareText);
}

function unused(wanted: string, ids: Set<string>): string {
  let id = wanted;
  for (let count = 2; ids.has(id); count++) id = `${wanted}_${count}`;
  ids.add(id);
  return id;
}

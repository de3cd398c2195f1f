import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import { TIERS, type Tier } from '../../contract/route.ts';
import { type CatalogueRoute, createCatalogue, type ImportedRoutes, idOf, type RouteDefaults } from './catalogue.ts';
import { securityOf } from './openapi-security.ts';
import { pathOf, serversOf } from './openapi-servers.ts';
import type { SourceDocument } from './read-document.ts';

/* Routes of an OpenAPI 3.x document (https://spec.openapis.org/oas/): one for each operation. */

/** The operations of a Path Item; `query` is of 3.2. */
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'] as const;

/** Whether the document says that it is OpenAPI 3.x. */
export function isOpenApi({ value }: SourceDocument): boolean {
  return typeof value['openapi'] === 'string' && /^3\.\d+\.\d+/.test(value['openapi']);
}

/** A route for each operation; an `x-countersign-tier` of the operation, or of its path, names its tier. */
export function routesOfOpenApi(document: SourceDocument, defaults: RouteDefaults): ImportedRoutes {
  const { value: root, originOf } = document;
  const catalogue = createCatalogue();
  const widened: (() => void)[] = [];
  const paths = isJsonObject(root['paths']) ? root['paths'] : {};
  for (const [path, written] of Object.entries(paths)) {
    const item = resolve(root, written);
    if (item === null) {
      catalogue.note('reference_unresolved', originOf('paths', path), path);
      continue;
    }
    for (const [method, operation] of operationsOf(item)) {
      const origin = originOf('paths', path, method.toLowerCase());
      const security = securityOf(root, operation);
      const tier = tierOf(operation) ?? tierOf(item) ?? (security.public ? defaults.publicTier : defaults.tier);
      const scopes = security.public ? [] : security.scopes.length > 0 ? security.scopes : defaults.scopes;
      for (const note of security.notes) catalogue.note(note, origin, `${method} ${path}`);
      if (!security.public && scopes.length === 0) catalogue.note('route_scopes_missing', origin, `${method} ${path}`);
      const id = typeof operation['operationId'] === 'string' ? operation['operationId'] : `${method.toLowerCase()} ${path}`;
      for (const { base, hosts } of serversOf(operation['servers'] ?? item['servers'] ?? root['servers'])) {
        const made = pathOf(base, path);
        if (made === null) {
          catalogue.note('route_dropped', origin, `${method} ${path} is no path of a catalogue`);
          continue;
        }
        const route: CatalogueRoute = { id: idOf(id), hosts, methods: [method], path: made.path, tier, scopes, public: security.public };
        if (!made.widened) catalogue.add(route, origin);
        // what is open must not become wider than it was
        else if (route.public)
          catalogue.note('route_dropped', origin, `${method} ${path} is public, and a segment of it a parameter in part`);
        else {
          catalogue.note('route_path_widened', origin, `${method} ${path}`);
          widened.push(() => catalogue.add(route, origin));
        }
      }
    }
  }
  // last, so that they take nothing from a route that is written as it is
  for (const add of widened) add();
  return catalogue;
}

function operationsOf(item: JsonObject): (readonly [string, JsonObject])[] {
  const found: (readonly [string, JsonObject])[] = [];
  for (const method of METHODS) {
    const operation = item[method];
    if (isJsonObject(operation)) found.push([method.toUpperCase(), operation]);
  }
  // 3.2: methods that have no field of their own
  for (const [method, operation] of Object.entries(isJsonObject(item['additionalOperations']) ? item['additionalOperations'] : {}))
    if (isJsonObject(operation)) found.push([method, operation]);
  return found;
}

function tierOf(part: JsonObject): Tier | null {
  return TIERS.find((tier) => tier === part['x-countersign-tier']) ?? null;
}

const REFERENCES_MAX = 10;

/** What is written, or what its `$ref` leads to within the document; null where that is nothing. */
function resolve(root: JsonObject, written: JsonValue): JsonObject | null {
  let at: JsonValue | undefined = written;
  for (let count = 0; count < REFERENCES_MAX; count++) {
    if (!isJsonObject(at)) return null;
    const reference = at['$ref'];
    if (typeof reference !== 'string') return at;
    if (!reference.startsWith('#/')) return null;
    let target: JsonValue | undefined = root;
    for (const part of reference.slice(2).split('/')) {
      const name = decodePart(part);
      target = isJsonObject(target) && Object.hasOwn(target, name) ? target[name] : undefined;
    }
    at = target;
  }
  return null;
}

/** RFC 6901 in a URI fragment. */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    // not percent-encoded: the name as it stands
    return part;
  }
}

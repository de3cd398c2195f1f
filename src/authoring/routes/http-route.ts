import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import { createCatalogue, type ImportedRoutes, idOf, type Origin, type RouteDefaults } from './catalogue.ts';
import type { SourceDocument } from './read-document.ts';

/* Routes of Kubernetes Gateway API HTTPRoutes (gateway.networking.k8s.io/v1): one or two for each match. */

const GROUP = 'gateway.networking.k8s.io/';

/** Whether the document is an HTTPRoute, or a list of Kubernetes objects. */
export function isHttpRoute({ value }: SourceDocument): boolean {
  return isHttpRouteObject(value) || (isListObject(value) && itemsOf(value).some(isHttpRouteObject));
}

/** Routes of every HTTPRoute in the documents; an HTTPRoute knows nothing of scopes, so they are the default ones. */
export function routesOfHttpRoutes(documents: readonly SourceDocument[], defaults: RouteDefaults): ImportedRoutes {
  const catalogue = createCatalogue();
  for (const { value, originOf } of documents) {
    if (isHttpRouteObject(value)) addRoutes(value, (...path) => originOf(...path), catalogue, defaults);
    if (!isListObject(value)) continue;
    for (const [index, item] of itemsOf(value).entries())
      if (isHttpRouteObject(item)) addRoutes(item, (...path) => originOf('items', index, ...path), catalogue, defaults);
  }
  return catalogue;
}

function isHttpRouteObject(value: JsonValue): value is JsonObject {
  return isJsonObject(value) && value['kind'] === 'HTTPRoute' && String(value['apiVersion']).startsWith(GROUP);
}

function isListObject(value: JsonObject): boolean {
  return value['kind'] === 'List' || value['kind'] === 'HTTPRouteList';
}

function itemsOf(value: JsonObject): JsonValue[] {
  return Array.isArray(value['items']) ? [...value['items']] : [];
}

function listIn(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function addRoutes(
  object: JsonObject,
  originOf: (...path: readonly (string | number)[]) => Origin,
  catalogue: ReturnType<typeof createCatalogue>,
  defaults: RouteDefaults,
): void {
  const spec = isJsonObject(object['spec']) ? object['spec'] : {};
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  const name = typeof metadata['name'] === 'string' ? metadata['name'] : 'route';
  const hosts = (Array.isArray(spec['hostnames']) ? spec['hostnames'] : [])
    .filter((host) => typeof host === 'string')
    .map((host) => host.toLowerCase());
  for (const [ruleIndex, rule] of listIn(spec['rules']).entries()) {
    // a rule without a match takes every request
    const matches = listIn(rule['matches']);
    for (const [matchIndex, match] of (matches.length === 0 ? [{}] : matches).entries()) {
      const origin = originOf('spec', 'rules', ruleIndex, 'matches', matchIndex);
      const where = `${name}, rule ${ruleIndex + 1}, match ${matchIndex + 1}`;
      const paths = pathsOf(match);
      if (paths === null) {
        catalogue.note('route_dropped', origin, `${where}: its path is no path of a catalogue`);
        continue;
      }
      if (listIn(match['headers']).length + listIn(match['queryParams']).length > 0) catalogue.note('route_match_widened', origin, where);
      if (defaults.scopes.length === 0) catalogue.note('route_scopes_missing', origin, where);
      const methods = [typeof match['method'] === 'string' ? match['method'] : '*'];
      const id = idOf(`${name}_${ruleIndex + 1}_${matchIndex + 1}`);
      for (const [index, path] of paths.entries()) {
        const shared = { hosts, methods, path, tier: defaults.tier, scopes: defaults.scopes, public: false };
        catalogue.add({ id: index === 0 ? id : `${id}_below`, ...shared }, origin);
      }
    }
  }
}

/** A prefix is a path and everything below it, segment by segment. */
function pathsOf(match: JsonObject): readonly string[] | null {
  const path = isJsonObject(match['path']) ? match['path'] : {};
  const { type = 'PathPrefix', value = '/' } = path;
  if (typeof value !== 'string' || !value.startsWith('/') || /[{}*?#]/.test(value)) return null;
  if (type === 'Exact') return [value];
  if (type !== 'PathPrefix') return null;
  const prefix = value.replace(/\/+$/, '');
  return [prefix === '' ? '/' : prefix, `${prefix}/{rest*}`];
}

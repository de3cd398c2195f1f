import type { Finding } from '../finding.ts';
import type { ImportedRoutes, RouteDefaults } from './catalogue.ts';
import { isHttpRoute, routesOfHttpRoutes } from './http-route.ts';
import { isOpenApi, routesOfOpenApi } from './openapi.ts';
import { readDocuments } from './read-document.ts';

/** Routes of a file of either kind, with what there is to say of them, or what is wrong with the file. */
export function importRoutes(
  file: string,
  text: string,
  defaults: RouteDefaults,
): ImportedRoutes | { readonly problems: readonly Finding[] } {
  const { documents, problems } = readDocuments(file, text);
  if (problems.length > 0) return { problems };
  const described = documents.find(isOpenApi);
  if (described !== undefined && documents.length === 1) return routesOfOpenApi(described, defaults);
  if (documents.some(isHttpRoute)) return routesOfHttpRoutes(documents, defaults);
  return {
    problems: [
      { file, line: 1, column: 1, code: 'document_unknown', text: 'it is neither OpenAPI 3.x nor an HTTPRoute of the Gateway API' },
    ],
  };
}

import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import { distinctSorted, type IMPORT_NOTES } from './catalogue.ts';

/** What an operation asks of its caller. */
export type OperationSecurity = {
  readonly public: boolean;
  readonly scopes: readonly string[];
  readonly notes: readonly (keyof typeof IMPORT_NOTES)[];
};

/** Only of these do requirements name scopes. */
const SCOPED = new Set(['oauth2', 'openIdConnect']);

/**
 * The security of an operation, or of the whole document. Requirements are alternatives, the schemes in one are needed together; a catalogue knows
 * one list of scopes, so it asks for those of all alternatives, which is never less than the document asks for.
 */
export function securityOf(root: JsonObject, operation: JsonObject): OperationSecurity {
  const written = operation['security'] ?? root['security'];
  if (!Array.isArray(written)) return { public: false, scopes: [], notes: [] };
  const requirements = written.filter(isJsonObject);
  // `[]` takes the security of the document away, and an empty requirement means that none is needed
  if (requirements.length === 0) return { public: true, scopes: [], notes: [] };
  if (requirements.some((one) => Object.keys(one).length === 0)) return { public: true, scopes: [], notes: ['route_anonymous'] };
  const schemes = schemesOf(root);
  const notes = new Set<keyof typeof IMPORT_NOTES>();
  const alternatives = requirements.map((one) =>
    distinctSorted(
      Object.entries(one).flatMap(([name, scopes]) => {
        const scheme = schemes[name];
        const type = isJsonObject(scheme) ? scheme['type'] : undefined;
        if (typeof type !== 'string') notes.add('route_security_unknown');
        if (!SCOPED.has(String(type)) || !Array.isArray(scopes)) return [];
        const [named, odd] = [scopes.filter(isScope), scopes.length];
        if (named.length < odd) notes.add('route_security_unknown');
        return named;
      }),
    ),
  );
  if (new Set(alternatives.map((scopes) => scopes.join(' '))).size > 1) notes.add('route_scopes_joined');
  return { public: false, scopes: distinctSorted(alternatives.flat()), notes: [...notes] };
}

function schemesOf(root: JsonObject): JsonObject {
  const components = root['components'];
  return isJsonObject(components) && isJsonObject(components['securitySchemes']) ? components['securitySchemes'] : {};
}

/** RFC 6749 section 3.3. */
function isScope(scope: unknown): scope is string {
  return typeof scope === 'string' && /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope);
}

import { z } from 'zod';

/* Checks of real messages against an OpenAPI document, stricter than the document: a member that it does not name is an error. */

export type Node = { readonly [name: string]: unknown };
export const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What lies at a path of names; an empty object where nothing does. */
export function at(node: unknown, ...names: readonly (string | number)[]): Node {
  const found = names.reduce<unknown>((inner, name) => (isNode(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined), node);
  return isNode(found) ? found : {};
}

/** A schema without references and `allOf`, closed wherever it names members. */
function closed(document: Node, schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map((one) => closed(document, one));
  if (!isNode(schema)) return schema;
  const { $ref, allOf, ...own } = schema;
  if (typeof $ref === 'string') return closed(document, resolve(document, $ref));
  if (Array.isArray(allOf)) return closed(document, allOf.map((part) => whole(document, part)).reduce(merged, own));
  const inner = Object.fromEntries(Object.entries(own).map(([name, value]) => [name, name === 'enum' ? value : closed(document, value)]));
  return isNode(own['properties']) && own['additionalProperties'] === undefined ? { ...inner, additionalProperties: false } : inner;
}

function whole(document: Node, part: unknown): Node {
  if (!isNode(part)) return {};
  const { $ref } = part;
  return typeof $ref === 'string' ? resolve(document, $ref) : part;
}

function merged(a: Node, b: Node): Node {
  const properties = { ...at(a, 'properties') };
  for (const [name, value] of Object.entries(at(b, 'properties')))
    properties[name] = { ...at(properties, name), ...(isNode(value) ? value : {}) };
  return { ...a, ...b, properties };
}

function resolve(document: Node, $ref: string): Node {
  return at(document, ...$ref.replace(/^#\//, '').split('/'));
}

/** What is wrong with a JSON value by a schema of the document; empty where nothing is. */
export function problemsWith(document: Node, schema: unknown, value: unknown): readonly string[] {
  const checked = z.fromJSONSchema(JSON.parse(JSON.stringify(closed(document, schema)))).safeParse(value);
  return checked.success ? [] : checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

/** What is wrong with an answer by the operation that was called: its status, its type, its body. */
export async function problemsWithAnswer(document: Node, operation: Node, answer: Response): Promise<readonly string[]> {
  const responses = at(operation, 'responses');
  const said = at(responses, answer.status);
  const response = Object.keys(said).length === 0 ? at(responses, 'default') : said;
  const resolved = typeof response['$ref'] === 'string' ? resolve(document, response['$ref']) : response;
  if (Object.keys(resolved).length === 0) return [`status ${answer.status} is not documented`];
  const text = await answer.text();
  const [type = ''] = (answer.headers.get('content-type') ?? '').split(';');
  const content = at(resolved, 'content');
  if (Object.keys(content).length === 0) return text === '' ? [] : ['there is a body'];
  const { schema } = at(content, type);
  if (schema === undefined) return [`the type ${type} is not documented for ${answer.status}`];
  return problemsWith(document, schema, type.endsWith('json') ? JSON.parse(text) : text);
}

import { PATH_MARK, SECRET_MARK } from './forms.ts';

/** The parts of a JSON Schema (draft 2020-12) that zod makes of our configuration and that are read here. */
export type SchemaNode = {
  readonly type?: string | readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly properties?: Readonly<Record<string, SchemaNode>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: SchemaNode | undefined;
  readonly additionalProperties?: boolean | SchemaNode | undefined;
  readonly anyOf?: readonly SchemaNode[] | undefined;
  readonly oneOf?: readonly SchemaNode[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly [PATH_MARK]?: boolean | undefined;
  readonly [SECRET_MARK]?: 'hash' | 'url' | 'text' | undefined;
};

/** A schema of one type. */
export type SchemaForm = SchemaNode & { readonly type?: string | undefined };

/** The forms that a value may have: itself, or the members of its union. */
export function alternatives(node: SchemaNode): readonly SchemaForm[] {
  const members = node.anyOf ?? node.oneOf;
  if (members !== undefined) return members.flatMap(alternatives);
  const { type, ...rest } = node;
  return (Array.isArray(type) ? type : [type]).map((one) => ({ ...rest, type: one }));
}

/** The named parts of a value, over all its forms (of `store` both memory's and Redis's); empty for what is no object. */
export function partsOf(node: SchemaNode): ReadonlyMap<string, SchemaNode> {
  const parts = new Map<string, SchemaNode>();
  for (const form of alternatives(node)) {
    for (const [key, part] of Object.entries(form.properties ?? {})) {
      const known = parts.get(key);
      parts.set(key, known === undefined ? part : { ...part, anyOf: [...alternatives(known), ...alternatives(part)] });
    }
  }
  return parts;
}

/** The form of the items of a list or of the values of a record, or null. */
export function elementOf(node: SchemaNode): { readonly node: SchemaNode; readonly list: boolean } | null {
  for (const form of alternatives(node)) {
    if (form.items !== undefined) return { node: form.items, list: true };
    if (typeof form.additionalProperties === 'object') return { node: form.additionalProperties, list: false };
  }
  return null;
}

/** One key of the configuration. */
export type OutlineEntry = {
  /** Names from the root; `[]` stands for an item of a list and `<name>` for a key of a record. */
  readonly path: readonly string[];
  readonly node: SchemaNode;
  /** Environment variable, or null inside lists and records, which are set as a whole, and for plain sections. */
  readonly variable: string | null;
  /** True for an object that only groups keys and has no value of its own. */
  readonly section: boolean;
};

/** `http.bodyMaxBytes` as `COUNTERSIGN_HTTP_BODY_MAX_BYTES`. */
export function variableName(path: readonly string[]): string {
  return `COUNTERSIGN_${path.map((part) => part.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join('_')}`;
}

/** Every key of a schema, parents before children, in the order of the schema. */
export function outline(schema: SchemaNode, path: readonly string[] = []): OutlineEntry[] {
  const entries: OutlineEntry[] = [];
  if (path.length > 0) {
    const section = alternatives(schema).length === 1 && schema.properties !== undefined;
    const inside = path.some((part) => part === '[]' || part === '<name>');
    const element = path.at(-1) === '[]' || path.at(-1) === '<name>';
    if (!element) entries.push({ path, node: schema, section, variable: inside || section ? null : variableName(path) });
  }
  for (const [key, part] of partsOf(schema)) entries.push(...outline(part, [...path, key]));
  const element = elementOf(schema);
  if (element !== null) entries.push(...outline(element.node, [...path, element.list ? '[]' : '<name>']));
  return entries;
}

import { z } from 'zod';
import { alternatives, elementOf, partsOf, type SchemaForm, type SchemaNode } from '../../src/config/outline.ts';
import { EvaluationInput } from '../../src/decide/input-schema.ts';
import { code, opening, table } from './markdown.ts';

const ABOUT = [
  'What `input` is in Rego, version 1, field by field; how it is meant to be read is in [rego.md](rego.md#the-input). `policies/schemas/input.json` is the same for `opa check`, and `countersign policy check` brings its own copy.',
  '',
  '- It is **total**: every key is always there. What is not known is `null`, `[]` or `{}`, and never a key that is left out; "or null" in a form says where that can be.',
  '- A **signal** is `{"status": "present", "value": {…}}` or `{"status": "absent" | "invalid" | "unavailable", "code": "…"}`. Its tables list the fields of `value`.',
  '- `[]` stands for an item of a list, `<name>` for any key.',
  '- Times are unix seconds in UTC. Ids are texts.',
];

/** The input as plain JSON Schema: what zod returns holds its own members beside it. */
const INPUT: SchemaNode = JSON.parse(JSON.stringify(z.toJSONSchema(EvaluationInput, { io: 'output' })));

/** One field of the input. */
export type InputField = { readonly path: string; readonly form: string; readonly about: string };
type Section = { readonly path: string; readonly about: string; readonly fields: readonly InputField[] };

/** The sections of the page: the plain fields of the top, then each object of the top, and each signal. */
export function inputSections(): readonly Section[] {
  const top = [...partsOf(INPUT)];
  const objects = top.filter(([, node]) => node.properties !== undefined || isObject(node));
  const plain = top.filter((one) => !objects.includes(one));
  return [
    { path: 'input', about: 'What the request is told by.', fields: plain.flatMap(([name, node]) => fieldsOf(`input.${name}`, node)) },
    ...objects.flatMap(([name, node]) => (name === 'signals' ? signalSections(node) : [sectionOf(`input.${name}`, node)])),
  ];
}

/** The text of docs/rego-input.md. */
export function inputDoc(): string {
  const parts = inputSections().map(({ path, about, fields }) => {
    const rows = fields.map((field) => [code(field.path), field.form, field.about]);
    return [`## ${path}`, '', `${about.replace(/\.$/, '')}.`, '', table(['field', 'form', 'what it is'], rows)].join('\n');
  });
  return `${[opening('The input of a policy', '`src/decide/input-schema.ts`', ABOUT), ...parts].join('\n\n')}\n`;
}

function signalSections(signals: SchemaNode): Section[] {
  return [...partsOf(signals)].map(([name, node]) => sectionOf(`input.signals.${name}`, node));
}

function sectionOf(path: string, node: SchemaNode): Section {
  const inner = fieldsOf(path, node).slice(1);
  return { path, about: aboutOf(node), fields: inner.length > 0 ? inner : fieldsOf(path, node) };
}

/** A field, and the fields below it. */
function fieldsOf(path: string, node: SchemaNode): InputField[] {
  const fields: InputField[] = [{ path, form: formOf(node), about: aboutOf(node) }];
  for (const [name, part] of partsOf(node)) fields.push(...fieldsOf(`${path}${keyOf(name)}`, part));
  const element = elementOf(node);
  if (element !== null) fields.push(...fieldsOf(`${path}${element.list ? '[]' : '.<name>'}`, element.node).slice(1));
  return fields;
}

/** What a field is about; `.nullable()` leaves it with the form that it was said of. */
function aboutOf(node: SchemaNode): string {
  return node.description ?? alternatives(node).find(({ description }) => description !== undefined)?.description ?? '';
}

/** As Rego writes it. */
function keyOf(name: string): string {
  return /^[a-z_]\w*$/.test(name) ? `.${name}` : `["${name}"]`;
}

function isObject(node: SchemaNode): boolean {
  return alternatives(node).some(({ type }) => type === 'object');
}

const FORM_NAMES: Readonly<Record<string, string>> = { string: 'text', integer: 'number', boolean: 'true or false' };

function formOf(node: SchemaNode): string {
  return [...new Set(alternatives(node).map((form) => oneFormOf(form, node)))].join(' or ');
}

function oneFormOf(form: SchemaForm, node: SchemaNode): string {
  if (form.enum !== undefined)
    return form.enum
      .filter((one) => one !== null)
      .map((value) => code(JSON.stringify(value)))
      .join(', ');
  if (form.const !== undefined) return code(JSON.stringify(form.const));
  if (form.type === 'array') {
    const items = elementOf(node);
    return items === null ? 'list' : `list of ${isObject(items.node) ? 'objects' : pluralOf(formOf(items.node))}`;
  }
  if (form.type === 'object') return form.properties === undefined ? 'map by name' : 'object';
  return form.type === undefined ? 'any JSON' : (FORM_NAMES[form.type] ?? form.type);
}

function pluralOf(form: string): string {
  return form === 'text' || form === 'number' ? `${form}s` : form;
}

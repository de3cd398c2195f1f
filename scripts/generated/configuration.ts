import { alternatives, elementOf, type OutlineEntry, outline, type SchemaForm, type SchemaNode } from '../../src/config/outline.ts';
import { CONFIG_JSON_SCHEMA } from '../../src/config/schema.ts';
import { code, opening, table } from './markdown.ts';

const ABOUT = [
  'Each key has a default, which the YAML file replaces, which the environment replaces. `--config FILE`, or else the variable `COUNTERSIGN_CONFIG`, names the file.',
  '`countersign --print-config` shows what is in effect, with secrets masked. An unknown key or a bad value keeps the service from starting; every problem is listed at once.',
  '',
  '- **Variables** are `COUNTERSIGN_` and the path in upper snake. Lists and objects are JSON there, `null` is no value; a list is set as a whole. A variable with this prefix that is',
  '  no key is refused too, but for those that Kubernetes makes of Services (`COUNTERSIGN_SERVICE_HOST`, `COUNTERSIGN_PORT=tcp://…`), which are left out of account.',
  '- **Paths** of files in the YAML file are relative to the folder of that file, those in the environment and in the defaults to the working directory.',
  '- **Secrets**: tokens are configured by their SHA-256 (`countersign hash-token`). Keys that may hold a secret are set by their variables: `COUNTERSIGN_STORE_URL`, `COUNTERSIGN_IDENTITY_DPOP_NONCE_SECRET`, `COUNTERSIGN_REGISTRY_HASH_KEYS` (or each of these by its `file`).',
  '- `OPA_BIN` stands in for `policy.opaBin`, and for that of each of the `policies`, where it is not set.',
];

const FORM_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  null: 'null',
};

/** The text of docs/configuration.md. */
export function configurationDoc(): string {
  const entries = outline(CONFIG_JSON_SCHEMA);
  const sections = [...new Set(entries.map((entry) => entry.path[0] ?? ''))];
  const parts = sections.map((section) => {
    const [first, ...rest] = entries.filter((entry) => entry.path[0] === section);
    const rows = [...(first === undefined || first.section ? [] : [first]), ...rest].map(row);
    return [`## ${section}`, '', first?.node.description ?? '', '', table(['key', 'form', 'default', 'variable', 'what it is'], rows)].join(
      '\n',
    );
  });
  return `${[opening('Configuration', '`src/config/`', ABOUT), ...parts].join('\n\n')}\n`;
}

function row({ path, node, variable, section }: OutlineEntry): readonly string[] {
  const key = path.join('.').replaceAll('.[]', '[]');
  return [code(key), section ? 'section' : formText(node), section ? '' : defaultText(node), code(variable ?? ''), node.description ?? ''];
}

function defaultText(node: SchemaNode): string {
  return node.default === undefined ? 'none' : code(JSON.stringify(node.default));
}

function formText(node: SchemaNode): string {
  const element = elementOf(node);
  const texts = alternatives(node).map((form) => {
    if (form.type === 'array' && element !== null)
      return `list of ${formText(element.node)}${form.items?.properties === undefined ? '' : 's'}`;
    return oneFormText(form);
  });
  return [...new Set(texts)].join(' or ');
}

function oneFormText(form: SchemaForm): string {
  if (form.enum !== undefined) return form.enum.map((value) => code(String(value))).join(', ');
  if (form.const !== undefined) return code(String(form.const));
  if (form.type === 'object') return form.properties === undefined ? 'map by name' : 'object';
  const name = FORM_NAMES[form.type ?? ''] ?? form.type ?? '';
  const { minimum, maximum } = form;
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (minimum === undefined || (form.type !== 'integer' && form.type !== 'number')) return name;
  return bounded ? `${name}, ${minimum} to ${maximum}` : `${name} from ${minimum}`;
}

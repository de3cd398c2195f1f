import { parseDocument } from 'yaml';
import type { ConfigProblem } from './config-error.ts';
import { alternatives, type OutlineEntry, type SchemaNode } from './outline.ts';

/** Names the configuration file; the only variable with our prefix that is no key. */
export const FILE_VARIABLE = 'COUNTERSIGN_CONFIG';
const PREFIX = 'COUNTERSIGN_';

/**
 * Variables that Kubernetes puts into every pod beside a Service called `countersign` or `countersign-…` (service links):
 * they are nobody's settings and must not keep the process from starting.
 */
const SERVICE_LINK_NAME =
  /^COUNTERSIGN_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const SERVICE_LINK_VALUE = /^(tcp|udp|sctp):\/\//;

/** A value that the environment sets. */
export type EnvironmentSetting = { readonly path: readonly string[]; readonly value: unknown; readonly variable: string };

/** Reads every variable with our prefix; parents come before their parts, so that `…_TLS` may be an object and `…_TLS_KEY_FILE` change it. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  entries: readonly OutlineEntry[],
): { readonly settings: readonly EnvironmentSetting[]; readonly problems: readonly ConfigProblem[] } {
  const settings: EnvironmentSetting[] = [];
  const problems: ConfigProblem[] = [];
  const known = new Set<string>([FILE_VARIABLE]);
  for (const entry of entries) {
    if (entry.variable === null) continue;
    known.add(entry.variable);
    const text = env[entry.variable];
    if (text === undefined || isServiceLink(entry.variable, text)) continue;
    const read = readText(text, entry.node);
    if ('message' in read) problems.push({ path: entry.variable, message: read.message });
    else settings.push({ path: entry.path, value: read.value, variable: entry.variable });
  }
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || text === undefined || known.has(variable) || isServiceLink(variable, text)) continue;
    problems.push({ path: variable, message: 'is no key of the configuration' });
  }
  return { settings, problems };
}

function isServiceLink(variable: string, text: string): boolean {
  return SERVICE_LINK_NAME.test(variable) || (variable.endsWith('_PORT') && SERVICE_LINK_VALUE.test(text));
}

/** A variable's text by what its key may hold: text as it is, numbers, `true`, `false`, `null`, and JSON for lists and objects. */
function readText(text: string, node: SchemaNode): { readonly value: unknown } | { readonly message: string } {
  const forms = alternatives(node);
  const accepts = (type: string) => forms.some((form) => form.type === type);
  if (accepts('null') && text === 'null') return { value: null };
  if (accepts('boolean') && (text === 'true' || text === 'false')) return { value: text === 'true' };
  if ((accepts('number') || accepts('integer')) && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return { value: Number(text) };
  const structured = accepts('object') || accepts('array');
  if (structured && (/^\s*[[{]/.test(text) || !accepts('string'))) return readJson(text);
  if (accepts('string')) return { value: text };
  return { message: `must be ${accepts('boolean') ? '`true` or `false`' : 'a number'}` };
}

/** JSON that has no name twice: `JSON.parse` would take the last one without a word. */
function readJson(text: string): { readonly value: unknown } | { readonly message: string } {
  try {
    const value: unknown = JSON.parse(text);
    const twice = parseDocument(text, { uniqueKeys: true, prettyErrors: false }).errors.some((error) => error.code === 'DUPLICATE_KEY');
    return twice ? { message: 'holds a name twice' } : { value };
  } catch {
    // the error's text would repeat the value
    return { message: 'must be JSON' };
  }
}

/** What a template may be filled with, a closed list; beside it `claims.<name>`. Identity comes from verified evidence only. */
export const PLACEHOLDERS = [
  'subject.id',
  'subject.client',
  'token.issuer',
  'api_key.id',
  'network.address',
  'network.asn',
  'network.country',
  'route.id',
  'request.method',
  'request.host',
  'pep.name',
] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number] | `claims.${string}`;

/** Text with places to fill. */
export type TextTemplate = readonly (string | { readonly placeholder: Placeholder })[];

/** Values by placeholder. */
export type PlaceholderValues = ReadonlyMap<string, string>;

const CLAIM = /^claims\.[^\s{}]{1,128}$/;

/** Reads `{name}`s; a problem is a text for whoever wrote it. A brace means nothing else. */
export function parseTextTemplate(text: string): TextTemplate | { readonly problem: string } {
  const parts: (string | { readonly placeholder: Placeholder })[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('{', at);
    const literal = text.slice(at, open === -1 ? text.length : open);
    if (literal.includes('}')) return { problem: 'has a `}` without a `{`' };
    if (literal !== '') parts.push(literal);
    if (open === -1) break;
    const close = text.indexOf('}', open);
    if (close === -1) return { problem: 'has a `{` without a `}`' };
    const name = text.slice(open + 1, close);
    if (!isPlaceholder(name)) return { problem: `has a placeholder that is none of ${PLACEHOLDERS.join(', ')}, claims.<name>` };
    parts.push({ placeholder: name });
    at = close + 1;
  }
  return parts;
}

/** The placeholders of a template, each once. */
export function placeholdersOf(template: TextTemplate): readonly Placeholder[] {
  return [...new Set(template.flatMap((part) => (typeof part === 'string' ? [] : [part.placeholder])))];
}

/** The text with every place filled; a value that is not there is the owner's mistake and gives an empty one. */
export function fillText(template: TextTemplate, values: PlaceholderValues): string {
  return template.map((part) => (typeof part === 'string' ? part : (values.get(part.placeholder) ?? ''))).join('');
}

function isPlaceholder(name: string): name is Placeholder {
  return PLACEHOLDERS.some((one) => one === name) || CLAIM.test(name);
}

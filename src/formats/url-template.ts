import { type Placeholder, type PlaceholderValues, parseTextTemplate, placeholdersOf, type TextTemplate } from './placeholder.ts';

/**
 * An address with places to fill: only in segments of the path and in values of the query. Scheme, host and port stand before any value is known, and
 * are kept apart from what is filled.
 */
export type UrlTemplate = {
  /** `https://pip.internal:8443`, canonical. */
  readonly origin: string;
  readonly segments: readonly TextTemplate[];
  readonly query: readonly { readonly name: string; readonly value: TextTemplate | null }[];
  /** Each once. */
  readonly placeholders: readonly Placeholder[];
};

const FORM = /^(https?:\/\/[^/?#\\{}@\s%]+)(\/[^?#]*)?(?:\?([^#]*))?$/;
/** pchar of RFC 3986 without `;`, which some servers cut segments at. */
const LITERAL = /^(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%[0-9A-Fa-f]{2})*$/;
/** A dot segment in any writing that a server behind us might undo, with slashes that it might take for separators. */
const DOTS = /(^|[/\\]|%2f|%5c)(\.|%2e){1,2}($|[/\\;]|%2f|%5c|%3b)/i;
const TARGET_MAX = 8192;

/** Reads a template; a problem is a text for whoever wrote it. */
export function parseUrlTemplate(text: string): UrlTemplate | { readonly problem: string } {
  // names of claims may hold slashes and question marks, so numbers stand in for them while the text is taken apart
  const names: string[] = [];
  const short = text.replace(/\{([^{}]*)\}/g, (_whole, name: string) => `{${names.push(name) - 1}}`);
  const parsePart = (part: string) =>
    parseLiteral(part.replace(/\{(\d+)\}/g, (_whole, index: string) => `{${names[Number(index)] ?? ''}}`));
  const [, authority = '', path = '/', query] = FORM.exec(short) ?? [];
  if (authority === '' || !URL.canParse(authority)) {
    return { problem: 'must be an http or https URL without credentials, fragment, and placeholders before its path' };
  }
  const segments: TextTemplate[] = [];
  for (const segment of path.slice(1).split('/')) {
    const template = parsePart(segment);
    if ('problem' in template) return template;
    if (!template.some((part) => typeof part !== 'string') && DOTS.test(segment)) return { problem: 'has a dot segment' };
    segments.push(template);
  }
  const pairs: { readonly name: string; readonly value: TextTemplate | null }[] = [];
  for (const pair of query === undefined ? [] : query.split('&')) {
    const equals = pair.indexOf('=');
    const name = equals === -1 ? pair : pair.slice(0, equals);
    if (name === '' || !LITERAL.test(name))
      return { problem: 'has a query name that is empty, has a placeholder, or is not percent-encoded' };
    const value = equals === -1 ? null : parsePart(pair.slice(equals + 1));
    if (value !== null && 'problem' in value) return value;
    pairs.push({ name, value });
  }
  const templates = [...segments, ...pairs.flatMap(({ value }) => (value === null ? [] : [value]))];
  return { origin: new URL(authority).origin, segments, query: pairs, placeholders: [...new Set(templates.flatMap(placeholdersOf))] };
}

/**
 * Path and query with the values percent-encoded; null where a value would make a dot segment, in itself or with what stands beside it, or where
 * all of it is longer than 8 KiB. Values are well-formed and not empty.
 */
export function fillUrl({ segments, query }: UrlTemplate, values: PlaceholderValues): string | null {
  let target = '';
  for (const segment of segments) {
    const filled = fill(segment, values, (value) => value);
    if (segment.some((part) => typeof part !== 'string') && DOTS.test(filled)) return null;
    target += `/${fill(segment, values, encodeURIComponent)}`;
  }
  for (const [index, { name, value }] of query.entries()) {
    target += `${index === 0 ? '?' : '&'}${name}`;
    if (value !== null) target += `=${fill(value, values, encodeURIComponent)}`;
  }
  return target.length > TARGET_MAX ? null : target;
}

function fill(template: TextTemplate, values: PlaceholderValues, encode: (value: string) => string): string {
  return template.map((part) => (typeof part === 'string' ? part : encode(values.get(part.placeholder) ?? ''))).join('');
}

function parseLiteral(text: string): TextTemplate | { readonly problem: string } {
  const template = parseTextTemplate(text);
  if ('problem' in template) return template;
  const plain = template.every((part) => typeof part !== 'string' || LITERAL.test(part));
  return plain ? template : { problem: 'has a character that must be percent-encoded' };
}

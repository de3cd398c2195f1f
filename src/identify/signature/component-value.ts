import type { DecisionRequest, HttpFacts, RequestFlag } from '../../contract/request.ts';
import type { SignatureCode } from '../../contract/signature.ts';
import {
  bytesText,
  canonicalField,
  fieldText,
  hasRepeatedNames,
  memberText,
  parseFieldDictionary,
} from '../../formats/structured-fields.ts';
import type { Component } from './component.ts';

/** What a signature can be about, besides where the request went. */
export type SignedMessage = {
  readonly http: HttpFacts;
  /** Headers that are among no facts. */
  readonly hidden: ReadonlyMap<string, readonly string[]>;
  readonly flags: DecisionRequest['flags'];
};

/** Where the request went: scheme, and host with a port that is not the default one (RFC 9421 section 2.2.3). */
export type SignedOrigin = { readonly scheme: string; readonly authority: string };

/** A value, or why there is none. */
export type ComponentValue = { readonly value: string } | { readonly code: SignatureCode };

/** Without control characters and beyond ASCII: a line break in a value would write lines of its own (RFC 9421 section 2.5). */
const VALUE = /^[\t\x20-\x7e]*$/;
const REPLACEMENT = '\ufffd';
/** What was cut or could not be read as it came. */
const TARGET_UNSURE: readonly RequestFlag[] = ['path_too_long', 'path_invalid_utf8', 'path_fragment', 'path_form_unknown'];

/** Fields whose type is known (RFC 9421 section 2.1.1 allows `sf` for no others). */
const FIELD_TYPES: ReadonlyMap<string, 'dictionary' | 'list' | 'item'> = new Map([
  ['accept-signature', 'dictionary'],
  ['content-digest', 'dictionary'],
  ['priority', 'dictionary'],
  ['repr-digest', 'dictionary'],
  ['signature', 'dictionary'],
  ['signature-agent', 'dictionary'],
  ['signature-input', 'dictionary'],
  ['want-content-digest', 'dictionary'],
  ['want-repr-digest', 'dictionary'],
  ['cache-status', 'list'],
  ['proxy-status', 'list'],
  ['idempotency-key', 'item'],
]);

type QueryParameters = ReadonlyMap<string, string | null>;
type Lines = { readonly lines: readonly string[]; readonly text: string; dictionary?: ReturnType<typeof readDictionary> };
/** What was taken apart of a message: a signature may cover 64 members of one long field, under each of several origins, before anybody is known. */
type Readings = { readonly fields: Map<string, Lines>; query: QueryParameters | null };

const READINGS = new WeakMap<SignedMessage, Readings>();

function readingsOf(message: SignedMessage): Readings {
  const known = READINGS.get(message);
  if (known !== undefined) return known;
  const made: Readings = { fields: new Map(), query: null };
  READINGS.set(message, made);
  return made;
}

/** The value of a component (RFC 9421 sections 2.1 and 2.2) of this request. `origin` is null where it is not known where the request went. */
export function componentValue(component: Component, message: SignedMessage, origin: SignedOrigin | null): ComponentValue {
  return component.name.startsWith('@') ? derivedValue(component, message, origin) : fieldValue(component, message);
}

function derivedValue(component: Component, message: SignedMessage, origin: SignedOrigin | null): ComponentValue {
  const { http, flags } = message;
  switch (component.name) {
    case '@method':
      return checked(http.method === '' ? null : http.method);
    case '@authority':
      return origin === null ? { code: 'public_origin_unknown' } : checked(origin.authority);
    case '@scheme':
      return origin === null ? { code: 'public_origin_unknown' } : checked(origin.scheme);
    default:
      return TARGET_UNSURE.some((flag) => flags.includes(flag))
        ? { code: 'signature_component_unsupported' }
        : ofTarget(component, message, origin);
  }
}

function ofTarget({ name, member }: Component, message: SignedMessage, origin: SignedOrigin | null): ComponentValue {
  const { http, flags } = message;
  const { pathRaw } = http;
  const query = http.queryRaw ?? null;
  const path = pathRaw === '' ? '/' : pathRaw;
  const queryText = query === null ? '' : `?${query}`;
  if (name === '@request-target') {
    // RFC 9421 section 2.2.5: as it came, and in absolute form that is not known any more
    return flags.includes('path_absolute_form') || pathRaw === ''
      ? { code: 'signature_component_unsupported' }
      : checked(pathRaw + queryText);
  }
  if (!path.startsWith('/')) return { code: 'signature_component_unsupported' };
  if (name === '@path') return checked(path);
  if (name === '@query') return checked(`?${query ?? ''}`);
  if (name === '@query-param') {
    const readings = readingsOf(message);
    readings.query ??= queryParameters(query ?? '');
    return queryParameter(readings.query, member ?? '');
  }
  return origin === null ? { code: 'public_origin_unknown' } : checked(`${origin.scheme}://${origin.authority}${path}${queryText}`);
}

/** RFC 9421 section 2.2.8: parsed as a form (WHATWG URL section 5.1), found and written by its encoding. One that occurs twice must not be covered. */
function queryParameter(parameters: QueryParameters, name: string): ComponentValue {
  const value = parameters.get(name);
  if (value === undefined) return { code: 'signature_component_missing' };
  // bytes that are no UTF-8 all decode to the same character
  if (value === null || `${name}${value}`.includes(REPLACEMENT)) return { code: 'signature_component_invalid' };
  return checked(formEncoded(value));
}

/** Values by their names in the form's encoding; null for a name that occurs twice. */
function queryParameters(query: string): QueryParameters {
  const parameters = new Map<string, string | null>();
  for (const [plain, value] of new URLSearchParams(query)) {
    // a name that is no UTF-8 could be any other such name: nobody finds it by its encoding
    const name = plain.includes(REPLACEMENT) ? REPLACEMENT : formEncoded(plain);
    parameters.set(name, parameters.has(name) ? null : value);
  }
  return parameters;
}

/** WHATWG URL section 5.2 with its own set of characters, and `%20` for a space, as the RFC's examples have it. */
function formEncoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()~]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function fieldValue(component: Component, message: SignedMessage): ComponentValue {
  const { name, member, form } = component;
  const { flags } = message;
  const field = linesOf(name, message);
  if (field === null) return { code: 'signature_component_missing' };
  // a line that was cut off here would still reach the upstream
  if (flags.includes('header_values_capped')) return { code: 'signature_component_unsupported' };
  if (form === 'bs') return wrapped(field.lines, flags);
  const { text } = field;
  if (!VALUE.test(text)) return { code: 'signature_component_invalid' };
  if (member !== null) return ofDictionary(field, member);
  if (form === 'plain') return { value: text };
  const type = FIELD_TYPES.get(name);
  return type === undefined ? { code: 'signature_component_unsupported' } : checked(canonicalField(type, text));
}

/** The lines of a field without the blanks around them, and all of them as one; null where there are none. */
function linesOf(name: string, message: SignedMessage): Lines | null {
  const { fields } = readingsOf(message);
  const known = fields.get(name);
  if (known !== undefined) return known;
  const lines = (message.http.headers.get(name) ?? message.hidden.get(name))?.map(trimmed);
  if (lines === undefined) return null;
  const read: Lines = { lines, text: fieldText(lines) };
  fields.set(name, read);
  return read;
}

/** By hand: an expression for blanks at the end begins anew at each blank, and takes a second for a line of them. */
function trimmed(line: string): string {
  let from = 0;
  let to = line.length;
  while (from < to && isBlank(line, from)) from++;
  while (to > from && isBlank(line, to - 1)) to--;
  return line.slice(from, to);
}

function isBlank(line: string, at: number): boolean {
  const code = line.charCodeAt(at);
  return code === 32 || code === 9;
}

/** RFC 9421 section 2.1.3. */
function wrapped(lines: readonly string[], flags: DecisionRequest['flags']): ComponentValue {
  // a value that was no UTF-8 is not here as it came
  if (flags.includes('header_not_utf8') && !lines.every((line) => VALUE.test(line))) return { code: 'signature_component_unsupported' };
  return { value: lines.map((line) => bytesText(Buffer.from(line, 'utf8'))).join(', ') };
}

/** RFC 9421 section 2.1.2. */
function ofDictionary(field: Lines, key: string): ComponentValue {
  field.dictionary ??= readDictionary(field.text);
  if (field.dictionary === 'unreadable') return { code: 'signature_component_invalid' };
  const member = field.dictionary.get(key);
  return member === undefined ? { code: 'signature_component_missing' } : checked(memberText(member));
}

function readDictionary(text: string) {
  const dictionary = parseFieldDictionary(text);
  return dictionary === null || hasRepeatedNames(text, dictionary) ? 'unreadable' : dictionary;
}

function checked(value: string | null): ComponentValue {
  return value !== null && VALUE.test(value) ? { value } : { code: 'signature_component_invalid' };
}

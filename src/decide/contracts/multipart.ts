import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { parseStrictJson } from '../../formats/strict-json.ts';

const BOUNDARY = /;\s*boundary=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i;
const NAME = /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i;
const PARTS_MAX = 256;

/** The boundary of a content type, or null. */
export function boundaryOf(contentType: string): string | null {
  const found = BOUNDARY.exec(contentType);
  return found === null ? null : unquoted(found) || null;
}

/**
 * The parts of `multipart/form-data` (RFC 7578) by their names: a text each, or a value where the part is JSON. Line ends may be bare. Null where the
 * body does not hold to its form, ends too early or has too many parts.
 */
export function parseMultipart(
  body: Uint8Array,
  boundary: string,
  limits: { readonly depthMax: number; readonly keysMax: number },
): JsonObject | null {
  // one character a byte, so that places in the text are places in the body
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
  const mark = `--${Buffer.from(boundary, 'utf8').toString('latin1')}`;
  const values = new Map<string, JsonValue[]>();
  let at = text.startsWith(mark) ? 0 : nextMark(text, mark, 0);
  for (let parts = 0; at >= 0 && parts <= PARTS_MAX; parts++) {
    const after = at + mark.length;
    if (text.startsWith('--', after)) return Object.fromEntries(values);
    const from = text.indexOf('\n', after) + 1;
    const next = from === 0 ? -1 : nextMark(text, mark, from - 1);
    if (next < 0) return null;
    const part = readPart(text.slice(from, next).replace(/\r?\n$/, ''), limits);
    if (part === null) return null;
    if (part.name !== '') values.set(part.name, [...(values.get(part.name) ?? []), part.value]);
    at = next;
  }
  return null;
}

/** Where the next line begins that is a delimiter, at or after the line end at `from`; -1 where there is none. */
function nextMark(text: string, mark: string, from: number): number {
  for (let at = text.indexOf(`\n${mark}`, from); at >= 0; at = text.indexOf(`\n${mark}`, at + 1)) {
    const rest = at + 1 + mark.length;
    if (text.startsWith('--', rest) || /^[ \t]*\r?\n/.test(text.slice(rest, rest + 80))) return at + 1;
  }
  return -1;
}

function readPart(
  text: string,
  limits: { readonly depthMax: number; readonly keysMax: number },
): { name: string; value: JsonValue } | null {
  const split = /^(?:\r?\n)|\r?\n\r?\n/.exec(text);
  if (split === null) return null;
  const headers = text.slice(0, split.index).split(/\r?\n/);
  const content = Buffer.from(text.slice(split.index + split[0].length), 'latin1');
  const disposition = headerOf(headers, 'content-disposition');
  const found = /^form-data\s*(?:;|$)/i.test(disposition) ? NAME.exec(disposition) : null;
  const name = found === null ? '' : Buffer.from(unquoted(found), 'latin1').toString('utf8');
  if (!headerOf(headers, 'content-type').toLowerCase().includes('application/json')) return { name, value: content.toString('utf8') };
  const parsed = parseStrictJson(content, limits);
  return parsed.ok ? { name, value: parsed.value } : null;
}

function headerOf(headers: readonly string[], name: string): string {
  const line = headers.find((one) => one.slice(0, one.indexOf(':')).trim().toLowerCase() === name);
  return line === undefined ? '' : line.slice(line.indexOf(':') + 1).trim();
}

function unquoted([, quoted, bare]: RegExpExecArray): string {
  return quoted === undefined ? (bare ?? '') : quoted.replace(/\\(.)/g, '$1');
}

import { isIPv6 } from 'node:net';
import type { Builtin, BuiltinTable } from './builtin.ts';
import { ofTexts } from './builtin.ts';
import { escapeText, unescapeText } from './url-escapes.ts';
import { objectOf, type RegoObject } from './value.ts';

/* URI references as Go's `url.Parse` takes them apart: what one parser takes for the host, another one must not take for the path. */

type Uri = {
  scheme: string;
  host: string;
  path: string;
  rawPath: string;
  rawQuery: string;
  fragment: string;
};

function cut(text: string, at: string): readonly [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + at.length)];
}

/** Undefined where the text is no reference. */
export function parseUri(text: string): Uri | undefined {
  const [head, fragmentText] = cut(text, '#');
  const fragment = unescapeText(fragmentText, 'fragment');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (fragment === undefined || /[\x00-\x1f\x7f]/.test(head)) return undefined;
  const uri: Uri = { scheme: '', host: '', path: '', rawPath: '', rawQuery: '', fragment };
  if (head === '*') return { ...uri, path: '*' };
  const scheme = schemeOf(head);
  if (scheme === undefined) return undefined;
  uri.scheme = scheme.toLowerCase();
  const afterScheme = scheme === '' ? head : head.slice(scheme.length + 1);
  let [rest, rawQuery] = cut(afterScheme, '?');
  uri.rawQuery = rawQuery;
  if (!rest.startsWith('/')) {
    if (scheme !== '') return uri;
    // `a:b` would be a scheme that is none
    if (cut(rest, '/')[0].includes(':')) return undefined;
  }
  if ((scheme !== '' || !rest.startsWith('///')) && rest.startsWith('//')) {
    const end = rest.indexOf('/', 2);
    const authority = rest.slice(2, end < 0 ? undefined : end);
    rest = end < 0 ? '' : rest.slice(end);
    const host = parseAuthority(authority, uri.scheme);
    if (host === undefined) return undefined;
    uri.host = host;
  }
  const path = unescapeText(rest, 'path');
  if (path === undefined) return undefined;
  return { ...uri, path, rawPath: escapeText(path, 'path') === rest ? '' : rest };
}

/** The empty text where there is none; undefined where a colon comes first. */
function schemeOf(text: string): string | undefined {
  if (text.startsWith(':')) return undefined;
  return /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1] ?? '';
}

function parseAuthority(text: string, scheme: string): string | undefined {
  const at = text.lastIndexOf('@');
  if (at < 0) return parseHost(text, scheme);
  const user = text.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) || unescapeText(user, 'user') === undefined) return undefined;
  return parseHost(text.slice(at + 1), scheme);
}

function parseHost(text: string, scheme: string): string | undefined {
  const bracket = text.lastIndexOf('[');
  if (bracket > 0) return undefined;
  if (bracket === 0) return parseLiteral(text);
  const first = text.indexOf(':');
  if (first >= 0) {
    const isStrict = scheme === 'http' || scheme === 'https';
    const port = text.slice(isStrict ? first : text.lastIndexOf(':'));
    if (!isOptionalPort(port)) return undefined;
  }
  return unescapeText(text, 'host');
}

/** `[::1]`, `[fe80::1%25en0]:80`. */
function parseLiteral(text: string): string | undefined {
  const end = text.lastIndexOf(']');
  if (end < 0 || !isOptionalPort(text.slice(end + 1))) return undefined;
  const name = text.slice(1, end);
  const zone = name.indexOf('%25');
  const host = unescapeText(zone < 0 ? name : name.slice(0, zone), 'host');
  const zoneText = zone < 0 ? '' : unescapeText(name.slice(zone), 'zone');
  if (host === undefined || zoneText === undefined || !isIPv6(host) || zoneText === '%') return undefined;
  return `[${host}${zoneText}]${text.slice(end + 1)}`;
}

function isOptionalPort(text: string): boolean {
  return /^(?::\d*)?$/.test(text);
}

function hostAndPort(host: string): readonly [string, string] {
  const found = /^(.*):(\d*)$/s.exec(host);
  const [name, port] = found === null ? [host, ''] : [found[1] ?? '', found[2] ?? ''];
  return [name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name, port];
}

function partsOf(uri: Uri): RegoObject {
  const [hostname, port] = hostAndPort(uri.host);
  const parts: Record<string, string> = {
    scheme: uri.scheme,
    hostname,
    port,
    path: uri.path,
    raw_query: uri.rawQuery,
    fragment: uri.fragment,
  };
  if (uri.path !== '') parts['raw_path'] = uri.rawPath || uri.path;
  return objectOf(Object.entries(parts).filter(([, value]) => value !== ''));
}

const isValid: Builtin = ([text]) => typeof text === 'string' && text !== '' && parseUri(text) !== undefined;

export const URI: BuiltinTable = {
  'uri.parse': ofTexts(1, (text) => {
    const uri = parseUri(text);
    return uri === undefined ? undefined : partsOf(uri);
  }),
  'uri.is_valid': isValid,
};

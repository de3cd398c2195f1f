import type { HttpFacts } from '../contract/request.ts';

/** An absolute http or https URI, normalised and without query and fragment: `origin` is `scheme://host[:port]`, `path` begins with `/`. */
export type TargetUri = { readonly origin: string; readonly path: string };

const LENGTH_MAX = 16_384;
/** RFC 3986 section 3: scheme, authority without userinfo, path; visible ASCII without `"`, `<`, `>` and `\`, of which some parsers make something else. */
const URI = /^(https?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::([0-9]{0,5}))?((?:\/[!#-;=?-[\]-~]*)?)$/i;
/** A path of which no part could mean something else: characters as in `URI` without `%`, `?` and `#`. */
const PLAIN_PATH = /^\/[!$&-;=@-[\]-~]*$/;
const NEEDS_NORMALISING = /%|\/\./;
const PERCENT = /%[0-9A-Fa-f]{2}/g;
const UNRESERVED = /[A-Za-z0-9._~-]/;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

/** Reads a URI that a client wrote; null where it is none, or one that could be read in two ways. */
export function parseTargetUri(text: string): TargetUri | null {
  if (text.length > LENGTH_MAX) return null;
  const match = URI.exec(withoutQuery(text));
  if (match === null) return null;
  const [, scheme = '', host = '', port = '', path = ''] = match;
  const origin = originOf(scheme.toLowerCase(), host, port);
  return origin === null ? null : { origin, path: normalPath(path) };
}

/**
 * Whether a text is this very URI, letter by letter, and nothing in it has to be read: then `parseTargetUri` would give the same origin and path, for
 * three times as much. False says nothing.
 */
export function isPlainUri(text: string, { origin, path }: TargetUri): boolean {
  if (text.length !== origin.length + path.length || !text.startsWith(origin)) return false;
  return text.slice(origin.length) === path && PLAIN_PATH.test(path) && !path.includes('/.');
}

/** Where the gateway says that the request went, or null where it does not say it whole. */
export function originOfRequest({ scheme, host, port }: HttpFacts): string | null {
  if ((scheme !== 'https' && scheme !== 'http') || host === '') return null;
  return port === null || String(port) === DEFAULT_PORTS[scheme] ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}

/**
 * RFC 3986 section 6.2.2: hex digits in upper case, unreserved characters unescaped, dot segments removed, an empty path is the root. A
 * path that is as it came is left alone: `//` and `%2F` mean what the upstream makes of them.
 */
export function normalPath(path: string): string {
  if (path === '') return '/';
  if (!NEEDS_NORMALISING.test(path)) return path;
  const unescaped = path.replace(PERCENT, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return UNRESERVED.test(character) ? character : encoded.toUpperCase();
  });
  return unescaped.includes('/.') ? withoutDots(unescaped) : unescaped;
}

function withoutQuery(text: string): string {
  const end = text.search(/[?#]/);
  return end === -1 ? text : text.slice(0, end);
}

function originOf(scheme: string, host: string, port: string): string | null {
  if (Number(port) > 65_535) return null;
  let name = host.toLowerCase();
  if (name.startsWith('[')) {
    const parsed = URL.parse(`http://${name}/`);
    if (parsed === null) return null;
    name = parsed.hostname;
  } else if (name.endsWith('.')) name = name.slice(0, -1);
  if (name === '') return null;
  const shown = port === '' ? '' : String(Number(port));
  return shown === '' || shown === DEFAULT_PORTS[scheme] ? `${scheme}://${name}` : `${scheme}://${name}:${shown}`;
}

/** RFC 3986 section 5.2.4 for a path that begins with a slash. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
    if (last && (segment === '.' || segment === '..')) kept.push('');
  }
  return `/${kept.join('/')}`;
}

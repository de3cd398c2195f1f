import { isIPv6 } from 'node:net';
import type { RequestFlag } from '../contract/request.ts';
import { cleanSegments, resolveSegments } from './canonical-path.ts';
import { parseQuery } from './query.ts';
import { type Noted, note } from './target-flags.ts';

/** Longer targets are cut here and count as ambiguous: what was cut was not read. */
export const TARGET_LENGTH_MAX = 8192;
/** DESIGN 4: no request makes a policy slow. */
export const SEGMENTS_MAX = 64;

/** A request target in its one canonical reading. */
export type CanonicalTarget = {
  /** Decoded once, empty and dot segments resolved, without a trailing slash: always `/` and the segments joined by `/`. */
  readonly path: string;
  /** As it came, without query and fragment. */
  readonly pathRaw: string;
  /** At most 64. */
  readonly segments: readonly string[];
  readonly query: ReadonlyMap<string, readonly string[]>;
  /** As it came, without `?`; null where there is none. */
  readonly queryRaw: string | null;
  /** True where another component could read this target differently. */
  readonly ambiguous: boolean;
  readonly flags: readonly RequestFlag[];
  /** The authority of an absolute-form target, which RFC 9112 3.2.2 puts above the Host header; else null. */
  readonly authority: string | null;
};

const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\//i;
const NO_QUERY: ReadonlyMap<string, readonly string[]> = new Map();

/**
 * Reads a raw request target (RFC 9112 section 3.2) once for everybody: route matching, policy input and log.
 * Never throws; what cannot be read one way only is flagged, and `ambiguous` where it matters.
 */
export function canonicalTarget(target: string): CanonicalTarget {
  const noted: Noted = { flags: [], ambiguous: false };
  let rest = target;
  if (!rest.isWellFormed()) {
    note(noted, 'path_invalid_utf8');
    rest = rest.toWellFormed();
  }
  if (rest.length > TARGET_LENGTH_MAX) {
    note(noted, 'path_too_long');
    // the cut may go through a character
    rest = rest.slice(0, TARGET_LENGTH_MAX).toWellFormed();
  }
  const fragmentAt = rest.indexOf('#');
  if (fragmentAt >= 0) {
    note(noted, 'path_fragment');
    rest = rest.slice(0, fragmentAt);
  }
  let authority: string | null = null;
  if (rest.charCodeAt(0) !== 47 && ABSOLUTE_FORM.test(rest)) {
    note(noted, 'path_absolute_form');
    const from = rest.indexOf('://') + 3;
    const to = firstOf(rest, from);
    authority = rest.slice(from, to);
    rest = rest.slice(to);
  }
  const queryAt = rest.indexOf('?');
  const pathRaw = queryAt < 0 ? rest : rest.slice(0, queryAt);
  const queryRaw = queryAt < 0 ? null : rest.slice(queryAt + 1);
  const query = queryRaw === null || queryRaw === '' ? NO_QUERY : parseQuery(queryRaw, noted);
  // an empty path is the root (RFC 9110 4.2.3); `*` is the target of OPTIONS; anything else has to begin with a slash
  if (pathRaw === '*')
    return { path: '*', pathRaw, segments: [], query, queryRaw, ambiguous: noted.ambiguous, flags: noted.flags, authority };
  if (pathRaw !== '' && pathRaw.charCodeAt(0) !== 47) note(noted, 'path_form_unknown');
  const all = cleanSegments(pathRaw) ?? resolveSegments(pathRaw, noted);
  let segments = all;
  if (all.length > SEGMENTS_MAX) {
    note(noted, 'segments_capped');
    segments = all.slice(0, SEGMENTS_MAX);
  }
  return { path: `/${all.join('/')}`, pathRaw, segments, query, queryRaw, ambiguous: noted.ambiguous, flags: noted.flags, authority };
}

/** End of an authority: the next `/`, `?` or the end. */
function firstOf(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 47 || code === 63) return at;
  }
  return text.length;
}

export type CanonicalHost = { readonly host: string; readonly port: number | null; readonly flags: readonly RequestFlag[] };

const HOST_NAME = /^[a-z0-9_~-]+(?:\.[a-z0-9_~-]+)*$/;
const PORT = /^[0-9]{1,5}$/;
const NO_FLAGS: readonly RequestFlag[] = [];
const INVALID: CanonicalHost = { host: '', port: null, flags: ['host_invalid'] };

/**
 * An authority (`Host`, `:authority`) as lower-case host without trailing dot, and port. Userinfo, percent-encoding,
 * non-ASCII, empty labels and bad ports make it `host_invalid` with an empty host. The empty authority is an empty host, unflagged.
 */
export function canonicalHost(authority: string): CanonicalHost {
  if (authority === '') return { host: '', port: null, flags: NO_FLAGS };
  if (authority.length > 262) return INVALID;
  const bracketed = authority.charCodeAt(0) === 91;
  const colon = bracketed ? authority.indexOf(']') + 1 : authority.indexOf(':');
  if (bracketed && colon === 0) return INVALID;
  const nameEnd = colon < 0 ? authority.length : colon;
  const portText = authority.slice(nameEnd);
  let port: number | null = null;
  if (portText !== '') {
    // an empty port (`host:`) is allowed by RFC 3986 3.2.3 and means the default one
    if (portText.charCodeAt(0) !== 58 || (portText.length > 1 && !PORT.test(portText.slice(1)))) return INVALID;
    port = portText.length > 1 ? Number(portText.slice(1)) : null;
    if (port !== null && port > 65535) return INVALID;
  }
  let name = authority.slice(0, nameEnd).toLowerCase();
  if (bracketed) {
    const literal = name.slice(1, -1);
    if (!isIPv6(literal) || literal.includes('%')) return INVALID;
    return { host: new URL(`http://${name}/`).hostname, port, flags: NO_FLAGS };
  }
  if (name.endsWith('.')) name = name.slice(0, -1);
  if (name.length > 253 || !HOST_NAME.test(name)) return INVALID;
  return { host: name, port, flags: NO_FLAGS };
}

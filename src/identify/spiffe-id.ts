/** A SPIFFE id taken apart (SPIFFE-ID section 2). */
export type SpiffeId = { readonly trustDomain: string /** Begins with `/`, or empty. */; readonly path: string };

const ID_LENGTH_MAX = 2048;
const TRUST_DOMAIN_LENGTH_MAX = 255;
const FORM = /^spiffe:\/\/([a-z0-9._-]+)((?:\/[A-Za-z0-9._-]+)*)$/;
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;

/**
 * Parses a SPIFFE id, or null. Upper case in scheme or trust domain is refused, not folded: two spellings must never be two identities.
 * No port, user, query, fragment, percent-encoding, empty or dot segment.
 */
export function parseSpiffeId(text: string): SpiffeId | null {
  if (text.length > ID_LENGTH_MAX) return null;
  const [, trustDomain, path] = FORM.exec(text) ?? [];
  if (trustDomain === undefined || path === undefined) return null;
  if (trustDomain.length > TRUST_DOMAIN_LENGTH_MAX || DOT_SEGMENT.test(path)) return null;
  return { trustDomain, path };
}

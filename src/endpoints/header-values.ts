/** RFC 9110 token, lower case; neither a pseudo-header nor a name that carries the message itself. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const UNSETTABLE: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade', 'te', 'trailer']);
/** Visible ASCII, inner spaces and tabs: what every hop passes on unchanged. */
const SAFE_VALUE = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
const UNSAFE_CHARACTER = /[^\t\x20-\x7e]/g;
const ENCODED_PREFIX = '=?base64?';

/** The same few names come with every answer; a bound, since a policy could make names up. */
const GOOD_NAMES_MAX = 1_000;
const goodNames = new Set<string>();

/** True for a header name that an answer may set or remove. */
export function isSettableName(name: string): boolean {
  if (goodNames.has(name)) return true;
  if (!NAME.test(name) || UNSETTABLE.has(name)) return false;
  if (goodNames.size < GOOD_NAMES_MAX) goodNames.add(name);
  return true;
}

/**
 * An identity header's value for the upstream. The decide stage has made values safe already; this is the last look before Envoy. One that is not plain ASCII becomes `=?base64?…?=` over its UTF-8: a control
 * character makes Envoy answer 500, and replacing characters would make two subjects one. No two values have the same form.
 */
export function upstreamValue(value: string): string {
  if (SAFE_VALUE.test(value) && !value.startsWith(ENCODED_PREFIX)) return value;
  return `${ENCODED_PREFIX}${Buffer.from(value, 'utf8').toString('base64')}?=`;
}

/** A header value for the client: it is read by people and by challenge parsers, so that a bad character is only replaced. */
export function clientValue(value: string): string {
  return SAFE_VALUE.test(value) ? value : value.replace(UNSAFE_CHARACTER, '?').trim();
}

/** RFC 9110 token, lower case; neither a pseudo-header nor a name that carries the message itself. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const UNSETTABLE: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade', 'te', 'trailer']);
/** Visible ASCII, inner spaces and tabs: what every hop passes on unchanged. */
const SAFE_VALUE = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
const UNSAFE_CHARACTER = /[^\t\x20-\x7e]/g;
const ENCODED_PREFIX = '=?base64?';

/** True for a header name that an answer may set or remove. */
export function isSettableName(name: string): boolean {
  return NAME.test(name) && !UNSETTABLE.has(name);
}

/**
 * An identity header's value for the upstream. One that is not plain ASCII becomes `=?base64?…?=` over its UTF-8: a control
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

import type { JsonObject, JsonValue } from '../contract/json.ts';

/** DESIGN 4: no request can make a policy slow. */
const SCOPES_MAX = 256;
export const LIST_MAX = 64;

/** The text, or null where it is something else. */
export function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** A claim that may be left out, and is a text where it is not. */
export function isTextOrMissing(value: JsonValue | undefined): boolean {
  return value === undefined || typeof value === 'string';
}

/** A string or a list of strings as a list; null where it is anything else or too long. */
export function listOf(value: JsonValue | undefined, itemsMax = LIST_MAX): readonly string[] | null {
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value) || value.length > itemsMax) return null;
  const items = value.filter((item) => typeof item === 'string');
  return items.length === value.length ? items : null;
}

/** `scope` is a string with single spaces (RFC 8693 section 4.2); `scp` is what some servers send instead, as a string or a list. */
export function scopesOf({ scope, scp }: JsonObject): readonly string[] | null {
  const others = typeof scp === 'string' ? scp.split(' ') : listOf(scp, SCOPES_MAX);
  if (others === null) return null;
  const scopes = [...new Set(typeof scope === 'string' ? scope.split(' ') : others)].filter((one) => one !== '');
  return scopes.length > SCOPES_MAX ? null : scopes;
}

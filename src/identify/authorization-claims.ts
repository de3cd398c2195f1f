import type { AuthorizationDetail } from '../contract/delegation.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { isTextOrMissing, LIST_MAX, text } from './claim-forms.ts';

/** Directories give hundreds of groups; above this servers send a reference instead. */
const NAMES_MAX = 256;
const DETAIL_LISTS = ['locations', 'actions', 'datatypes', 'privileges'] as const;

/**
 * `roles`, `groups` and `entitlements` (RFC 9068 section 2.2.3.1) as names: texts, or objects of SCIM (RFC 7643 section 2.4) with a `value`. A
 * single text is a list of one. Null where it is anything else or too long.
 */
export function namesOf(value: JsonValue | undefined): readonly string[] | null {
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value) || value.length > NAMES_MAX) return null;
  const names: string[] = [];
  for (const item of value) {
    const name: JsonValue | undefined = isJsonObject(item) ? item['value'] : item;
    if (typeof name !== 'string') return null;
    names.push(name);
  }
  return names;
}

/** RFC 9396 section 2: objects with a `type`, whose common members (section 2.2) have their types; null where that is not so, or where there are too many. */
export function detailsOf(value: JsonValue | undefined): readonly AuthorizationDetail[] | null {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > LIST_MAX) return null;
  const details: AuthorizationDetail[] = [];
  for (const item of value) {
    const detail = isJsonObject(item) ? detailOf(item) : null;
    if (detail === null) return null;
    details.push(detail);
  }
  return details;
}

function detailOf(detail: JsonObject): AuthorizationDetail | null {
  const { type, identifier } = detail;
  if (typeof type !== 'string' || !isTextOrMissing(identifier) || !DETAIL_LISTS.every((name) => isListOrMissing(detail[name]))) return null;
  return {
    ...detail,
    type,
    locations: listed(detail['locations']),
    actions: listed(detail['actions']),
    datatypes: listed(detail['datatypes']),
    privileges: listed(detail['privileges']),
    identifier: text(identifier),
  };
}

function isListOrMissing(value: JsonValue | undefined): boolean {
  return value === undefined || listed(value) !== null;
}

function listed(value: JsonValue | undefined): readonly string[] | null {
  if (!Array.isArray(value) || value.length > LIST_MAX) return null;
  const items = value.filter((item) => typeof item === 'string');
  return items.length === value.length ? items : null;
}

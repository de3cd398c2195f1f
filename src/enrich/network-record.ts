import { isJsonObject, type JsonObject } from '../contract/json.ts';

/** What one database record says, in the one shape; null or empty where it does not know. */
export type NetworkRecord = {
  readonly country: string | null;
  readonly continent: string | null;
  readonly city: string | null;
  readonly asn: number | null;
  readonly asOrg: string | null;
  readonly kinds: readonly string[];
};

const TEXT_MAX = 128;
const ASN_MAX = 4_294_967_295;
const TWO_LETTERS = /^[A-Z]{2}$/;
const AS_NUMBER = /^AS(\d{1,10})$/;

/**
 * Reads a record of any of the usual layouts; each field is checked for its type, since the reader hands on whatever a file holds.
 * - MaxMind and DB-IP, nested: `country.iso_code`, `continent.code`, `city.names.en`, `traits.autonomous_system_*` (Enterprise)
 * - MaxMind ASN and ISP, DB-IP and ip-location-db ASN: `autonomous_system_number`, `autonomous_system_organization`
 * - MaxMind Anonymous IP, Anonymous Plus: `is_anonymous_vpn`, `is_hosting_provider`, `is_public_proxy`, `is_residential_proxy`, `is_tor_exit_node`
 * - ip-location-db, flat: `country_code`, `city`
 * - IPinfo, flat: `country` or `country_code`, `continent` or `continent_code`, `asn` ("AS15169"), `as_name`; privacy: `hosting`, `proxy`, `tor`, `vpn`
 *
 * `registered_country` is left aside: it says where the block is registered, not where it is used.
 */
export function readNetworkRecord(record: unknown): NetworkRecord | null {
  if (!isJsonObject(record)) return null;
  const traits = child(record, 'traits') ?? record;
  return {
    country: code(own(child(record, 'country'), 'iso_code')) ?? code(own(record, 'country_code')) ?? code(own(record, 'country')),
    continent: code(own(child(record, 'continent'), 'code')) ?? code(own(record, 'continent_code')) ?? code(own(record, 'continent')),
    city: text(own(own(child(record, 'city'), 'names'), 'en')) ?? text(own(record, 'city')),
    asn:
      asNumber(own(record, 'autonomous_system_number')) ??
      asNumber(own(record, 'asn')) ??
      asNumber(own(traits, 'autonomous_system_number')),
    asOrg:
      text(own(record, 'autonomous_system_organization')) ??
      text(own(record, 'as_name')) ??
      text(own(traits, 'autonomous_system_organization')),
    kinds: readKinds(record, traits),
  };
}

/** Names of the flags by kind; MaxMind's are booleans, IPinfo's the texts `true` and "". */
const KINDS: readonly (readonly [string, readonly string[]])[] = [
  ['hosting', ['is_hosting_provider', 'hosting']],
  ['proxy', ['is_public_proxy', 'is_anonymous_proxy', 'proxy']],
  ['residential', ['is_residential_proxy']],
  ['tor', ['is_tor_exit_node', 'tor']],
  ['vpn', ['is_anonymous_vpn', 'vpn']],
];

const NO_KINDS: readonly string[] = [];

function readKinds(record: JsonObject, traits: JsonObject): readonly string[] {
  let kinds: string[] | null = null;
  for (const [kind, names] of KINDS) {
    if (names.some((name) => isSet(own(record, name)) || isSet(own(traits, name)))) {
      kinds ??= [];
      kinds.push(kind);
    }
  }
  return kinds ?? NO_KINDS;
}

function isSet(value: unknown): boolean {
  return value === true || value === 'true';
}

/** An own member: names in a file are foreign and may be those of `Object.prototype`. */
function own(value: unknown, name: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function child(value: JsonObject, name: string): JsonObject | null {
  const found = own(value, name);
  return isJsonObject(found) ? found : null;
}

function code(value: unknown): string | null {
  return typeof value === 'string' && TWO_LETTERS.test(value) ? value : null;
}

function text(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  // a lone surrogate would make the policy engine throw, and cutting can leave one
  return value.slice(0, TEXT_MAX).toWellFormed();
}

function asNumber(value: unknown): number | null {
  const number = typeof value === 'string' ? Number(AS_NUMBER.exec(value)?.[1]) : value;
  return typeof number === 'number' && Number.isInteger(number) && number > 0 && number <= ASN_MAX ? number : null;
}

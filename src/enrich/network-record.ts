import { isJsonObject, type JsonObject } from '../contract/json.ts';
import type { NetworkCoordinates } from '../contract/network.ts';
import { asNumber, child, code, degrees, own, radiusKm, text } from './network-fields.ts';
import { readKinds } from './network-kinds.ts';
import { isInUnion } from './network-union.ts';

/** What one database record says, in the one shape; null or empty where it does not know. */
export type NetworkRecord = {
  readonly country: string | null;
  readonly continent: string | null;
  readonly city: string | null;
  readonly coordinates: NetworkCoordinates | null;
  /** True where there was something in the place of coordinates that is none. */
  readonly coordinatesInvalid: boolean;
  /** Of the country; null without one. */
  readonly inEu: boolean | null;
  readonly asn: number | null;
  readonly asOrg: string | null;
  readonly kinds: readonly string[];
};

/** Records are read once each: the reader hands out the same object for the same data as long as it keeps it. */
const read = new WeakMap<object, NetworkRecord>();

/**
 * Reads a record of any of the usual layouts; each field is checked for its type, since the reader hands on whatever a file holds.
 * - MaxMind and DB-IP, nested: `country.iso_code`, `country.is_in_european_union`, `continent.code`, `city.names.en`, `location.latitude`,
 *   `location.longitude`, `location.accuracy_radius`, `traits.autonomous_system_*` (Enterprise)
 * - MaxMind ASN and ISP, DB-IP and ip-location-db ASN: `autonomous_system_number`, `autonomous_system_organization`
 * - ip-location-db, flat: `country_code`, `city`, `latitude`, `longitude`
 * - IPinfo, flat: `country` or `country_code`, `continent` or `continent_code`, `city`, `latitude` or `lat`, `longitude` or `lng`, `radius`,
 *   `asn` ("AS15169"), `as_name`
 * - kinds of all of them: `network-kinds.ts`
 *
 * `registered_country` is left aside: it says where the block is registered, not where it is used.
 * @param type `database_type` of the file that holds it.
 */
export function readNetworkRecord(record: unknown, type: string | null): NetworkRecord | null {
  if (!isJsonObject(record)) return null;
  const known = read.get(record);
  if (known !== undefined) return known;
  const made = makeNetworkRecord(record, type);
  read.set(record, made);
  return made;
}

function makeNetworkRecord(record: JsonObject, type: string | null): NetworkRecord {
  const traits = child(record, 'traits') ?? record;
  const nested = child(record, 'country');
  const country = code(own(nested, 'iso_code')) ?? code(own(record, 'country_code')) ?? code(own(record, 'country'));
  return {
    country,
    continent: code(own(child(record, 'continent'), 'code')) ?? code(own(record, 'continent_code')) ?? code(own(record, 'continent')),
    city: text(own(own(child(record, 'city'), 'names'), 'en')) ?? text(own(record, 'city')),
    ...readCoordinates(record),
    inEu: country === null ? null : inUnion(own(nested, 'is_in_european_union'), country),
    asn:
      asNumber(own(record, 'autonomous_system_number')) ??
      asNumber(own(record, 'asn')) ??
      asNumber(own(traits, 'autonomous_system_number')),
    asOrg:
      text(own(record, 'autonomous_system_organization')) ??
      text(own(record, 'as_name')) ??
      text(own(traits, 'autonomous_system_organization')),
    kinds: readKinds(record, traits, type),
  };
}

/** MaxMind leaves the member out where it is false; a record that says false itself is believed. */
function inUnion(said: unknown, country: string): boolean {
  return typeof said === 'boolean' ? said : isInUnion(country);
}

/** What a record knows, by the names that `input.signals.network.value` has for it, sorted. */
export function knownFields(record: unknown, type: string | null): readonly string[] {
  const known = readNetworkRecord(record, type);
  if (known === null) return [];
  const { asn, asOrg, city, continent, coordinates, country, kinds } = known;
  const fields = { as_org: asOrg, asn, city, continent, coordinates, country, kinds: kinds[0] ?? null };
  return Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [name]));
}

/** Nothing in their place, or empty texts, are no coordinates and no error. */
function readCoordinates(record: JsonObject): Pick<NetworkRecord, 'coordinates' | 'coordinatesInvalid'> {
  const place = child(record, 'location') ?? record;
  const offered = [own(place, 'latitude') ?? own(place, 'lat'), own(place, 'longitude') ?? own(place, 'lng')];
  if (offered.every((value) => value === undefined || value === '')) return { coordinates: null, coordinatesInvalid: false };
  const latitude = degrees(offered[0], 90);
  const longitude = degrees(offered[1], 180);
  if (latitude === null || longitude === null) return { coordinates: null, coordinatesInvalid: true };
  const accuracyKm = radiusKm(own(place, 'accuracy_radius') ?? own(place, 'radius'));
  return { coordinates: { latitude, longitude, accuracyKm }, coordinatesInvalid: false };
}

import type { NetworkCode, NetworkCoordinates, NetworkSignal, NetworkValue } from '../contract/network.ts';
import type { MmdbDatabase } from '../stores/mmdb.ts';
import type { CountryLookup } from '../stores/registry-country.ts';
import type { ClientAddress } from './client-address.ts';
import { countedPrefix, isPrivateRange, rangeOf } from './ip-address.ts';
import { ageSeconds, type BuiltAt, dataFlagsOf, isFromFuture, older } from './network-age.ts';
import { readNetworkRecord } from './network-record.ts';
import { isInUnion } from './network-union.ts';

export type NetworkSources = {
  /** In the order of the configuration: the first that knows a field wins; kinds are united. */
  readonly databases: readonly MmdbDatabase[];
  /** Asked where no database gave a country; null where the configuration switches it off. */
  readonly registryCountry: CountryLookup | null;
};

const MISSING: NetworkSignal = { status: 'absent', code: 'address_missing' };
const NO_KINDS: readonly string[] = [];

/**
 * What is known about the client's network. The signal is
 * - `absent: address_missing`, `invalid: address_invalid | address_chain_broken` where there is no address;
 * - `unavailable: database_missing | database_broken` where a configured database cannot be used and nobody else knew the country
 *   of an address that may have one: a rule that blocks by country must not take a broken file for a harmless address. The address
 *   stays with it, since lists of addresses need no database;
 * - else `present`; its `code` tells why the value is poorer than it could be: a database that cannot be used (also where the
 *   registry or another database stood in), else, without a country, `address_private` or `address_unknown`.
 * @param receivedAtMs when the request came, unix milliseconds: what the age of the data is told from.
 */
export function describeNetwork(
  client: ClientAddress,
  { databases, registryCountry }: NetworkSources,
  receivedAtMs: number,
): NetworkSignal {
  if (client.address === null) return client.code === 'address_missing' ? MISSING : { status: 'invalid', code: client.code };
  const { address, flags } = client;
  const { text, family } = address;
  const range = rangeOf(address);

  let failure: 'database_missing' | 'database_broken' | null = null;
  let country: string | null = null;
  let continent: string | null = null;
  let city: string | null = null;
  let coordinates: NetworkCoordinates | null = null;
  let coordinatesInvalid = false;
  let fromFuture = false;
  let inEu: boolean | null = null;
  let asn: number | null = null;
  let asOrg: string | null = null;
  let kinds = NO_KINDS;
  let oldest: BuiltAt;
  const nowSeconds = Math.floor(receivedAtMs / 1000);
  for (const database of databases) {
    const found = database.lookup(text, family);
    if (typeof found === 'string') {
      if (failure !== 'database_broken') failure = found;
      continue;
    }
    const record = readNetworkRecord(found.record, found.source.type);
    if (record === null) continue;
    oldest = older(oldest, found.source.builtAt);
    if (isFromFuture(found.source.builtAt, nowSeconds)) fromFuture = true;
    if (country === null) {
      country = record.country;
      inEu = record.inEu;
    }
    continent ??= record.continent;
    city ??= record.city;
    coordinates ??= record.coordinates;
    if (record.coordinatesInvalid) coordinatesInvalid = true;
    asn ??= record.asn;
    asOrg ??= record.asOrg;
    kinds = unite(kinds, record.kinds);
  }

  let countrySource: NetworkValue['countrySource'] = country === null ? null : 'database';
  if (country === null && registryCountry !== null && range === 'unicast') {
    country = registryCountry(text);
    if (country !== null) {
      countrySource = 'registry';
      inEu = isInUnion(country);
    }
  }
  const isPrivate = isPrivateRange(range);
  if (country === null && failure !== null && !isPrivate) return { status: 'unavailable', code: failure, address: text };

  const unknown = isPrivate ? 'address_private' : 'address_unknown';
  const code: NetworkCode | null = failure ?? (country === null ? unknown : null);
  const dataBuiltAt = oldest ?? null;
  const value: NetworkValue = {
    address: text,
    family,
    prefix: countedPrefix(address),
    country,
    countrySource,
    continent,
    city,
    coordinates,
    inEu,
    asn,
    asOrg,
    kinds,
    dataBuiltAt,
    dataAgeSeconds: ageSeconds(dataBuiltAt, nowSeconds),
    dataFlags: dataFlagsOf(coordinatesInvalid, fromFuture),
    code,
    addressFlags: flags,
  };
  return { status: 'present', value };
}

function unite(kinds: readonly string[], more: readonly string[]): readonly string[] {
  if (more.length === 0) return kinds;
  if (kinds.length === 0) return more;
  return [...new Set([...kinds, ...more])].sort();
}

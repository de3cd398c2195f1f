import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MmdbValue, writeMmdb } from './mmdb-writer.ts';

/** 2026-01-01T00:00:00Z: the same bytes at every run. */
const BUILD_EPOCH = 1_767_225_600;

const place = (iso: string, continent: string, city: string | null): MmdbValue => ({
  continent: { code: continent },
  country: { iso_code: iso },
  registered_country: { iso_code: 'US' },
  ...(city === null ? {} : { city: { names: { en: city } } }),
});

/**
 * Our own small databases over the documentation ranges (RFC 5737, RFC 3849) in every layout that is read. Germany and the
 * Netherlands stand for allowed countries, North Korea for a blocked one.
 */
export const MMDB_FIXTURES: Readonly<Record<string, Buffer>> = {
  'geo-city.mmdb': writeMmdb(
    {
      '203.0.113.0/24': place('DE', 'EU', 'Berlin'),
      '198.51.100.0/24': place('KP', 'AS', 'Pyongyang'),
      '192.0.2.0/24': place('FR', 'EU', null),
      '2001:db8:1::/48': place('NL', 'EU', 'Utrecht'),
      '2001:db8:2::/48': place('KP', 'AS', null),
    },
    { type: 'GeoIP2-City', ipVersion: 6, buildEpoch: BUILD_EPOCH },
  ),
  'geo-country.mmdb': writeMmdb(
    { '203.0.113.0/24': place('AT', 'EU', null), '198.51.100.0/25': place('KP', 'AS', null), '2001:db8:3::/48': place('SE', 'EU', null) },
    { type: 'GeoIP2-Country', ipVersion: 6, buildEpoch: BUILD_EPOCH },
  ),
  'geo-asn.mmdb': writeMmdb(
    {
      '203.0.113.0/24': { autonomous_system_number: 64500, autonomous_system_organization: 'Example Hosting' },
      '2001:db8:1::/48': { autonomous_system_number: 4_200_000_001, autonomous_system_organization: 'Example Six' },
    },
    { type: 'GeoLite2-ASN', ipVersion: 6, buildEpoch: BUILD_EPOCH },
  ),
  'geo-isp.mmdb': writeMmdb(
    {
      '203.0.113.0/24': {
        autonomous_system_number: 64511,
        autonomous_system_organization: 'Example ISP',
        isp: 'Example',
        organization: 'Example',
      },
      '198.51.100.0/24': { isp: 'No Number', organization: 'No Number' },
    },
    { type: 'GeoIP2-ISP', ipVersion: 6, buildEpoch: BUILD_EPOCH },
  ),
  'geo-anonymous.mmdb': writeMmdb(
    {
      '203.0.113.64/26': { is_anonymous: true, is_anonymous_vpn: true, is_hosting_provider: true },
      '203.0.113.200/32': { is_anonymous: true, is_tor_exit_node: true },
      '2001:db8:1:bad::/64': { is_anonymous: true, is_public_proxy: true, is_residential_proxy: true },
    },
    { type: 'GeoIP2-Anonymous-IP', ipVersion: 6, buildEpoch: BUILD_EPOCH },
  ),
  // ip-location-db: flat, one tree for IPv4
  'geo-flat-ipv4.mmdb': writeMmdb(
    {
      '203.0.113.0/24': { country_code: 'DE', city: 'Berlin', latitude: 52.5, longitude: 13.4 },
      '198.51.100.0/24': { country_code: 'KP' },
    },
    { type: 'ip-location-db', ipVersion: 4, buildEpoch: BUILD_EPOCH },
  ),
  // IPinfo: flat, numbers and flags as text
  'geo-flat-ipinfo.mmdb': writeMmdb(
    {
      '203.0.113.0/24': {
        country: 'DE',
        country_name: 'Germany',
        continent: 'EU',
        asn: 'AS64500',
        as_name: 'Example Hosting',
        hosting: 'true',
        vpn: '',
      },
      '198.51.100.0/24': {
        country: 'North Korea',
        country_code: 'KP',
        continent: 'Asia',
        continent_code: 'AS',
        asn: 'AS64501',
        as_name: 'Example Far',
      },
    },
    { type: 'ipinfo standard.mmdb', ipVersion: 6, buildEpoch: BUILD_EPOCH },
  ),
};

if (import.meta.main) {
  const folder = join(import.meta.dirname, '../test/fixtures');
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(MMDB_FIXTURES)) writeFileSync(join(folder, name), bytes);
}

import { describe, expect, test } from 'vitest';
import type { ClientAddress } from '../../src/enrich/client-address.ts';
import { findClientAddress } from '../../src/enrich/client-address.ts';
import { describeNetwork, type NetworkSources } from '../../src/enrich/network.ts';
import type { MmdbDatabase, MmdbLookup } from '../../src/stores/mmdb.ts';
import type { MmdbSource } from '../../src/stores/mmdb-reader.ts';
import { openFixtures } from '../stores/databases.ts';
import { sourceOf, TRUSTED_WALK } from './requests.ts';

const [city, country, asn, isp, anonymous, flatIpv4, flatIpinfo] = await openFixtures(
  ...[
    'geo-city.mmdb',
    'geo-country.mmdb',
    'geo-asn.mmdb',
    'geo-isp.mmdb',
    'geo-anonymous.mmdb',
    'geo-flat-ipv4.mmdb',
    'geo-flat-ipinfo.mmdb',
  ],
);
const BUILT_AT = 1_767_225_600;
/** A day after the fixtures were built. */
const NOW_MS = (BUILT_AT + 86_400) * 1000;

const [missing, broken] = await openFixtures('no-such-file.mmdb', '../enrich/network.test.ts');

function client(ip: string): ClientAddress {
  return findClientAddress(sourceOf(ip), TRUSTED_WALK, []);
}

function look(ip: string, databases: readonly (MmdbDatabase | undefined)[], registry: NetworkSources['registryCountry'] = null) {
  const given = databases.map((database) => database ?? expect.fail('a fixture is missing'));
  return describeNetwork(client(ip), { databases: given, registryCountry: registry }, NOW_MS);
}

const registry = (): string => 'US';

/** What a database of 2026-01-01 says. */
function found(record: unknown, source: Partial<MmdbSource> = {}): MmdbLookup {
  return { record, source: { type: null, builtAt: BUILT_AT, ...source } };
}

function answering(found: MmdbLookup): MmdbDatabase {
  const status = () => ({ name: 'x', state: 'ready', type: null, builtAt: null, sizeBytes: 1, lastError: null }) as const;
  return { lookup: () => found, status };
}

describe('layouts', () => {
  test('City: country, continent and city', () => {
    expect(look('203.0.113.7', [city])).toEqual({
      status: 'present',
      value: {
        address: '203.0.113.7',
        family: 4,
        prefix: '203.0.113.7/32',
        country: 'DE',
        countrySource: 'database',
        continent: 'EU',
        city: 'Berlin',
        coordinates: null,
        inEu: true,
        asn: null,
        asOrg: null,
        kinds: [],
        dataBuiltAt: 1_767_225_600,
        dataAgeSeconds: 86_400,
        dataFlags: [],
        code: null,
        addressFlags: [],
      },
    });
  });

  test('Country has no city, an IPv6 address is found too', () => {
    expect(look('2001:db8:3::9', [country])).toMatchObject({ value: { country: 'SE', city: null, family: 6, prefix: '2001:db8:3::/64' } });
  });

  test('ASN and ISP: number and organisation, no country', () => {
    expect(look('2001:db8:1::9', [asn])).toMatchObject({ value: { asn: 4_200_000_001, asOrg: 'Example Six', country: null } });
    expect(look('203.0.113.7', [isp])).toMatchObject({ value: { asn: 64511, asOrg: 'Example ISP' } });
  });

  test('Anonymous IP: kinds', () => {
    expect(look('203.0.113.65', [anonymous])).toMatchObject({ value: { kinds: ['hosting', 'vpn'] } });
    expect(look('203.0.113.200', [anonymous])).toMatchObject({ value: { kinds: ['tor'] } });
    expect(look('2001:db8:1:bad::1', [anonymous])).toMatchObject({ value: { kinds: ['proxy', 'residential'] } });
  });

  test('flat layouts: ip-location-db and IPinfo', () => {
    expect(look('203.0.113.7', [flatIpv4])).toMatchObject({ value: { country: 'DE', city: 'Berlin' } });
    expect(look('203.0.113.7', [flatIpinfo])).toMatchObject({
      value: { country: 'DE', continent: 'EU', asn: 64500, asOrg: 'Example Hosting', kinds: ['hosting'] },
    });
    expect(look('198.51.100.1', [flatIpinfo])).toMatchObject({ value: { country: 'KP', continent: 'AS', asn: 64501, kinds: [] } });
  });

  test('DB-IP: nested as MaxMind, and ZZ where it does not know', () => {
    const place = { names: { en: 'Frankfurt am Main' } };
    const lite = {
      city: place,
      continent: { code: 'EU', geoname_id: 6_255_148, names: { en: 'Europe' } },
      country: { geoname_id: 2_921_044, is_in_european_union: true, iso_code: 'DE', names: { en: 'Germany' } },
      location: { latitude: 50.1109, longitude: 8.68213 },
      subdivisions: [{ names: { en: 'Hesse' } }],
    };
    const type = 'DBIP-City-Lite (compat=City)';
    expect(look('8.8.8.8', [answering(found(lite, { type }))])).toMatchObject({
      value: {
        country: 'DE',
        continent: 'EU',
        city: 'Frankfurt am Main',
        inEu: true,
        coordinates: { latitude: 50.1109, longitude: 8.68213 },
      },
    });
    const asnLite = { autonomous_system_number: 64_500, autonomous_system_organization: 'Example' };
    expect(look('8.8.8.8', [answering(found(asnLite)), answering(found(lite))])).toMatchObject({ value: { asn: 64_500, country: 'DE' } });
    const unknown = { continent: { code: 'ZZ' }, country: { iso_code: 'ZZ', names: { en: 'Unknown' } } };
    expect(look('8.8.8.8', [answering(found(unknown))])).toMatchObject({
      value: { country: null, continent: null, code: 'address_unknown' },
    });
    // what one does not know is left to the next, and to the registry
    expect(look('8.8.8.8', [answering(found(unknown)), answering(found(lite))])).toMatchObject({
      value: { country: 'DE', continent: 'EU' },
    });
    expect(look('8.8.8.8', [answering(found(unknown))], registry)).toMatchObject({ value: { country: 'US', countrySource: 'registry' } });
  });

  test('[asks 78] an IPv6 address in an IPv4-only database is unknown, not an error and not a stranger', () => {
    // cb00:7100:: begins with the 32 bits of 203.0.113.0
    expect(look('cb00:7100::1', [flatIpv4])).toMatchObject({ status: 'present', value: { country: null, code: 'address_unknown' } });
    expect(look('2001:db8::1', [flatIpv4])).toMatchObject({ status: 'present', value: { country: null, code: 'address_unknown' } });
  });

  test.each([
    ['a number', 7],
    ['a list', [{ country: { iso_code: 'DE' } }]],
    ['a country of another type', { country: { iso_code: 49 }, city: { names: { en: 5 } }, autonomous_system_number: '64500' }],
    ['a country that is no code', { country: { iso_code: 'Germany' }, asn: 'AS', autonomous_system_number: 1.5 }],
    ['inherited members', Object.create({ country_code: 'DE', asn: 'AS1', hosting: true })],
    ['numbers out of range', { autonomous_system_number: 4_294_967_296, asn: -1 }],
  ])('%s gives nothing', (_name, record) => {
    expect(look('203.0.113.7', [answering(found(record))])).toMatchObject({
      status: 'present',
      value: {
        country: null,
        continent: null,
        city: null,
        coordinates: null,
        inEu: null,
        asn: null,
        asOrg: null,
        kinds: [],
        code: 'address_unknown',
      },
    });
  });

  test('texts are cut and well formed', () => {
    const long = { as_name: `${'x'.repeat(127)}\u{1f600}` };
    const signal = look('203.0.113.7', [answering(found(long))]);
    const org = signal.status === 'present' ? (signal.value.asOrg ?? '') : '';
    expect(org).toHaveLength(128);
    expect(org.isWellFormed()).toBe(true);
  });
});

describe('several databases', () => {
  test('the first that knows a field wins, kinds are united', () => {
    expect(look('203.0.113.70', [country, city, isp, asn, anonymous, flatIpinfo])).toMatchObject({
      value: { country: 'AT', city: 'Berlin', asn: 64511, asOrg: 'Example ISP', kinds: ['hosting', 'vpn'] },
    });
    expect(look('203.0.113.70', [city, country])).toMatchObject({ value: { country: 'DE' } });
  });

  test('a later one fills what an earlier one leaves open', () => {
    expect(look('198.51.100.200', [country, city])).toMatchObject({ value: { country: 'KP', city: 'Pyongyang' } });
  });
});

describe('who speaks for the country', () => {
  test('the registry only where no database knew it, and it says so', () => {
    expect(look('8.8.8.8', [], registry)).toMatchObject({ value: { country: 'US', countrySource: 'registry', code: null } });
    expect(look('8.8.8.8', [city], registry)).toMatchObject({ value: { country: 'US', countrySource: 'registry', code: null } });
    expect(look('203.0.113.7', [city], registry)).toMatchObject({ value: { country: 'DE', countrySource: 'database' } });
  });

  test('it is not asked for addresses that no registry assigns', () => {
    expect(look('10.1.2.3', [], registry)).toMatchObject({ value: { country: null, countrySource: null, code: 'address_private' } });
  });

  test.each(['10.0.0.1', '127.0.0.1', '169.254.1.1', '100.64.0.1', '192.168.0.1', '::1', 'fe80::1', 'fd00::1', '::ffff:10.0.0.1'])(
    '%s is private',
    (ip) => {
      expect(look(ip, [city])).toMatchObject({ status: 'present', value: { code: 'address_private' } });
    },
  );

  test.each(['198.18.0.1', '240.0.0.1', '224.0.0.1', '2001:db8:9::1', '2002:a00:1::1'])('%s is unknown, not private', (ip) => {
    expect(look(ip, [city], registry)).toMatchObject({ status: 'present', value: { country: null, code: 'address_unknown' } });
  });
});

describe('a database that cannot be used', () => {
  test('without another source for the country the signal is unavailable, each failure by its own code', () => {
    expect(look('203.0.113.7', [missing])).toEqual({ status: 'unavailable', code: 'database_missing', address: '203.0.113.7' });
    expect(look('203.0.113.7', [broken])).toEqual({ status: 'unavailable', code: 'database_broken', address: '203.0.113.7' });
    expect(look('203.0.113.7', [broken, missing])).toEqual({ status: 'unavailable', code: 'database_broken', address: '203.0.113.7' });
  });

  test('a private address has no country in a good database either: it stays known', () => {
    expect(look('10.1.2.3', [missing])).toMatchObject({ status: 'present', value: { country: null, code: 'database_missing' } });
  });

  test('where another one or the registry stands in, the value says what is missing', () => {
    expect(look('203.0.113.7', [missing, city])).toMatchObject({ value: { country: 'DE', code: 'database_missing' } });
    expect(look('8.8.8.8', [missing], registry)).toMatchObject({
      value: { country: 'US', countrySource: 'registry', code: 'database_missing' },
    });
  });
});

describe('no address', () => {
  test.each([
    ['address_missing', 'absent'],
    ['address_invalid', 'invalid'],
    ['address_chain_broken', 'invalid'],
  ] as const)('%s is %s', (code, status) => {
    expect(describeNetwork({ address: null, code, nearest: null }, { databases: [], registryCountry: null }, NOW_MS)).toEqual({
      status,
      code,
    });
  });
});

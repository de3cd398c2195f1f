import { describe, expect, test } from 'vitest';
import type { NetworkValue } from '../../src/contract/network.ts';
import { findClientAddress } from '../../src/enrich/client-address.ts';
import { describeNetwork } from '../../src/enrich/network.ts';
import { knownFields } from '../../src/enrich/network-record.ts';
import type { MmdbDatabase } from '../../src/stores/mmdb.ts';
import { sourceOf, TRUSTED_WALK } from './requests.ts';

/* Places, kinds and age of the data, over records of every layout; the layouts' other fields are in network.test.ts. */

const BUILT_AT = 1_767_225_600;
const DAY = 86_400;

type Source = { readonly type?: string | null; readonly builtAt?: number | null };

function saying(record: unknown, { type = null, builtAt = BUILT_AT }: Source = {}): MmdbDatabase {
  const status = () => ({ name: 'x', state: 'ready', type, builtAt, sizeBytes: 1, lastError: null }) as const;
  return { lookup: () => ({ record, source: { type, builtAt } }), status };
}

function value(databases: readonly MmdbDatabase[], nowSeconds = BUILT_AT + DAY, registry: (() => string) | null = null): NetworkValue {
  const client = findClientAddress(sourceOf('8.8.8.8'), TRUSTED_WALK, []);
  const found = describeNetwork(client, { databases, registryCountry: registry }, nowSeconds * 1000);
  return found.status === 'present' ? found.value : expect.fail(found.code);
}

describe('coordinates', () => {
  test.each([
    ['MaxMind City', { location: { latitude: 52.52, longitude: 13.41, accuracy_radius: 20, time_zone: 'Europe/Berlin' } }, 20],
    ['ip-location-db', { latitude: 52.52, longitude: 13.41, postcode: '', timezone: '' }, null],
    ['IPinfo, numbers as text', { lat: '52.52', lng: '13.41' }, null],
    ['IPinfo with a radius', { latitude: '52.52', longitude: '13.41', radius: 50 }, 50],
    ['a radius that is none', { latitude: 52.52, longitude: 13.41, radius: -1 }, null],
  ])('%s', (_layout, record, accuracyKm) => {
    expect(value([saying(record)])).toMatchObject({ coordinates: { latitude: 52.52, longitude: 13.41, accuracyKm }, dataFlags: [] });
  });

  test.each([
    ['at the poles and the date line', { latitude: -90, longitude: 180 }],
    ['at zero', { latitude: 0, longitude: 0 }],
  ])('%s they are coordinates', (_where, place) => {
    expect(value([saying(place)]).coordinates).toEqual({ ...place, accuracyKm: null });
  });

  test.each([
    ['a latitude out of range', { latitude: 90.001, longitude: 0 }],
    ['a longitude out of range', { location: { latitude: 0, longitude: -180.5 } }],
    ['huge', { latitude: 1e308, longitude: 1e308 }],
    ['infinite', { latitude: Number.POSITIVE_INFINITY, longitude: 0 }],
    ['no number', { latitude: Number.NaN, longitude: 0 }],
    ['text', { latitude: 'north', longitude: 'east' }],
    ['text that JavaScript would take for a number', { latitude: ' 1 ', longitude: '0x10' }],
    ['one without the other', { latitude: 52.5 }],
    ['lists', { latitude: [1], longitude: [1] }],
    ['big integers', { latitude: 1n, longitude: 1n }],
  ])('%s: dropped, and told by a flag', (_what, record) => {
    expect(value([saying({ country_code: 'DE', ...record })])).toMatchObject({
      country: 'DE',
      coordinates: null,
      dataFlags: ['coordinates_invalid'],
    });
  });

  test('none is no error, nor are empty texts', () => {
    for (const record of [{ country_code: 'DE' }, { location: { time_zone: 'x' } }, { latitude: '', longitude: '' }]) {
      expect(value([saying(record)])).toMatchObject({ coordinates: null, dataFlags: [] });
    }
  });

  test('a later database gives good ones where an earlier one has bad ones, and the flag stays', () => {
    const [bad, good] = [saying({ latitude: 200, longitude: 0 }), saying({ latitude: 1, longitude: 2 })];
    expect(value([bad, good])).toMatchObject({ coordinates: { latitude: 1, longitude: 2 }, dataFlags: ['coordinates_invalid'] });
  });
});

describe('the European Union', () => {
  test.each([
    ['by the record', { country: { iso_code: 'XK', is_in_european_union: true } }, true],
    ['by its code, where the record says nothing', { country_code: 'FR' }, true],
    ['a member of whose record the flag is missing', { country: { iso_code: 'IE' } }, true],
    ['a territory of its own code', { country_code: 'RE' }, true],
    ['a record that says no', { country: { iso_code: 'FR', is_in_european_union: false } }, false],
    ['who left', { country_code: 'GB' }, false],
    ['who is only near', { country_code: 'CH' }, false],
    ['no country', { city: 'Berlin' }, null],
  ])('%s', (_what, record, inEu) => {
    expect(value([saying(record)]).inEu).toBe(inEu);
  });

  test('is that of the country that was taken, also from the registry', () => {
    expect(value([saying({ country_code: 'CH' }), saying({ country: { iso_code: 'DE', is_in_european_union: true } })])).toMatchObject({
      country: 'CH',
      inEu: false,
    });
    expect(value([], BUILT_AT, () => 'AT')).toMatchObject({ country: 'AT', countrySource: 'registry', inEu: true });
    expect(value([], BUILT_AT, () => 'US')).toMatchObject({ inEu: false });
  });
});

describe('kinds', () => {
  test.each([
    ['MaxMind Connection-Type', { connection_type: 'Cellular' }, ['mobile']],
    ['the same of companies', { connection_type: 'Corporate' }, ['business']],
    ['of neither', { connection_type: 'Cable/DSL' }, []],
    ['MaxMind Enterprise', { traits: { user_type: 'cellular', connection_type: 'Cellular' } }, ['mobile']],
    ['hosting by its user type', { traits: { user_type: 'hosting' } }, ['hosting']],
    ['a CDN', { traits: { user_type: 'content_delivery_network' } }, ['hosting']],
    ['people at home, who are no proxy', { traits: { user_type: 'residential' } }, []],
    ['IPinfo company', { type: 'business', as_type: 'isp' }, ['business']],
    ['IPinfo ASN', { as_type: 'hosting' }, ['hosting']],
    ['IPinfo privacy as text', { hosting: 'true', proxy: '', relay: 'true', tor: '', vpn: 'true' }, ['hosting', 'vpn']],
    [
      'IPinfo flags',
      { is_hosting: true, is_mobile: false, is_proxy: true, is_res_proxy: true, is_tor: true, is_vpn: true },
      ['hosting', 'proxy', 'residential', 'tor', 'vpn'],
    ],
    ['IPinfo mobile', { is_mobile: true }, ['mobile']],
    ['IPinfo carrier', { carrier: 'Example', mcc: '262', mnc: '01' }, ['mobile']],
    ['IPinfo carrier where there is none', { carrier: '', mcc: '', mnc: '' }, []],
    ['words of other types', { type: 7, user_type: ['hosting'], is_mobile: 1 }, []],
  ])('%s', (_what, record, kinds) => {
    expect(value([saying(record)]).kinds).toEqual(kinds);
  });

  test('each record of a Residential Proxy database is one', () => {
    const proxy = saying({ provider_name: 'x', anonymizer_confidence: 85 }, { type: 'GeoIP-Residential-Proxy' });
    expect(value([proxy, saying({ is_mobile: true })]).kinds).toEqual(['mobile', 'residential']);
  });
});

describe('the age of the data', () => {
  test('is that of the oldest database that knew the address', () => {
    const fresh = saying({ country_code: 'DE' }, { builtAt: BUILT_AT });
    const old = saying({ asn: 'AS1' }, { builtAt: BUILT_AT - 10 * DAY });
    const older = saying(null, { builtAt: BUILT_AT - 100 * DAY });
    expect(value([fresh, old, older])).toMatchObject({ dataBuiltAt: BUILT_AT - 10 * DAY, dataAgeSeconds: 11 * DAY });
    expect(value([older, fresh])).toMatchObject({ dataBuiltAt: BUILT_AT, dataAgeSeconds: DAY });
  });

  test('is not known where none knew the address, or one of them has no date', () => {
    expect(value([])).toMatchObject({ dataBuiltAt: null, dataAgeSeconds: null, dataFlags: [] });
    const undated = saying({ country_code: 'DE' }, { builtAt: null });
    for (const databases of [[undated], [undated, saying({ asn: 'AS1' })], [saying({ asn: 'AS1' }), undated]]) {
      expect(value(databases)).toMatchObject({ dataBuiltAt: null, dataAgeSeconds: null });
    }
  });

  test('a clock that was set back makes no negative age; more than a day of it is told by a flag', () => {
    const database = saying({ country_code: 'DE' });
    expect(value([database], BUILT_AT - DAY)).toMatchObject({ dataAgeSeconds: 0, dataFlags: [] });
    expect(value([database], BUILT_AT - DAY - 1)).toMatchObject({ dataAgeSeconds: 0, dataFlags: ['database_from_future'] });
    expect(value([saying({ latitude: 91, longitude: 0 })], 0).dataFlags).toEqual(['coordinates_invalid', 'database_from_future']);
  });

  test('the flag is there too where another database is older', () => {
    const [future, past] = [saying({ country_code: 'DE' }, { builtAt: BUILT_AT + 10 * DAY }), saying({ asn: 'AS1' }, { builtAt: 1 })];
    expect(value([future, past], BUILT_AT)).toMatchObject({ dataBuiltAt: 1, dataFlags: ['database_from_future'] });
  });
});

test('what a record knows, by the names of the input', () => {
  expect(knownFields({ country_code: 'DE', latitude: 1, longitude: 1, asn: 'AS1', as_name: 'x', is_mobile: true }, null)).toEqual([
    'as_org',
    'asn',
    'coordinates',
    'country',
    'kinds',
  ]);
  expect(knownFields({ domain: 'example.org' }, null)).toEqual([]);
  expect(knownFields(null, null)).toEqual([]);
});

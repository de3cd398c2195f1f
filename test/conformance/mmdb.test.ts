import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findClientAddress } from '../../src/enrich/client-address.ts';
import { parseIpAddress } from '../../src/enrich/ip-address.ts';
import { describeNetwork } from '../../src/enrich/network.ts';
import { openMmdbBytes } from '../../src/stores/mmdb-reader.ts';
import { sampleAddresses } from '../../src/stores/mmdb-sample.ts';
import { openQuietly } from '../stores/databases.ts';
import { VECTORS_DIR, vectorBytes, vectorCases } from '../support/vectors.ts';

const FOLDER = join(VECTORS_DIR, 'geoip-mmdb');
const LOOKUPS = [
  ...['Anonymous-Plus', 'Residential-Proxy'].map((name) => `GeoIP-${name}-Test`),
  ...['Anonymous-IP', 'City', 'Connection-Type', 'Country', 'Domain', 'Enterprise', 'IP-Risk', 'ISP', 'Static-IP-Score', 'User-Count'].map(
    (name) => `GeoIP2-${name}-Test`,
  ),
  ...['ASN', 'City', 'Country'].map((name) => `GeoLite2-${name}-Test`),
];

const openVector = (name: string) => openQuietly(join(FOLDER, name));

/** The form of the vectors: every name but en and ja dropped from `names`. */
function comparable(value: unknown, key = ''): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map((item) => comparable(item));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name]) => key !== 'names' || name === 'en' || name === 'ja');
  return Object.fromEntries(members.map(([name, member]) => [name, comparable(member, name)]));
}

describe('look-ups of the published databases', () => {
  const Case = z.object({ id: z.string(), db: z.string(), ip: z.string(), record: z.unknown() });
  for (const name of LOOKUPS) {
    const cases = vectorCases('geoip-mmdb', `lookup-${name}.json`, Case);
    test.runIf(cases.length > 0)(`${name}: ${cases.length} addresses`, async () => {
      const database = await openVector(`db/${cases[0]?.db}`);
      expect(database.status().state).toBe('ready');
      for (const { id, ip, record } of cases) {
        const address = parseIpAddress(ip) ?? expect.fail(ip);
        const found = database.lookup(address.text, address.family);
        expect(typeof found === 'string' ? found : comparable(found.record), id).toEqual(record);
      }
    });
  }
});

describe('the one shape over the published databases', () => {
  const Named = z.object({ names: z.looseObject({ en: z.string().optional() }).optional() });
  const Numbered = { autonomous_system_number: z.number().optional(), autonomous_system_organization: z.string().optional() };
  const Worded = { connection_type: z.string().optional(), user_type: z.string().optional() };
  const Record = z.looseObject({
    country: z.looseObject({ iso_code: z.string().optional(), is_in_european_union: z.boolean().optional() }).optional(),
    continent: z.looseObject({ code: z.string().optional() }).optional(),
    city: Named.optional(),
    location: z.looseObject({ latitude: z.number(), longitude: z.number(), accuracy_radius: z.number().optional() }).optional(),
    traits: z.looseObject({ ...Numbered, ...Worded }).optional(),
    is_anonymous_vpn: z.boolean().optional(),
    is_hosting_provider: z.boolean().optional(),
    is_public_proxy: z.boolean().optional(),
    is_residential_proxy: z.boolean().optional(),
    is_tor_exit_node: z.boolean().optional(),
    ...Numbered,
    ...Worded,
  });
  const Case = z.object({ id: z.string(), db: z.string(), ip: z.string(), record: Record.nullable() });
  for (const name of [
    'GeoIP2-City-Test',
    'GeoIP2-Country-Test',
    'GeoIP2-Enterprise-Test',
    'GeoLite2-ASN-Test',
    'GeoIP2-ISP-Test',
    'GeoIP2-Anonymous-IP-Test',
    'GeoIP-Anonymous-Plus-Test',
    'GeoIP2-Connection-Type-Test',
  ]) {
    const cases = vectorCases('geoip-mmdb', `lookup-${name}.json`, Case);
    test.runIf(cases.length > 0)(name, async () => {
      const database = await openVector(`db/${cases[0]?.db}`);
      for (const { id, ip, record } of cases) {
        const client = findClientAddress(
          { ip, port: null, forwardedFor: [] },
          { header: 'x-forwarded-for', appendsPeer: false, hops: null },
          [],
        );
        // `::` and 0.0.0.0 are no client
        if (client.address === null) continue;
        const traits = record?.traits;
        const words = [record?.connection_type, record?.user_type, traits?.connection_type, traits?.user_type];
        const place = record?.location;
        const country = record?.country;
        expect(describeNetwork(client, { databases: [database], registryCountry: null }, 0), id).toMatchObject({
          status: 'present',
          value: {
            country: country?.iso_code ?? null,
            countrySource: country?.iso_code === undefined ? null : 'database',
            continent: record?.continent?.code ?? null,
            city: record?.city?.names?.en ?? null,
            coordinates:
              place === undefined
                ? null
                : { latitude: place.latitude, longitude: place.longitude, accuracyKm: place.accuracy_radius ?? null },
            inEu: country?.iso_code === undefined ? null : country.is_in_european_union === true,
            asn: record?.autonomous_system_number ?? traits?.autonomous_system_number ?? null,
            asOrg: record?.autonomous_system_organization ?? traits?.autonomous_system_organization ?? null,
            kinds: [
              ...(words.some((word) => word === 'Corporate' || word === 'business') ? ['business'] : []),
              ...(record?.is_hosting_provider === true || words.some((word) => word === 'hosting' || word === 'content_delivery_network')
                ? ['hosting']
                : []),
              ...(words.includes('Cellular') ? ['mobile'] : []),
              ...(record?.is_public_proxy === true ? ['proxy'] : []),
              ...(record?.is_residential_proxy === true ? ['residential'] : []),
              ...(record?.is_tor_exit_node === true ? ['tor'] : []),
              ...(record?.is_anonymous_vpn === true ? ['vpn'] : []),
            ],
          },
        });
      }
    });
  }
});

describe('metadata', () => {
  const Case = z.object({ id: z.string(), database_type: z.string(), build_epoch: z.number() });
  for (const { id, database_type, build_epoch } of vectorCases('geoip-mmdb', 'metadata.json', Case)) {
    test(id, async () => {
      const database = await openVector(`db/${id}`);
      // what the trial asks is there: the walk reads trees of 24, 28 and 32 bits as the library does
      const bytes = vectorBytes('geoip-mmdb', `db/${id}`) ?? expect.fail(id);
      const opened = openMmdbBytes(bytes);
      const { reader } = 'reader' in opened ? opened : expect.fail(opened.fault);
      const samples = sampleAddresses(bytes, reader.facts, 500);
      expect(samples.length).toBeGreaterThan(0);
      for (const { address, family } of samples) expect(reader.find(address, family), address).not.toBeNull();
      expect(database.status()).toEqual({
        name: id,
        state: 'ready',
        type: database_type,
        builtAt: build_epoch,
        sizeBytes: expect.any(Number),
        lastError: null,
      });
    });
  }
});

describe('the look-up [asks 78] of an IPv6 address in an IPv4 tree', () => {
  for (const file of ['MaxMind-DB-test-ipv4-24.mmdb', 'MaxMind-DB-test-ipv4-28.mmdb', 'MaxMind-DB-test-ipv4-32.mmdb']) {
    const there = vectorBytes('geoip-mmdb', `db/${file}`) !== null;
    test.runIf(there)(file, async () => {
      const database = await openVector(`db/${file}`);
      expect(database.lookup('1.1.1.1', 4)).toMatchObject({ record: { ip: '1.1.1.1' } });
      expect(database.lookup('101:101::1', 6)).toMatchObject({ record: null });
    });
  }
});

describe('broken files', () => {
  const Report = z.object({ state: z.string(), records: z.number(), unknown: z.number(), broken: z.number(), cpuMs: z.number() });
  const folder = join(FOLDER, 'bad');
  const there = existsSync(folder);
  // one entry that says that the vectors are missing
  if (!there) vectorBytes('geoip-mmdb', 'bad');

  test.runIf(there).each(there ? readdirSync(folder) : ['none'])(
    '%s: an orderly error or an answer, in less than a second of processor time',
    async (file) => {
      const worker = new Worker(new URL('../stores/mmdb-probe.ts', import.meta.url), {
        workerData: join(folder, file),
        resourceLimits: { maxOldGenerationSizeMb: 256 },
        execArgv: [],
      });
      const report = new Promise<unknown>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      const ended = await Promise.race([report, sleep(20_000, 'still running', { ref: false })]);
      await worker.terminate();
      const { state, records, unknown, broken, cpuMs } = Report.parse(ended);
      expect(cpuMs).toBeLessThan(1000);
      expect(records + unknown + broken).toBe(522);
      // a look-up that failed shows in the status
      expect(state).toBe(broken > 0 ? 'broken' : 'ready');
    },
    30_000,
  );
});

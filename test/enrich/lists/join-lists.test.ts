import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { listFactsOf, type NetworkSignal } from '../../../src/contract/network.ts';
import { findClientAddress } from '../../../src/enrich/client-address.ts';
import { createEnricher } from '../../../src/enrich/enricher.ts';
import { HOSTING_ASNS } from '../../../src/enrich/lists/hosting-asns.ts';
import { HOSTING_LIST } from '../../../src/enrich/lists/hosting-list.ts';
import { joinLists } from '../../../src/enrich/lists/join-lists.ts';
import { describeNetwork } from '../../../src/enrich/network.ts';
import { createMemoryWindows } from '../../../src/stores/memory-windows.ts';
import type { MmdbDatabase, MmdbLookup } from '../../../src/stores/mmdb.ts';
import { identityOf, requestOf, routeOf, sourceOf, TRUSTED_WALK } from '../requests.ts';
import { createTestLists, listOptions, NOW_MS, namesOf } from './fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-join-'));
afterAll(() => rmSync(folder, { recursive: true }));
function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const NETS = write('nets', '192.0.2.0/24\n2001:db8::/32\n10.0.0.0/8\n');
const TOR = write('tor', '192.0.2.7\n2001:db8::7\n');
const ASNS = write('asns', 'AS64500\n');

async function standard(hostingAsns = false) {
  const made = createTestLists({
    lists: [
      listOptions({ name: 'nets', file: NETS, tags: ['cloud:aws'] }),
      listOptions({ name: 'tor', file: TOR, tags: ['tor_exit'], kinds: ['tor'] }),
      listOptions({ name: 'asns', kind: 'asns', file: ASNS, tags: ['partner'], kinds: ['business'] }),
    ],
    hostingAsns,
  });
  await made.lists.start();
  made.lists.stop();
  return made.lists;
}

function database(found: MmdbLookup): MmdbDatabase {
  return {
    lookup: () => found,
    status: () => ({ name: 'x', state: 'ready', type: null, builtAt: null, sizeBytes: null, lastError: null }),
  };
}

async function look(ip: string, found: MmdbLookup, lists = standard()): Promise<NetworkSignal> {
  const client = findClientAddress(sourceOf(ip), TRUSTED_WALK, []);
  return joinLists(describeNetwork(client, { databases: [database(found)], registryCountry: null }, 0), client, await lists);
}

const SOURCE = { type: null, builtAt: null };
const KNOWN = { record: { country: { iso_code: 'DE' }, autonomous_system_number: 64500, is_anonymous_vpn: true }, source: SOURCE };
const hit = (name: string, tags: string[]) => ({ name, tags, ageSeconds: expect.any(Number), stale: false });

describe('hits', () => {
  test('of address and AS, in the order of the configuration, with what they add to the kinds', async () => {
    expect(await look('192.0.2.7', KNOWN)).toMatchObject({
      status: 'present',
      value: {
        country: 'DE',
        kinds: ['business', 'tor', 'vpn'],
        lists: { hits: [hit('nets', ['cloud:aws']), hit('tor', ['tor_exit']), hit('asns', ['partner'])], unavailable: [] },
      },
    });
    const six = await look('2001:db8::7', { record: null, source: SOURCE });
    expect(listFactsOf(six).hits.map(({ name }) => name)).toEqual(['nets', 'tor']);
    expect(listFactsOf(await look('2001:db9::7', { record: null, source: SOURCE })).hits).toEqual([]);
  });

  test('none leave the signal as it was', async () => {
    const client = findClientAddress(sourceOf('198.51.100.1'), TRUSTED_WALK, []);
    const network = describeNetwork(client, { databases: [], registryCountry: null }, 0);
    const lists = await standard();
    expect(joinLists(network, client, lists)).toBe(network);
    const nobody = findClientAddress(sourceOf(null), TRUSTED_WALK, []);
    expect(joinLists({ status: 'absent', code: 'address_missing' }, nobody, lists)).toEqual({ status: 'absent', code: 'address_missing' });
  });

  test('equal ones of one second are one frozen answer', async () => {
    const lists = await standard();
    const at = (last: number) => lists.match({ family: 4, text: '', groups: [0xc000, 0x0200 + last] }, null, false);
    expect(at(1)).toBe(at(2));
    expect(at(1)).not.toBe(at(7));
    expect(Object.isFrozen(at(1)) && Object.isFrozen(at(1).hits) && Object.isFrozen(at(1).hits[0])).toBe(true);
  });
});

describe('a database that fails', () => {
  test('does not keep addresses off their lists, and makes lists of AS numbers unavailable', async () => {
    const gap = { name: 'asns', tags: ['partner'], code: 'asn_unknown' };
    expect(await look('192.0.2.7', 'database_broken')).toEqual({
      status: 'unavailable',
      code: 'database_broken',
      address: '192.0.2.7',
      lists: { hits: [hit('nets', ['cloud:aws']), hit('tor', ['tor_exit'])], unavailable: [gap], kinds: ['tor'] },
    });
    expect(listFactsOf(await look('198.51.100.1', 'database_missing'))).toMatchObject({ hits: [], unavailable: [gap] });
  });

  test('means nothing for a private address, which is of no AS', async () => {
    expect(listFactsOf(await look('10.1.1.1', 'database_missing'))).toMatchObject({ hits: [hit('nets', ['cloud:aws'])], unavailable: [] });
  });
});

describe('the packaged list of hosters', () => {
  test('gives the kind, and says where that comes from', async () => {
    const lists = standard(true);
    expect(await look('198.51.100.1', { record: { autonomous_system_number: 16509 }, source: SOURCE }, lists)).toMatchObject({
      value: { kinds: ['hosting'], lists: { hits: [{ name: HOSTING_LIST, tags: ['hosting'], ageSeconds: null, stale: false }] } },
    });
    expect((await lists).status().at(-1)).toMatchObject({ name: HOSTING_LIST, state: 'ready', entries: HOSTING_ASNS.length });
  });

  test('can be switched off', async () => {
    const found = await look('198.51.100.1', { record: { autonomous_system_number: 16509 }, source: SOURCE });
    expect(found).toMatchObject({ value: { asn: 16509, kinds: [] } });
  });

  test('names each AS once, in ascending order, and none of the reserved ones', () => {
    const numbers = HOSTING_ASNS.map(([asn]) => asn);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    // RFC 5398, RFC 6996, RFC 7300
    expect(numbers.filter((asn) => asn === 0 || (asn >= 64_496 && asn <= 131_071) || asn >= 4_200_000_000)).toEqual([]);
    expect(HOSTING_ASNS.filter(([, name]) => !/^[0-9A-Z][\x20-\x7e]{2,40}$/i.test(name))).toEqual([]);
  });
});

test('a request goes through with its lists, and the status shows them', async () => {
  const lists = await standard();
  const enricher = createEnricher({
    databases: [],
    registryCountry: null,
    trustedProxies: [],
    windows: createMemoryWindows({ entriesMax: 100, startedAtMs: NOW_MS }),
    lists,
    clock: { now: () => NOW_MS, monotonic: () => 0 },
  });
  const answer = await enricher.enrich(requestOf({ source: sourceOf('192.0.2.7') }), identityOf(), routeOf());
  expect(answer.network).toMatchObject({ value: { kinds: ['tor'], lists: { hits: [{ name: 'nets' }, { name: 'tor' }] } } });
  expect(enricher.status().lists.map(({ name, state }) => [name, state])).toEqual([
    ['nets', 'ready'],
    ['tor', 'ready'],
    ['asns', 'ready'],
  ]);
});

test('lists that overlap in more ways than can be kept are refused, and the others stay', async () => {
  // 17 lists of which each takes another half of the addresses: 131,072 combinations
  const bits = Array.from({ length: 17 }, (_, bit) => {
    const blocks = Array.from({ length: 2 ** (16 - bit) }, (_, index) => (2 * index + 1) * 2 ** bit);
    return write(
      `bit-${bit}`,
      blocks
        .map(
          (first) =>
            `20${Math.floor(first / 65_536)}.0.${(first >> 8) & 255}.${first & 255}-20${Math.floor(first / 65_536)}.0.${((first + 2 ** bit - 1) >> 8) & 255}.${(first + 2 ** bit - 1) & 255}`,
        )
        .join('\n'),
    );
  });
  const made = createTestLists({
    // whichever comes last is refused
    lists: bits.map((file, bit) => listOptions({ name: `bit_${bit}`, file, entriesMax: 200_000, bytesMax: 10_000_000 })),
  });
  await made.lists.start();
  made.lists.stop();
  const refused = made.lists.status().filter(({ state }) => state === 'never_loaded');
  expect(refused.map(({ lastError }) => lastError)).toEqual(['list_invalid']);
  expect(namesOf(made.lists, '201.0.255.255')).toHaveLength(16);
});

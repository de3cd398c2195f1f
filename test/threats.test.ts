import { beforeAll, expect, test } from 'vitest';
import { lifeOf, somePerson } from '../bench/threats/benign.ts';
import { ATTACK_NAMES, attacksOf } from '../bench/threats/hostile.ts';
import { generatedLists } from '../bench/threats/listed.ts';
import { measure } from '../bench/threats/measure.ts';
import { measuredPolicy } from '../bench/threats/policy.ts';
import { createRandom } from '../bench/threats/random.ts';
import type { ActivePolicy } from '../src/contract/stages.ts';
import { parseIpAddress } from '../src/enrich/ip-address.ts';
import type { AddressLists } from '../src/enrich/lists/address-lists.ts';

/* What `npm run measure:threats` counts with, on a part of its traffic that is small enough for every run. */

const LEARNING = { learningRequests: 100, learningHours: 24 };

let policy: ActivePolicy;
beforeAll(async () => {
  policy = await measuredPolicy();
});

test('every template of the base pack has a generator', () => {
  expect(ATTACK_NAMES).toEqual([
    'stolen_token',
    'key_leak',
    'scraping',
    'enumeration',
    'credential_stuffing',
    'impossible_travel',
    'dormant_client',
    'agent_drift',
    'anonymiser',
    'hosting_unexpected',
    'list_hit',
  ]);
});

test('a seed gives the same traffic', () => {
  const once = () => lifeOf(createRandom(7), somePerson(createRandom(7), 1, 'device'));
  expect(once()).toEqual(once());
  expect(once()).not.toEqual(lifeOf(createRandom(8), somePerson(createRandom(7), 1, 'device')));
});

test('devices in a data centre are seen where the database knows it, and nothing else of their lives is', () => {
  const events = attacksOf(createRandom(7), 'hosting_unexpected', 6);
  const known = new Set(events.filter(({ attack, place }) => attack !== null && place.kinds.length > 0).map(({ attack }) => attack));
  const measured = measure({ name: 'devices', events }, { policy, learning: LEARNING });
  expect(known.size).toBeGreaterThan(0);
  expect(measured).toMatchObject({ requests: events.length, benign: events.length - 6, attacks: 6, falseByAny: 0 });
  expect(measured.detected.get('hosting_unexpected')).toBe(known.size);
});

test('without the attacks nothing is seen', () => {
  const events = attacksOf(createRandom(7), 'hosting_unexpected', 3).filter(({ attack }) => attack === null);
  expect(measure({ name: 'devices', events }, { policy, learning: LEARNING })).toMatchObject({
    attacks: 0,
    detectedByAny: 0,
    falseByAny: 0,
  });
});

test('the hosts of a botnet and exits of Tor are seen where a list knows them, and by the list', async () => {
  const lists = await generatedLists({ now: () => 0, monotonic: () => 0 });
  const events = attacksOf(createRandom(7), 'list_hit', 10).filter(({ attack }) => attack !== null);
  const known = new Set(events.filter(({ address }) => isListed(lists, address)).map(({ attack }) => attack));
  const measured = measure({ name: 'listed', events }, { policy, learning: LEARNING, lists });
  expect(known.size).toBeGreaterThan(0);
  expect(known.size).toBeLessThan(10);
  expect(measured.detected.get('list_hit')).toBe(known.size);
  expect(measure({ name: 'without lists', events }, { policy, learning: LEARNING }).detected.get('list_hit')).toBeUndefined();
});

function isListed(lists: AddressLists, address: string): boolean {
  const parsed = parseIpAddress(address);
  return parsed !== null && lists.match(parsed, null, false).hits.length > 0;
}

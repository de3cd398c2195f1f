/*
 * Attacks, one kind for each template, and what they assume: each is upon a client of the benign generator with a life of its own before it, starts at a
 * random minute after the client was learnt, and has an intensity that is spread evenly over powers of ten, from hardly anything to gross.
 * - stolen_token: the token is used from a data centre in another country with another library; in one attack of five the thief knows the client's
 *   library (or its JA4 is not seen), and is in the country and AS of the client in one of ten: those are not this template's to see. One in five is patient:
 *   it asks for something through a proxy near the client first, a minute to four days before it comes from its own place with the same library.
 * - key_leak: a published token is tried by 2 to 300 strangers within the hour, each from an AS among 80.
 * - scraping: 100 to 20,000 things within the hour with the client's own token, place and library, all of them there.
 * - enumeration: 5 to 3,000 guessed names within the hour, 60 to 99 % of them not there.
 * - credential_stuffing: 2 to 2,000 credentials from one address within the hour.
 * - impossible_travel: the token is used 2 to 120 minutes after the client's own request, 100 to 17,000 km away.
 * - dormant_client: the client is silent for 10 to 200 days before it is used by somebody else, from another AS or with another library.
 * - agent_drift: an agent that was talked into something: 20 to 2,000 requests in ten minutes, one to nine of ten to what it has no scope for.
 * - anonymiser: one request from Tor, an open proxy or a VPN that the database knows; one in five is from one that it does not know.
 * - hosting_unexpected: a device's token is used in a data centre; one in ten is in one that the database does not know.
 * - list_hit: the token is used from the host of a botnet or, in one attack of five, from an exit of Tor; what the lists know of them is in listed.ts.
 */

import { DAYS, fingerprint, lifeOf, type Person, requestOf, START_MS, somePerson } from './benign.ts';
import { botAddress, exitAddress } from './listed.ts';
import { addressIn, otherTown, placeIn } from './places.ts';
import type { Random } from './random.ts';
import { type Place, sorted, type TrafficEvent } from './traffic.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The hostile requests of one attack. */
type Attack = (random: Random, victim: Person, atMs: number) => readonly Partial<TrafficEvent>[];

const spread = (
  random: Random,
  count: number,
  overMs: number,
  atMs: number,
  make: (index: number) => Partial<TrafficEvent>,
): Partial<TrafficEvent>[] =>
  Array.from({ length: count }, (_, index) => ({ atMs: atMs + Math.floor(((index + random.next()) * overMs) / count), ...make(index) }));

/** Somebody else's place and library. */
function stranger(random: Random, victim: Person, line: number = random.between(8, 11)): Partial<TrafficEvent> {
  const town = otherTown(random, victim.town);
  return {
    place: placeIn(town, line),
    address: addressIn(town, line, random.between(0, 60_000)),
    ja4: fingerprint(random.between(60, 90)),
  };
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  stolen_token(random, victim, atMs) {
    const thief = stranger(random, victim);
    const known = random.chance(0.2) ? { ja4: victim.ja4 } : {};
    const near = random.chance(0.1)
      ? { place: placeIn(victim.town, victim.line), address: addressIn(victim.town, victim.line, 50_000) }
      : {};
    const patientMs = random.chance(0.2) ? random.logBetween(1, 4 * 24 * 60) * MINUTE_MS : null;
    const first = { ...thief, place: placeIn(victim.town, victim.line), address: addressIn(victim.town, victim.line, 51_000) };
    return [
      ...(patientMs === null ? [] : [{ atMs: atMs - patientMs, ...first }]),
      ...spread(random, random.between(1, 30), 20 * MINUTE_MS, atMs, (index) => ({
        ...thief,
        ...known,
        ...near,
        path: `/orders/${index}`,
      })),
    ];
  },
  key_leak(random, victim, atMs) {
    const strangers = random.logBetween(2, 300);
    return spread(random, strangers * 2, 50 * MINUTE_MS, atMs, (index) => {
      const [town, line] = [index % 10, index % 8];
      return {
        place: placeIn(town, line),
        address: addressIn(town, line, index % strangers),
        ja4: fingerprint(60 + (index % 30)),
        token: `leaked-${victim.name}`,
      };
    });
  },
  scraping: (random, _, atMs) => spread(random, random.logBetween(100, 20_000), HOUR_MS, atMs, (index) => ({ path: `/items/${index}` })),
  enumeration(random, _, atMs) {
    const missing = 0.6 + random.next() * 0.39;
    return spread(random, random.logBetween(5, 3000), HOUR_MS, atMs, (index) => ({
      path: `/orders/guess-${index}`,
      outcome: random.chance(missing) ? 'failure' : 'success',
    }));
  },
  credential_stuffing(random, victim, atMs) {
    const source = stranger(random, victim);
    return spread(random, random.logBetween(2, 2000), HOUR_MS, atMs, (index) => ({
      ...source,
      client: null,
      token: null,
      refused: `tried-${atMs}-${index}`,
    }));
  },
  impossible_travel(random, victim, atMs) {
    const afterMs = random.between(2, 120) * MINUTE_MS;
    return [
      { atMs: atMs, attack: null },
      { atMs: atMs + afterMs, ...stranger(random, victim), ja4: victim.ja4 },
    ];
  },
  dormant_client(random, victim, atMs) {
    const awakeMs = atMs + random.logBetween(10, 200) * DAY_MS;
    const { ja4 = null, ...where } = stranger(random, victim);
    const other = random.pick([{ ja4 }, where, { ja4, ...where }]);
    return spread(random, random.between(1, 20), 20 * MINUTE_MS, awakeMs, (index) => ({ ...other, path: `/orders/${index}` }));
  },
  agent_drift(random, _, atMs) {
    const beyond = random.between(1, 9) / 10;
    return spread(random, random.logBetween(20, 2000), 10 * MINUTE_MS, atMs, (index) => ({
      path: random.chance(beyond) ? `/admin/keys` : `/orders/${index % 20}`,
    }));
  },
  anonymiser(random, victim, atMs) {
    const kinds: Place['kinds'] = random.chance(0.2) ? [] : [random.pick(['tor', 'proxy', 'vpn'] as const)];
    const town = otherTown(random, victim.town);
    return [{ atMs, place: placeIn(town, 13, kinds), address: addressIn(town, 13, random.between(0, 60_000)) }];
  },
  hosting_unexpected(random, victim, atMs) {
    const town = random.chance(0.5) ? victim.town : otherTown(random, victim.town);
    const kinds: Place['kinds'] = random.chance(0.1) ? [] : ['hosting'];
    return [{ atMs, place: placeIn(town, 9, kinds), address: addressIn(town, 9, random.between(0, 60_000)) }];
  },
  list_hit(random, victim, atMs) {
    const [town, line, number] = [otherTown(random, victim.town), random.between(0, 11), random.between(0, 10_000)];
    if (random.chance(0.2)) return [{ atMs, place: placeIn(town, 14, ['tor']), address: exitAddress(number) }];
    return [{ atMs, place: placeIn(town, line), address: botAddress(town, line, number) }];
  },
};

const KIND_OF: Readonly<Record<string, Person['kind']>> = { agent_drift: 'agent', hosting_unexpected: 'device' };

/** Names of the templates that have a generator. */
export const ATTACK_NAMES: readonly string[] = Object.keys(ATTACKS);

/** Lives of victims, each with one attack in it, numbered from 0. */
export function attacksOf(random: Random, name: string, count: number): readonly TrafficEvent[] {
  const attack = ATTACKS[name];
  if (attack === undefined) throw new RangeError(name);
  const events: TrafficEvent[] = [];
  for (let number = 0; number < count; number += 1) {
    const victim = somePerson(random, number, KIND_OF[name] ?? (number % 2 === 0 ? 'service' : 'agent'));
    const atMs = START_MS + random.between(5 * 24 * 60, (DAYS - 1) * 24 * 60) * MINUTE_MS;
    const silent = name === 'dormant_client';
    for (const one of lifeOf(random, victim)) if (!silent || one.atMs < atMs) events.push(one);
    for (const { atMs: hostileMs = atMs, ...more } of attack(random, victim, atMs)) {
      events.push(requestOf(victim, hostileMs, '/orders/1', { attack: number, ...more }));
    }
  }
  return sorted(events);
}

/*
 * Benign traffic of an API for machines, and what it assumes:
 * - DAYS days of clients of seven kinds, in the shares of KINDS; none of them brings a certificate of its own accord.
 * - service: one data centre, one to three addresses, at work in 8 to 30 minutes of a day with 1 to 10 requests each, over 5 to 60 things.
 * - agent: 2 to 6 sessions a day of 2 to 20 minutes with 3 to 40 requests a minute, over up to 200 things; 3 % of them fail, 1 % are beyond its scope.
 * - person's tool: from home, the office and a telephone network of one town, every tenth day in another town, got to at 800 km/h; 2 % through a VPN.
 * - device: one access provider; its address changes each day.
 * - batch: each night 200 to 800 different things within the hour.
 * - fleet: twelve pods with a token each behind six addresses of one AS; every third fleet is of two providers; of functions: each request from another
 *   address of the same AS, with one token.
 * - feed: 80 to 160 requests a minute for 8 minutes of a day, the same 50 things; one day in 20 it has to catch up, with up to 1.9 times its pace.
 * - Quarterly clients (5 %) work for two days, are silent for 40 and come back, one in ten with an updated library.
 * - Libraries are updated (another JA4) once in the time by a third of the clients; 2 % move to another provider; 1 in 100 does both in one night.
 * - Expired and mistyped credentials: each day a fifth of the clients tries one to three that are refused, from its own address; an address of many
 *   users (one in 20 clients has such) sees up to eight an hour.
 * Nothing here is drawn from a customer's traffic: the rates say how the templates behave under these assumptions, no more.
 */

import { addressIn, kilometresBetween, otherTown, placeIn, someTown } from './places.ts';
import type { Random } from './random.ts';
import { sorted, type TrafficEvent } from './traffic.ts';

export const START_MS = Date.UTC(2026, 0, 5);
export const DAYS = 8;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const QUARTER_DAYS = 40;

export type Kind = 'service' | 'agent' | 'tool' | 'device' | 'batch' | 'fleet' | 'feed';
const KINDS: readonly [Kind, ...Kind[]] = [
  'service',
  'service',
  'service',
  'agent',
  'agent',
  'agent',
  'tool',
  'tool',
  'device',
  'batch',
  'fleet',
  'feed',
];

/** Who a client is, and where it usually is. */
export type Person = {
  readonly name: string;
  readonly kind: Kind;
  readonly town: number;
  readonly line: number;
  readonly host: number;
  readonly things: number;
  readonly ja4: string;
};

type Stay = { readonly town: number; readonly line: number };

export function somePerson(random: Random, number: number, kind: Kind = random.pick(KINDS)): Person {
  const isOfPeople = kind === 'tool' || kind === 'device';
  return {
    name: `client-${number}`,
    kind,
    town: someTown(random),
    line: isOfPeople ? random.between(0, 3) : random.between(8, 10),
    host: number * 16,
    things: kind === 'agent' ? random.between(20, 200) : random.between(5, 60),
    ja4: fingerprint(random.between(0, 30)),
  };
}

export function fingerprint(library: number): string {
  const digits = (library * 2_654_435_761) % 4_294_967_296;
  return `t13d1516h2_${digits.toString(16).padStart(12, '0')}_${(digits ^ 0x5a5a5a).toString(16).replace('-', '0').padStart(12, '0').slice(0, 12)}`;
}

/** A request of a client, from where it usually is unless the rest says otherwise. */
export function requestOf(person: Person, atMs: number, path: string, more: Partial<TrafficEvent> = {}): TrafficEvent {
  return {
    atMs,
    client: person.name,
    type: person.kind === 'device' ? 'device' : person.kind === 'agent' ? 'agent' : 'service',
    token: `${person.name}-${Math.floor(atMs / HOUR_MS)}`,
    refused: null,
    address: addressIn(person.town, person.line, person.host),
    place: placeIn(person.town, person.line),
    ja4: person.ja4,
    userAgent: null,
    path,
    outcome: 'success',
    attack: null,
    ...more,
  };
}

/** Everything that one client does. */
export function lifeOf(random: Random, person: Person, days: number = DAYS): readonly TrafficEvent[] {
  const events: TrafficEvent[] = [];
  const quarterly = random.chance(0.05);
  const updatedOn = random.chance(0.33) ? random.between(3, days) : null;
  const movedOn = random.chance(0.02) ? random.between(3, days) : null;
  const both = random.chance(0.01);
  const shared = random.chance(0.05);
  let stay: Stay = { town: person.town, line: person.line };
  for (let day = 0; day < days; day += 1) {
    const dayMs = START_MS + (day + (quarterly && day >= 2 ? QUARTER_DAYS : 0)) * DAY_MS;
    if (quarterly && day >= 4) break;
    const updated = updatedOn !== null && day >= updatedOn && (!quarterly || random.chance(0.1));
    const ja4 = updated || (both && movedOn !== null && day >= movedOn) ? fingerprint(40 + (person.host % 5)) : person.ja4;
    if (movedOn !== null && day >= movedOn) stay = { ...stay, line: person.line < 8 ? 6 : 11 };
    for (const one of dayOf(random, person, dayMs, stay, day)) events.push({ ...one, ja4 });
    for (let tries = random.chance(0.2) ? random.between(1, 3) : 0; tries > 0; tries -= 1) {
      const atMs = dayMs + random.between(0, DAY_MS);
      events.push(requestOf(person, atMs, '/orders/1', { client: null, token: null, refused: `expired-${random.next()}`, ja4 }));
    }
    for (let tries = shared ? random.between(0, 8) : 0; tries > 0; tries -= 1) {
      const atMs = dayMs + 10 * HOUR_MS + random.between(0, HOUR_MS);
      events.push(requestOf(person, atMs, '/orders/1', { client: null, token: null, refused: `mistyped-${random.next()}`, ja4 }));
    }
  }
  return sorted(events);
}

function dayOf(random: Random, person: Person, dayMs: number, stay: Stay, day: number): TrafficEvent[] {
  const where = { place: placeIn(stay.town, stay.line), address: addressIn(stay.town, stay.line, person.host) };
  const thing = (): string => `/orders/${person.name}-${random.between(1, person.things)}`;
  switch (person.kind) {
    case 'service':
    case 'fleet':
      return minutes(
        random,
        dayMs,
        random.between(8, 30),
        () => random.between(1, 10),
        (atMs) => {
          if (person.kind === 'service') return requestOf(person, atMs, thing(), { ...where, outcome: fails(random, 0.02) });
          return requestOf(person, atMs, thing(), { ...podOf(random, person, stay, atMs), outcome: fails(random, 0.02) });
        },
      );
    case 'agent':
      return sessions(random, dayMs, (atMs) =>
        requestOf(person, atMs, random.chance(0.01) ? '/admin/keys' : thing(), { ...where, outcome: fails(random, 0.03) }),
      );
    case 'tool':
      return toolDay(random, person, dayMs, day);
    case 'device': {
      const address = addressIn(stay.town, stay.line, person.host + (day % 16));
      return minutes(
        random,
        dayMs,
        20,
        () => random.between(1, 3),
        (atMs) => requestOf(person, atMs, thing(), { ...where, address }),
      );
    }
    case 'feed':
      return feedDay(random, person, dayMs, (atMs) =>
        requestOf(person, atMs, `/items/feed-${random.between(1, 50)}`, { ...where, outcome: fails(random, 0.002) }),
      );
    case 'batch': {
      const startMs = dayMs + 2 * HOUR_MS + random.between(0, 30) * MINUTE_MS;
      const count = random.between(200, 800);
      return Array.from({ length: count }, (_, index) =>
        requestOf(person, startMs + Math.floor((index * 50 * MINUTE_MS) / count), `/items/${day}-${index}`, {
          ...where,
          outcome: fails(random, 0.005),
        }),
      );
    }
  }
}

const fails = (random: Random, share: number): TrafficEvent['outcome'] => (random.chance(share) ? 'failure' : 'success');

function minutes(random: Random, dayMs: number, count: number, each: () => number, make: (atMs: number) => TrafficEvent): TrafficEvent[] {
  return Array.from({ length: count }, () => dayMs + random.between(6 * 60, 22 * 60) * MINUTE_MS).flatMap((minuteMs) =>
    Array.from({ length: each() }, () => make(minuteMs + random.between(0, MINUTE_MS - 1))),
  );
}

function feedDay(random: Random, person: Person, dayMs: number, make: (atMs: number) => TrafficEvent): TrafficEvent[] {
  const pace = (80 + (person.host % 81)) * (random.chance(0.05) ? 1.4 + random.next() / 2 : 1);
  const startMs = dayMs + (person.host % 20) * HOUR_MS;
  return Array.from({ length: 8 }, (_, minute) => startMs + minute * MINUTE_MS).flatMap((minuteMs) =>
    Array.from({ length: Math.round(pace * (0.9 + random.next() / 5)) }, () => make(minuteMs + random.between(0, MINUTE_MS - 1))),
  );
}

function sessions(random: Random, dayMs: number, make: (atMs: number) => TrafficEvent): TrafficEvent[] {
  const events: TrafficEvent[] = [];
  for (let session = random.between(2, 6); session > 0; session -= 1) {
    const startMs = dayMs + random.between(7 * 60, 21 * 60) * MINUTE_MS;
    for (let minute = random.between(2, 20); minute > 0; minute -= 1) {
      const pace = random.logBetween(3, 40);
      for (let index = 0; index < pace; index += 1) events.push(make(startMs + minute * MINUTE_MS + random.between(0, MINUTE_MS - 1)));
    }
  }
  return events;
}

function podOf(random: Random, person: Person, stay: Stay, atMs: number): Partial<TrafficEvent> {
  const pod = random.between(0, 11);
  const isOfFunctions = person.host % 3 === 0;
  const line = person.host % 3 === 1 && pod > 5 ? 11 : stay.line;
  const host = isOfFunctions ? 40_000 + random.between(0, 4000) : person.host + (pod % 6);
  const token = `${person.name}-${isOfFunctions ? 0 : pod}-${Math.floor(atMs / HOUR_MS)}`;
  return { token, address: addressIn(stay.town, line, host), place: placeIn(stay.town, line) };
}

/** A day of somebody's tool: every tenth one in another town, with the way there and back. */
function toolDay(random: Random, person: Person, dayMs: number, day: number): TrafficEvent[] {
  const away = (person.host / 16 + day) % 10 === 9;
  const town = away ? otherTown(random, person.town) : person.town;
  const home = placeIn(person.town, person.line);
  const wayMs = (kilometresBetween(home, placeIn(town, 0)) / 800) * HOUR_MS;
  const things = (): string => `/orders/${person.name}-${random.between(1, person.things)}`;
  return minutes(
    random,
    dayMs,
    15,
    () => random.between(1, 4),
    (atMs) => {
      const sinceMs = atMs - dayMs - 6 * HOUR_MS;
      // on the way there is nothing; who comes too late for it stays at home
      const isThere = away && sinceMs > wayMs && sinceMs < 15 * HOUR_MS - wayMs;
      const line = random.chance(0.4) ? person.line : random.pick([4, 5]);
      const where = isThere ? town : person.town;
      if (away && !isThere) return requestOf(person, dayMs + random.between(0, 5) * MINUTE_MS, things());
      const viaVpn = random.chance(0.02);
      const place = viaVpn ? placeIn(person.town, 12, ['vpn']) : placeIn(where, line);
      return requestOf(person, atMs, things(), {
        place,
        address: addressIn(viaVpn ? person.town : where, viaVpn ? 12 : line, person.host),
      });
    },
  );
}

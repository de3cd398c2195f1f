import type { Random } from './random.ts';
import type { Place } from './traffic.ts';

/* Towns with their rough coordinates; AS numbers are invented, of the range for private use (RFC 6996). */
type Town = readonly [country: string, latitude: number, longitude: number];

const TOWNS: readonly [Town, ...Town[]] = [
  ['DE', 50.1, 8.7],
  ['DE', 52.5, 13.4],
  ['FR', 48.9, 2.4],
  ['NL', 52.4, 4.9],
  ['GB', 51.5, -0.1],
  ['SE', 59.3, 18.1],
  ['PL', 52.2, 21],
  ['ES', 40.4, -3.7],
  ['IT', 45.5, 9.2],
  ['US', 39, -77.5],
  ['US', 37.8, -122.4],
  ['CA', 45.5, -73.6],
  ['BR', -23.5, -46.6],
  ['IN', 19.1, 72.9],
  ['SG', 1.4, 103.8],
  ['JP', 35.7, 139.7],
  ['AU', -33.9, 151.2],
  ['ZA', -26.2, 28],
];
export const TOWN_COUNT = TOWNS.length;
const FIRST_ASN = 4_200_000_000;

/** The networks that people and machines of a town are behind: `line` 0 to 7 are access providers, 8 to 11 data centres, 12 anonymisers. */
export function placeIn(town: number, line: number, kinds: Place['kinds'] = line >= 8 && line < 12 ? ['hosting'] : []): Place {
  const [country, latitude, longitude] = TOWNS[town % TOWNS.length] ?? TOWNS[0];
  return { country, asn: FIRST_ASN + (town % TOWNS.length) * 16 + line, at: { latitude, longitude }, kinds };
}

export function someTown(random: Random): number {
  return random.between(0, TOWNS.length - 1);
}

/** A town elsewhere. */
export function otherTown(random: Random, town: number): number {
  return town + random.between(1, TOWNS.length - 1);
}

/** An address of its own for each town, line and host. */
export function addressIn(town: number, line: number, host: number): string {
  return `${20 + (town % TOWNS.length)}.${line}.${(host >> 8) & 255}.${host & 255}`;
}

/** Kilometres, by the great circle. */
export function kilometresBetween(from: Place, to: Place): number {
  if (from.at === null || to.at === null) return 0;
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const [a, b] = [radians(from.at.latitude), radians(to.at.latitude)];
  const east = radians(to.at.longitude - from.at.longitude);
  return 6371 * Math.acos(Math.min(1, Math.sin(a) * Math.sin(b) + Math.cos(a) * Math.cos(b) * Math.cos(east)));
}

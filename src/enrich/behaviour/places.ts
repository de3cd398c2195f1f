import type { NetworkCoordinates } from '../../contract/network.ts';

/* Whether somebody can have got from one place to the other: databases put an address at a point and say how far off that may be. */

const EARTH_RADIUS_KM = 6371;
/** Where a database does not say how uncertain a place is. */
const ACCURACY_KM = 50;
/** Below this, after both uncertainties, nobody has moved: databases move whole networks about as far. */
const DISTANCE_MIN_KM = 100;
/** Clocks of gateways differ; a shorter time would make any move a flight. */
const ELAPSED_MIN_MS = 60_000;

/** Kilometres, and kilometres an hour over the time between. */
export type Travel = { readonly km: number; readonly kmh: number };
const NONE: Travel = { km: 0, kmh: 0 };

/** Great-circle distance less both uncertainties, and the speed that it takes; times are unix milliseconds. */
export function travelBetween(from: NetworkCoordinates, fromMs: number, to: NetworkCoordinates, toMs: number): Travel {
  const uncertain = (from.accuracyKm ?? ACCURACY_KM) + (to.accuracyKm ?? ACCURACY_KM);
  const km = distanceKm(from, to) - uncertain;
  if (!(km >= DISTANCE_MIN_KM)) return NONE;
  const hours = Math.max(ELAPSED_MIN_MS, toMs - fromMs) / 3_600_000;
  return { km: Math.round(km), kmh: Math.round(km / hours) };
}

/** Haversine. */
export function distanceKm(a: NetworkCoordinates, b: NetworkCoordinates): number {
  const radians = Math.PI / 180;
  const sinLatitude = Math.sin(((b.latitude - a.latitude) * radians) / 2);
  const sinLongitude = Math.sin(((b.longitude - a.longitude) * radians) / 2);
  const chord = sinLatitude ** 2 + Math.cos(a.latitude * radians) * Math.cos(b.latitude * radians) * sinLongitude ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chord)));
}

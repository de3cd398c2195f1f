import type { NetworkFlag } from '../contract/network.ts';

const DAY_SECONDS = 86_400;

/** Build time of the data of an answer: `undefined` while no database has known the address, null where one of them does not say. */
export type BuiltAt = number | null | undefined;

/** The older of two build times; one that is not known stays so, since it may be the oldest. */
export function older(known: BuiltAt, builtAt: number | null): BuiltAt {
  if (known === undefined) return builtAt;
  return known === null || builtAt === null ? null : Math.min(known, builtAt);
}

/** True where a file was built after `nowSeconds`, by more than clocks differ: one of the two is wrong. */
export function isFromFuture(builtAt: number | null, nowSeconds: number): boolean {
  return builtAt !== null && builtAt > nowSeconds + DAY_SECONDS;
}

/** Seconds since the build, never below 0. */
export function ageSeconds(builtAt: number | null, nowSeconds: number): number | null {
  return builtAt === null ? null : Math.max(0, nowSeconds - builtAt);
}

const NONE: readonly NetworkFlag[] = [];
const COORDINATES: readonly NetworkFlag[] = ['coordinates_invalid'];
const FUTURE: readonly NetworkFlag[] = ['database_from_future'];
const BOTH: readonly NetworkFlag[] = ['coordinates_invalid', 'database_from_future'];

/** The flags of the data, sorted; nothing is allocated for them. */
export function dataFlagsOf(coordinatesInvalid: boolean, fromFuture: boolean): readonly NetworkFlag[] {
  if (coordinatesInvalid) return fromFuture ? BOTH : COORDINATES;
  return fromFuture ? FUTURE : NONE;
}

import { z } from 'zod';
import type { BehaviourSignal, BehaviourValue, DeviceSignal, DeviceValue } from '../contract/behaviour.ts';

/* What is remembered of the client of a case, the same at every level: what is not named is null, and nothing is being learnt any more. */

const number = z.number().nullable().default(null);
const flag = z.boolean().nullable().default(null);
const unavailable = z.strictObject({ unavailable: z.literal('store_full') });

/** `given.device` */
export const GivenDevice = z.union([
  z.strictObject({
    ja3: z.string().nullable().default(null),
    ja4: z.string().nullable().default(null),
    user_agent: z.string().nullable().default(null),
    new_for_client: flag,
    first_seen: number,
    shared_by_clients: number,
    known: flag,
    learning: z.boolean().default(false),
  }),
  unavailable,
]);

/** `given.behaviour` */
export const GivenBehaviour = z.union([
  z.strictObject({
    learning: z.boolean().default(false),
    requests_minute: number,
    requests_minute_mean: number,
    requests_deviation: number,
    resources: number,
    addresses: number,
    asns: number,
    denials: number,
    step_ups: number,
    outcomes: z
      .strictObject({ failure: z.int().default(0), abuse: z.int().default(0) })
      .nullable()
      .default(null),
    idle_seconds: number,
    country_new: flag,
    asn_new: flag,
    travel_km: number,
    travel_kmh: number,
    token_addresses: number,
    address_failed_credentials: number,
  }),
  unavailable,
]);

/** The part of `given` that is remembered. */
export type Remembered = {
  readonly device?: z.output<typeof GivenDevice> | undefined;
  readonly behaviour?: z.output<typeof GivenBehaviour> | undefined;
};

/** The device signal of a case. */
export function deviceOf({ device }: Remembered): DeviceSignal {
  if (device === undefined) return { status: 'absent', code: 'device_missing' };
  if ('unavailable' in device) return { status: 'unavailable', code: device.unavailable };
  const value: DeviceValue = {
    ja3: device.ja3,
    ja4: device.ja4,
    userAgent: device.user_agent,
    basis: device.ja4 !== null ? 'ja4' : device.ja3 !== null ? 'ja3' : device.user_agent !== null ? 'user_agent' : null,
    newForClient: device.new_for_client,
    firstSeen: device.first_seen,
    sharedByClients: device.shared_by_clients,
    known: device.known,
    learning: device.learning,
    scope: 'process',
    degraded: false,
  };
  return { status: 'present', value };
}

/** The behaviour signal of a case. */
export function behaviourOf({ behaviour }: Remembered): BehaviourSignal {
  if (behaviour === undefined) return { status: 'absent', code: 'client_unknown' };
  if ('unavailable' in behaviour) return { status: 'unavailable', code: behaviour.unavailable };
  const value: BehaviourValue = {
    learning: behaviour.learning,
    scope: 'process',
    degraded: false,
    flags: [],
    requestsMinute: behaviour.requests_minute,
    requestsMinuteMean: behaviour.requests_minute_mean,
    requestsDeviation: behaviour.requests_deviation,
    resources: behaviour.resources,
    addresses: behaviour.addresses,
    asns: behaviour.asns,
    denials: behaviour.denials,
    stepUps: behaviour.step_ups,
    outcomes: behaviour.outcomes,
    idleSeconds: behaviour.idle_seconds,
    countryNew: behaviour.country_new,
    asnNew: behaviour.asn_new,
    travelKm: behaviour.travel_km,
    travelKmh: behaviour.travel_kmh,
    tokenAddresses: behaviour.token_addresses,
    addressFailedCredentials: behaviour.address_failed_credentials,
  };
  return { status: 'present', value };
}

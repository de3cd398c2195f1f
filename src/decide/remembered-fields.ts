import type { BehaviourValue, DeviceValue } from '../contract/behaviour.ts';
import type { JsonValue } from '../contract/json.ts';

/** `input.signals.device.value`, field by field. */
export const DEVICE: Record<string, (device: DeviceValue) => JsonValue> = {
  ja3: (device) => device.ja3,
  ja4: (device) => device.ja4,
  user_agent: (device) => device.userAgent,
  basis: (device) => device.basis,
  new_for_client: (device) => device.newForClient,
  first_seen: (device) => device.firstSeen,
  shared_by_clients: (device) => device.sharedByClients,
  known: (device) => device.known,
  learning: (device) => device.learning,
  scope: (device) => device.scope,
  degraded: (device) => device.degraded,
};

/** `input.signals.behaviour.value`, field by field. */
export const BEHAVIOUR: Record<string, (behaviour: BehaviourValue) => JsonValue> = {
  learning: (behaviour) => behaviour.learning,
  scope: (behaviour) => behaviour.scope,
  degraded: (behaviour) => behaviour.degraded,
  history_lost: (behaviour) => behaviour.historyLost ?? false,
  flags: (behaviour) => behaviour.flags,
  requests_minute: (behaviour) => behaviour.requestsMinute,
  requests_minute_mean: (behaviour) => behaviour.requestsMinuteMean,
  requests_deviation: (behaviour) => behaviour.requestsDeviation,
  resources: (behaviour) => behaviour.resources,
  addresses: (behaviour) => behaviour.addresses,
  asns: (behaviour) => behaviour.asns,
  denials: (behaviour) => behaviour.denials,
  step_ups: (behaviour) => behaviour.stepUps,
  outcomes: (behaviour) => behaviour.outcomes,
  idle_seconds: (behaviour) => behaviour.idleSeconds,
  country_new: (behaviour) => behaviour.countryNew,
  asn_new: (behaviour) => behaviour.asnNew,
  travel_km: (behaviour) => behaviour.travelKm,
  travel_kmh: (behaviour) => behaviour.travelKmh,
  token_addresses: (behaviour) => behaviour.tokenAddresses,
  address_failed_credentials: (behaviour) => behaviour.addressFailedCredentials,
};

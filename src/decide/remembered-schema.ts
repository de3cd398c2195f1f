import { z } from 'zod';

const numberOrNull = (about: string) => z.number().nullable().describe(about);
const flagOrNull = (about: string) => z.boolean().nullable().describe(about);
const scope = z
  .enum(['process', 'replica', 'shared'])
  .describe('process: the only one; replica: this one of several, which each remember their own; shared: all replicas together');
const degraded = z.boolean().describe('A part is null since a memory is full, or its store is away');
const learning = z.boolean().describe('Too little is known of the client for anything to be new; also where there is no client');

/** Fields of `input.signals.device.value`. */
export const DEVICE_FIELDS = {
  ja3: z.string().nullable().describe('JA3, 32 hexadecimal digits'),
  ja4: z.string().nullable().describe('JA4'),
  user_agent: z.string().nullable().describe("The client's own word, at most 512 characters"),
  basis: z.enum(['ja4', 'ja3', 'user_agent']).nullable().describe('What the device is told by: the strongest that is there'),
  new_for_client: flagOrNull('Never before allowed with this device; null while learning, or for a client of more than 8 devices'),
  first_seen: numberOrNull('When the client was first allowed with it, unix seconds, or null'),
  shared_by_clients: numberOrNull('Verified clients with this fingerprint in the last hour, this one included; null for a user agent'),
  known: flagOrNull('Registered for the client; null where nothing is registered or could be compared'),
  learning,
  scope,
  degraded,
};

/** Fields of `input.signals.behaviour.value`. */
export const BEHAVIOUR_FIELDS = {
  learning,
  scope,
  degraded,
  history_lost: z.boolean().describe('Kept for less than two hours since a restart or a flush: counts of the last hours may be too low'),
  flags: z.array(z.enum(['clock_backwards', 'key_long'])).describe('What was odd'),
  requests_minute: numberOrNull('Requests of the client in the running minute, this one included'),
  requests_minute_mean: numberOrNull('Mean of its earlier active minutes; null until there are 30'),
  requests_deviation: numberOrNull('Standard deviations of the running minute from it'),
  resources: numberOrNull('Distinct resources of the client in the last hour; exact to 32, above it an estimate of 6.5 % standard error'),
  addresses: numberOrNull('Distinct addresses (IPv6: /64) of the client in the last hour'),
  asns: numberOrNull('Distinct AS numbers of the client in the last hour'),
  denials: numberOrNull('Denied requests of the client in the last hour, this one not included'),
  step_ups: numberOrNull('Step-ups of the client in the last hour'),
  outcomes: z
    .strictObject({
      failure: z.number().describe('Failed by the client'),
      abuse: z.number().describe('Called abuse'),
    })
    .nullable()
    .describe('Reported outcomes of the client in the last hour'),
  idle_seconds: numberOrNull('Since its last allowed request, or null'),
  country_new: flagOrNull('Never before allowed from this country; null while learning, or where it cannot be said'),
  asn_new: flagOrNull('Never before allowed from this AS'),
  travel_km: numberOrNull('From the place of the last allowed request, less what both are uncertain by; null where a place is not known'),
  travel_kmh: numberOrNull('The speed that takes'),
  token_addresses: numberOrNull('Distinct addresses of this token in the last hour'),
  address_failed_credentials: numberOrNull('Distinct credentials that were refused from this address in the last hour'),
};

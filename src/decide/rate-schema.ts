import { z } from 'zod';

const count = (about: string) => z.number().describe(about);
const WINDOWS = {
  '10s': count('in the last 10 seconds'),
  '1m': count('in the last minute'),
  '10m': count('in the last 10 minutes'),
  '1h': count('in the last hour'),
};

/** Fields of `signals.rate.value` beside the counts of the first four entities. */
export const RATE_FIELDS = {
  api_key: z.strictObject(WINDOWS).nullable().describe('Of the verified API key, or null'),
  counters: z
    .record(z.string(), z.strictObject({ ...WINDOWS, '1d': count('in the last 24 hours') }).nullable())
    .describe('Sums of the counters that countersign.limits.counters names for this route; null where the request has no key for one'),
  resets: z
    .record(z.string(), z.number())
    .describe('Seconds until an equal request would be within the limit, by the names of the limits that were exceeded'),
  failed: z.array(z.string()).describe('Entities and counters that could not be counted'),
  flags: z.array(z.string()).describe('clock_back; <counter>.key_missing, .key_long, .amount_invalid; client.key_long'),
  day_lost: z.boolean().describe('The store lost the windows of counters within the last day'),
};

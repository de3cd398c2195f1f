import { z } from 'zod';

/** What address databases say beside country, city and number: fields of `input.signals.network.value`. */
export const PLACE_FIELDS = {
  coordinates: z
    .strictObject({
      latitude: z.number().describe('-90 to 90'),
      longitude: z.number().describe('-180 to 180'),
      accuracy_km: z.number().nullable().describe('Radius of uncertainty, or null'),
    })
    .nullable()
    .describe('WGS 84 degrees of the place, or null'),
  in_eu: z.boolean().nullable().describe('The country is in the European Union; null without a country'),
};

/** How fresh that is, and what was odd about it. */
export const DATA_FIELDS = {
  data_built_at: z
    .number()
    .nullable()
    .describe('Build time of the oldest database that knew the address, unix seconds; null where none did or one does not say'),
  data_age_seconds: z.number().nullable().describe('Its age when the request came, or null'),
  data_flags: z.array(z.string()).describe('What was odd about the data: coordinates_invalid, database_from_future'),
};

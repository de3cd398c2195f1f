import { z } from 'zod';
import { CLIENT_STATUSES, CLIENT_TYPES } from '../contract/registry.ts';

const FITS = ['any', 'expected', 'unexpected', 'unknown'] as const;
const textOrNull = (about: string) => z.string().nullable().describe(about);
const texts = (about: string) => z.array(z.string()).describe(about);

/** `input.signals.api_key.value`. */
export const API_KEY_VALUE = {
  id: z.string().describe('Of the key; not secret'),
  client_id: z.string().describe('The client that it belongs to'),
  scopes: texts("Its scopes, within the client's own"),
  expires_at: z.number().nullable().describe('unix seconds, or null'),
};

/** `input.subject.client`. */
export const CLIENT = z
  .strictObject({
    id: z.string().describe('The client that verified evidence names'),
    name: textOrNull('For people'),
    type: z.enum(CLIENT_TYPES).nullable().describe('service, agent or device'),
    owner: textOrNull('Who answers for it'),
    tier: textOrNull('As declared'),
    status: z.enum(CLIENT_STATUSES).nullable().describe('active, suspended or retired'),
    scopes: texts('The most that its credentials may hold; null: whatever they hold').nullable(),
    tags: texts('As declared'),
    issuer: z.enum(FITS).describe("Whether the verified token's issuer is one of its own; any: it has none, or there is no token"),
    network: z.enum(FITS).describe('Whether the client address lies in its networks; any: it has none; unknown: no address is known'),
    country: z
      .enum([...FITS, 'unavailable'])
      .describe('The same for the country of the address; unavailable: our source of countries failed'),
  })
  .nullable()
  .describe(
    'The caller and its own record; null where no verified evidence names a client, or where two disagree. Of one without a record all but the id is null, [] or any',
  );

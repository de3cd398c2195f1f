import { z } from 'zod';
import { sha256, whenSound } from './forms.ts';

const entriesMax = z.int().min(100).max(10_000_000).default(100_000);
const learningRequests = z
  .int()
  .min(0)
  .max(1_000_000)
  .default(100)
  .describe('Allowed requests of a client before anything can be new for it.');
const learningHours = z
  .number()
  .min(0)
  .max(8760)
  .default(24)
  .describe('Hours since the first request of a client before anything can be new for it.');
const enabled = z.boolean().default(true);

const known = z
  .strictObject({
    client: z.string().min(1).max(1024).describe('The client, as its verified evidence names it.'),
    ja4: z
      .string()
      .toLowerCase()
      .regex(/^[tqd][0-9a-z]{2}[di][0-9]{4}[0-9a-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$/, 'must be a JA4 fingerprint')
      .nullable()
      .default(null)
      .describe('JA4 of its TLS client.'),
    ja3: z
      .string()
      .toLowerCase()
      .regex(/^[0-9a-f]{32}$/, 'must be a JA3 fingerprint: 32 hexadecimal digits')
      .nullable()
      .default(null)
      .describe('JA3 of its TLS client.'),
    certificateSha256: sha256.nullable().default(null).describe('SHA-256 of its certificate (DER).'),
  })
  .refine((value) => (value.ja4 ?? value.ja3 ?? value.certificateSha256) !== null, {
    error: 'needs one of ja4, ja3 and certificateSha256 at least',
    when: whenSound('ja4', 'ja3', 'certificateSha256'),
  });

/** What is remembered of the devices of clients. */
export const device = z
  .strictObject({
    enabled: enabled.describe('Tell `signals.device`.'),
    entriesMax: entriesMax.describe(
      'Clients whose devices are remembered; a full memory lets only clients go that were idle for two hours.',
    ),
    learningRequests,
    learningHours,
    known: z
      .array(known)
      .max(100_000)
      .default([])
      .describe('Registered devices of clients: `signals.device` says whether a request comes from one.'),
  })
  .prefault({})
  .describe('Devices: TLS fingerprints and user agents, and which of them each client was allowed with.');

/** What is remembered of what clients do. */
export const behaviour = z
  .strictObject({
    enabled: enabled.describe('Tell `signals.behaviour`.'),
    entriesMax: entriesMax.describe(
      'Clients that are remembered, and of tokens and addresses as many each; a full memory lets only those go that were idle for two hours.',
    ),
    learningRequests,
    learningHours,
    feedbackEntriesMax: z
      .int()
      .min(100)
      .max(10_000_000)
      .default(100_000)
      .describe('Decisions that outcomes may be reported on, for five minutes each; the oldest go first.'),
  })
  .prefault({})
  .describe('What clients do: counted in this process, and gone with it.');

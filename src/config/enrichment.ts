import { z } from 'zod';
import { addressBlock, filePath, SECRET_MARK } from './forms.ts';
import { hostingAsns, lists, listsAcceptFile } from './lists.ts';

/** What is known about addresses. */
export const network = z
  .strictObject({
    trustedProxies: z
      .array(addressBlock)
      .default([])
      .describe('Addresses and blocks of proxies; the client address is the first one from the right in the chain that is not among them.'),
    databases: z.array(filePath).default([]).describe('MaxMind database files (`.mmdb`) of any layout.'),
    registry: z.boolean().default(true).describe('Use the packaged registry assignments for the country where no database knows it.'),
    lists,
    listsAcceptFile,
    hostingAsns,
  })
  .prefault({})
  .describe('Facts about client addresses.');

const redisUrl = z
  .string()
  .refine((value) => {
    if (!URL.canParse(value)) return false;
    const url = new URL(value);
    return (url.protocol === 'redis:' || url.protocol === 'rediss:') && url.hostname !== '' && url.search === '' && url.hash === '';
  }, 'must be a URL such as redis://user:password@host:6379/0, without query and fragment')
  .meta({ [SECRET_MARK]: 'url' });

/** Where counters and used proofs live. */
export const store = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z
        .literal('memory')
        .describe('`memory` (the default) keeps counters and used proofs in this process, `redis` shares them between replicas.'),
      entriesMax: z
        .int()
        .min(100)
        .max(100_000_000)
        .default(200_000)
        .describe('Entities that are counted at once (memory); a full store makes new ones `unavailable`.'),
      replayEntriesMax: z
        .int()
        .min(100)
        .max(100_000_000)
        .default(200_000)
        .describe('Used proofs that are remembered at once (memory); a full memory makes new ones `unavailable`.'),
    }),
    z.strictObject({
      kind: z
        .literal('redis')
        .describe('`memory` (the default) keeps counters and used proofs in this process, `redis` shares them between replicas.'),
      url: redisUrl.describe(
        'Address of Redis or Valkey (redis); `rediss` for TLS. It may hold a password: better set by the environment.',
      ),
      deadlineMs: z.int().min(1).max(5000).default(25).describe('Time that one question to Redis may take (redis).'),
      keyPrefix: z
        .string()
        .regex(/^[A-Za-z0-9:._-]{1,64}$/, 'must be 1 to 64 letters, digits and ":._-"')
        .default('countersign')
        .describe('Begin of every key (redis).'),
    }),
  ])
  .prefault({ kind: 'memory' })
  .describe('Where counters, and the identifiers of used proofs, live.');

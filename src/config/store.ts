import { z } from 'zod';
import { SECRET_MARK } from './forms.ts';

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
        .describe(
          '`memory` (the default) keeps counters, used proofs and what is known of clients in this process, `redis` shares them between replicas.',
        ),
      entriesMax: z
        .int()
        .min(100)
        .max(100_000_000)
        .default(200_000)
        .describe('Entities that are counted at once (memory); a full store makes new ones `unavailable`.'),
      counterEntriesMax: z
        .int()
        .min(100)
        .max(10_000_000)
        .default(20_000)
        .describe("Keys that each counter of a policy's own counts at once (memory); a full counter makes new ones `failed`."),
      replayEntriesMax: z
        .int()
        .min(100)
        .max(100_000_000)
        .default(200_000)
        .describe('Used proofs that are remembered at once (memory); a full memory makes new ones `unavailable`.'),
    }),
    z
      .strictObject({
        kind: z
          .literal('redis')
          .describe(
            '`memory` (the default) keeps counters, used proofs and what is known of clients in this process, `redis` shares them between replicas.',
          ),
        url: redisUrl.describe(
          'Address of Redis or Valkey (redis); `rediss` for TLS. It may hold a password: better set by the environment.',
        ),
        sentinels: z
          .array(redisUrl)
          .max(16)
          .default([])
          .describe(
            'Addresses of sentinels, with the credentials that they ask for (redis). The host of `url` is then the name of their group; its credentials are those of the servers.',
          ),
        cluster: z
          .array(redisUrl)
          .max(64)
          .nullable()
          .default(null)
          .describe(
            'Further nodes of the Redis Cluster that `url` is one of; `[]` where it is named alone. null where it is no cluster (redis).',
          ),
        deadlineMs: z.int().min(1).max(5000).default(25).describe('Time that one question to Redis may take (redis).'),
        keyPrefix: z
          .string()
          .regex(/^[A-Za-z0-9:._-]{1,64}$/, 'must be 1 to 64 letters, digits and ":._-"')
          .default('countersign')
          .describe('Begin of every key (redis).'),
      })
      .superRefine(agree),
  ])
  .prefault({ kind: 'memory' })
  .describe('Where counters, and the identifiers of used proofs, live.');

type RedisForm = { readonly url: string; readonly sentinels: readonly string[]; readonly cluster: readonly string[] | null };

/** A store has one form, and the nodes of a cluster have one sign-in. */
function agree({ url, sentinels, cluster }: RedisForm, context: z.RefinementCtx): void {
  const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (cluster !== null && sentinels.length > 0) refuse('cluster', 'and sentinels are two ways to run Redis: name one');
  if (cluster !== null && [url, ...cluster].some((node) => databaseOf(node) !== '')) refuse('cluster', 'has one database: leave it out');
  if (cluster?.some((node) => signInOf(node) !== signInOf(url))) refuse('cluster', 'must have the scheme, user and password of url');
  const [first] = sentinels;
  if (sentinels.some((node) => signInOf(node) !== signInOf(first ?? ''))) {
    refuse('sentinels', 'must have one scheme, user and password');
  }
}

function databaseOf(node: string): string {
  return URL.canParse(node) ? new URL(node).pathname.replace(/^\/0?$/, '') : '';
}

function signInOf(node: string): string {
  if (!URL.canParse(node)) return '';
  const { protocol, username, password } = new URL(node);
  return JSON.stringify([protocol, username, password]);
}

import { z } from 'zod';
import { AGREEMENT_PAIRS } from '../contract/agreement.ts';
import { ACTOR_FLAGS } from '../contract/delegation.ts';

/* Parts of `input-schema.ts`: who acts for whom, transaction tokens, and what the pieces of evidence say of each other. */

const text = (about: string) => z.string().describe(about);
const textOrNull = (about: string) => z.string().nullable().describe(about);
const texts = (about: string) => z.array(z.string()).describe(about);
const textsOrNull = (about: string) => z.array(z.string()).nullable().describe(about);
const seconds = (about: string) => z.number().describe(`${about}, unix seconds`);
const json = (about: string) => z.record(z.string(), z.unknown()).describe(about);

/** RFC 8693 section 4.1. */
export const ActorInput = z
  .strictObject({
    subject: textOrNull('sub of the outermost act, who acts now'),
    issuer: textOrNull('Its iss'),
    client_id: textOrNull('Its client_id'),
    depth: z.number().describe('Length of the chain'),
    chain: z
      .array(
        z.strictObject({
          subject: textOrNull('sub'),
          issuer: textOrNull('iss'),
          client_id: textOrNull('client_id'),
          scopes: textsOrNull('From scope or scp; null where it says neither'),
        }),
      )
      .describe('All actors, the current one first; the others are history and grant nothing'),
    flags: z.array(z.enum(ACTOR_FLAGS)).describe('subject_missing: the current actor has no sub; prior_subject_missing: an earlier one'),
  })
  .nullable()
  .describe('RFC 8693 act, or null');

export const DelegationInput = z
  .strictObject({
    depth: z.number().describe('Length of the chain'),
    actor_identified: z.boolean().describe('The current actor has a sub or a client_id'),
    widened: z.boolean().nullable().describe('A hop holds a scope that its parent lacks; null where scopes of a hop are not known'),
    widened_scopes: texts('Those scopes'),
    complete: z.boolean().describe('The scopes of every hop are known'),
  })
  .nullable()
  .describe('What became of the scopes along the chain; null where nobody acts for the subject');

/** RFC 9396 section 2. */
export const DetailsInput = z
  .array(
    z.looseObject({
      type: text('What the other members mean'),
      locations: textsOrNull('Null where it is left out'),
      actions: textsOrNull('Likewise'),
      datatypes: textsOrNull('Likewise'),
      privileges: textsOrNull('Likewise'),
      identifier: textOrNull('Likewise'),
    }),
  )
  .describe('RFC 9396; members of the type itself beside the common ones');

/** Value of `signals.txn_token`. */
export const TxnTokenInput = {
  issuer: text('As configured'),
  txn: text('Id of the transaction'),
  subject: text('sub, unique in the trust domain'),
  scopes: texts('From scope; what the transaction is for'),
  req_wl: text('The workload that asked for the token'),
  trust_domain: text('aud'),
  tctx: json('What stays the same through the call chain'),
  rctx: json('Where the request came from'),
  issued_at: seconds('iat'),
  expires_at: seconds('exp'),
  age_seconds: z.number().describe('Seconds since iat'),
};

const pair = z.enum(['agree', 'conflict', 'unknown']).describe('unknown: one is not there, or gives no name to compare');

/** `evidence.agreement.pairs`. */
export const PairsInput = z
  .strictObject(Object.fromEntries(AGREEMENT_PAIRS.map((name) => [name, pair])))
  .describe('Each two pieces of evidence, by the names that they give');

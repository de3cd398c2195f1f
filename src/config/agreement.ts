import { z } from 'zod';

/** The pairs of `contract/agreement.ts`, kept equal by a test. */
const PAIRS = [
  'token_certificate',
  'token_api_key',
  'token_txn_token',
  'token_signature',
  'certificate_api_key',
  'certificate_txn_token',
  'certificate_signature',
  'certificate_fingerprint',
  'api_key_signature',
  'client_issuer',
  'client_certificate',
  'client_api_key',
  'client_signature',
  'client_fingerprint',
] as const;

/** Names without a parameter; which piece of evidence gives which is for `identify/agreement-views.ts` to say. */
const SELECTOR = /^[a-z][a-z0-9_]{0,31}$|^claim:[\x21-\x7e]{1,128}$|^spiffe_path_segment:[1-9]\d?$/;

const selector = z
  .string()
  .regex(SELECTOR, 'must be a name such as client_id, subject, claim:team, spiffe_path_last or spiffe_path_segment:2');

const rule = z.strictObject({
  pair: z.enum(PAIRS).describe('The two pieces of evidence, the left one first.'),
  left: selector.describe('Of a token `client_id`, `subject`, `issuer` or `claim:<name>`; of a transaction token as on the right.'),
  right: selector.describe(
    'Of a certificate `client_id` (by `clients`), `spiffe_id`, `spiffe_path_last`, `spiffe_path_segment:<n>`, `trust_domain`, `dns`, `uri` or `subject_cn`; of a transaction token `subject`, `requesting_workload` or `trust_domain`; of a message signature `client_id`, `key_id` or `agent`; of an API key `client_id` or `id`; of the connection `ja3` or `ja4`.',
  ),
  ignoreCase: z.boolean().default(false).describe('Whether `A` is `a`.'),
});

/** How pieces of evidence are held against each other. */
export const agreement = z
  .strictObject({
    rules: z
      .array(rule)
      .max(64)
      .default([])
      .describe('Names that have to be the same, beside the built-in comparisons; each rule of a pair must hold.'),
    withoutBuiltIn: z
      .array(z.enum(PAIRS))
      .default([])
      .describe('Pairs whose built-in comparison is left out, for example `token_txn_token` where the two name subjects differently.'),
  })
  .prefault({})
  .describe('How pieces of evidence are held against each other: `evidence.agreement`.');

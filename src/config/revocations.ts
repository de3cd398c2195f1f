import { z } from 'zod';

/** What operators revoke through the admin API. */
export const revocations = z
  .strictObject({
    entriesMax: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(100_000)
      .describe('Revocations made through the admin API at once; more are refused.'),
    pollMs: z
      .int()
      .min(50)
      .max(500)
      .default(250)
      .describe('Pause between two looks at the version that replicas share (store redis): the longest that a missed message costs.'),
    ageMaxSeconds: z
      .int()
      .min(1)
      .max(604_800)
      .nullable()
      .default(null)
      .describe('`/readyz` is not ready once Redis could not be asked for so long; null: what is known is enough.'),
    required: z
      .boolean()
      .nullable()
      .default(null)
      .describe(
        'Before what is revoked was ever read (Redis away since the start and nothing kept in `state.directory`, or a damaged file there) no credential counts and `/readyz` is not ready; false decides without it. null: true where `operations.tokens` has somebody who may revoke.',
      ),
  })
  .prefault({})
  .describe('Revocations that operators make while the service runs.');

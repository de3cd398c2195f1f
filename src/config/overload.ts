import { z } from 'zod';

/** When questions are turned away before they are read, over all protocols. */
export const overload = z
  .strictObject({
    heldBytesMax: z
      .int()
      .min(1_048_576)
      .max(17_179_869_184)
      .default(134_217_728)
      .describe(
        'Bytes of questions that arrive or are at work, over HTTP and gRPC together; more are answered `overloaded`. One question of the longest kind always has room.',
      ),
    queueMs: z
      .int()
      .min(1)
      .max(60_000)
      .nullable()
      .default(null)
      .describe(
        'A question that has stood so long behind others that arrived together with it is answered `overloaded` and not decided. Null: never.',
      ),
  })
  .prefault({})
  .describe('When questions are turned away so that the others are answered in time.');

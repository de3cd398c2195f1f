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
      .default(100)
      .describe(
        'Once the process has had something to do without a rest for so long, questions are answered `overloaded` and not decided until it has one: so long at most the others have waited. Null: never.',
      ),
  })
  .prefault({})
  .describe('When questions are turned away so that the others are answered in time.');

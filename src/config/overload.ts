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
        'A question that has waited so long for its turn is answered `overloaded` and not decided, where the queue has stood for five times as long and is too long to be answered in time. Null: never.',
      ),
  })
  .prefault({})
  .describe('When questions are turned away so that the others are answered in time.');

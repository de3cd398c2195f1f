import { z } from 'zod';

/** How the process begins. */
export const start = z
  .strictObject({
    warmUpMs: z
      .int()
      .min(0)
      .max(60_000)
      .default(1000)
      .describe(
        'Before it says that it is ready the service decides questions of its own, for this long at most: the first decisions of a process cost several times what later ones do. 0: none.',
      ),
  })
  .prefault({})
  .describe('How the process begins.');

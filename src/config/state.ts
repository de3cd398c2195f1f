import { z } from 'zod';
import { filePath } from './forms.ts';

/** What outlives the process. */
export const state = z
  .strictObject({
    directory: filePath
      .nullable()
      .default(null)
      .describe(
        'A folder of this process alone that outlives it: the last policies that were good, pushed data; null keeps nothing over a restart.',
      ),
  })
  .prefault({})
  .describe('What is kept over a restart.');

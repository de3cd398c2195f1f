import { z } from 'zod';
import { addressBlock, filePath } from './forms.ts';
import { hostingAsns, lists, listsAcceptFile } from './lists.ts';

/** What is known about addresses. */
export const network = z
  .strictObject({
    trustedProxies: z
      .array(addressBlock)
      .default([])
      .describe('Addresses and blocks of proxies; the client address is the first one from the right in the chain that is not among them.'),
    databases: z
      .array(
        z.union([
          filePath,
          z.strictObject({
            file: filePath.describe('Path of the file.'),
            refreshSeconds: z
              .int()
              .min(1)
              .max(86_400)
              .default(2)
              .describe('How often to look whether the file was replaced; it is used once it was the same at two looks.'),
          }),
        ]),
      )
      .default([])
      .describe('MaxMind database files (`.mmdb`) of any layout: paths, or `{file, refreshSeconds}`. The first that knows a field wins.'),
    registry: z.boolean().default(true).describe('Use the packaged registry assignments for the country where no database knows it.'),
    lists,
    listsAcceptFile,
    hostingAsns,
  })
  .prefault({})
  .describe('Facts about client addresses.');

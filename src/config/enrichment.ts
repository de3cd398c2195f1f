import { z } from 'zod';
import { addressBlock, filePath } from './forms.ts';

/** What is known about addresses. */
export const network = z
  .strictObject({
    trustedProxies: z
      .array(addressBlock)
      .default([])
      .describe('Addresses and blocks of proxies; the client address is the first one from the right in the chain that is not among them.'),
    databases: z.array(filePath).default([]).describe('MaxMind database files (`.mmdb`) of any layout.'),
    registry: z.boolean().default(true).describe('Use the packaged registry assignments for the country where no database knows it.'),
  })
  .prefault({})
  .describe('Facts about client addresses.');

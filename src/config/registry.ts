import { z } from 'zod';
import { filePath, name, repeated, SECRET_MARK, whenSound } from './forms.ts';

const hashKey = z
  .strictObject({
    id: name.describe('What the hashes in the files name it by.'),
    secret: z
      .string()
      .regex(/^[\x21-\x7e]{32,}$/, 'must have 32 printable characters at least, and no spaces')
      .meta({ [SECRET_MARK]: 'text' })
      .nullable()
      .default(null)
      .describe('The secret itself. Exactly one of secret and file is needed.'),
    file: filePath.nullable().default(null).describe('File that holds the secret in its one line; read at the start.'),
  })
  .refine((value) => (value.secret === null) !== (value.file === null), {
    error: 'needs exactly one of secret and file',
    when: whenSound('secret', 'file'),
  });

/** Who is known by declaration. */
export const registry = z
  .strictObject({
    directory: filePath.describe('Folder with the files of clients and API keys, and with `revocations.yaml`; read again as they change.'),
    hashKeys: z
      .array(hashKey)
      .superRefine((value, context) => {
        for (const index of repeated(value.map((one) => one.id))) {
          context.addIssue({ code: 'custom', path: [index, 'id'], message: 'is the id of another hash key too' });
        }
      })
      .default([])
      .describe(
        'Secrets that the hashes of API keys are made with; several while they are being replaced. Without any no API key is accepted.',
      ),
    entriesMax: z.int().min(1).max(1_000_000).default(250_000).describe('Clients, API keys, and revocations, of each at most.'),
    bytesMax: z
      .int()
      .min(1024)
      .max(1_073_741_824)
      .default(134_217_728)
      .describe('Size of the files of clients and keys together, and of those of revocations.'),
  })
  .nullable()
  .default(null)
  .describe('Clients and API keys that are declared in files, and the kill switch; null: none are.');

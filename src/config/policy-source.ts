import { z } from 'zod';
import { filePath } from './forms.ts';

/** How a bundle server is asked; a path is looked at every second or two. */
export const polling = z
  .strictObject({
    minMs: z.int().min(100).max(3_600_000).default(10_000).describe('Least time between two questions.'),
    maxMs: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(20_000)
      .describe(
        'Most time between two questions: each waits for a time of chance between the two, and after failures longer each time, up to this.',
      ),
    waitMs: z
      .int()
      .min(0)
      .max(600_000)
      .default(30_000)
      .describe('How long a server that can (by its content type) may hold a question until there is something new; 0: not at all.'),
    timeoutMs: z.int().min(100).max(600_000).default(10_000).describe('For one question, its body included; `waitMs` comes on top.'),
    bytesMax: z.int().min(1024).max(33_554_432).default(33_554_432).describe('Size of a bundle.'),
  })
  .refine((value) => value.minMs <= value.maxMs, { error: 'must not be less than minMs', path: ['maxMs'] })
  .prefault({})
  .describe('How the bundle server is asked.');

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'HS256', 'HS384', 'HS512'] as const;

/** Whose signatures count. */
export const signing = z
  .strictObject({
    keys: z
      .record(
        z.string().min(1).max(256),
        z.strictObject({
          algorithm: z.enum(ALGORITHMS).describe('The only algorithm that the key is used with.'),
          keyFile: filePath.describe('PEM of the public key or of a certificate; for HS algorithms the secret itself.'),
        }),
      )
      .refine((value) => Object.keys(value).length > 0, 'must hold a key')
      .describe('Keys that may sign, by their ids.'),
    keyId: z.string().min(1).nullable().default(null).describe('The only key that may sign; null takes the one that the signature names.'),
    scope: z.string().min(1).nullable().default(null).describe('What the `scope` of the signature must be; null: it must have none.'),
  })
  .refine((value) => value.keyId === null || Object.hasOwn(value.keys, value.keyId), { error: 'is none of the keys', path: ['keyId'] })
  .nullable()
  .default(null)
  .describe("Keys that bundles must be signed by, in OPA's form; null: a signed bundle is refused, since nothing here could verify it.");

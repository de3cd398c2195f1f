import { z } from 'zod';
import { filePath, SECRET_MARK, whenSound } from './forms.ts';

const SECRET_FORM = /^(?:[0-9a-fA-F]{2}){16,256}$/;
/** A text that somebody typed has fewer. */
const DIGITS_MIN = 6;

const canary = z
  .strictObject({
    percent: z
      .number()
      .min(0)
      .max(100)
      .default(0)
      .describe('Percent of the callers whom the candidate decides for. A higher number only adds callers.'),
    keyFile: filePath
      .nullable()
      .default(null)
      .describe('File with the key by which callers are chosen: hexadecimal, 32 digits at least. All replicas must have the same.'),
    secret: z
      .string()
      .regex(SECRET_FORM, 'must be hexadecimal, 32 digits at least (openssl rand -hex 32)')
      .refine((value) => new Set(value.toLowerCase()).size >= DIGITS_MIN, 'is no random key')
      .meta({ [SECRET_MARK]: 'hash' })
      .nullable()
      .default(null)
      .describe('The key itself, instead of `keyFile`: better set by the environment.'),
  })
  .refine((value) => value.keyFile === null || value.secret === null, {
    error: 'and keyFile are two ways to give one key: name one',
    path: ['secret'],
    when: whenSound('keyFile', 'secret'),
  })
  .refine((value) => value.percent === 0 || value.keyFile !== null || value.secret !== null, {
    error: 'needs keyFile or secret',
    path: ['percent'],
    when: whenSound('percent', 'keyFile', 'secret'),
  })
  .prefault({})
  .describe('For whom the candidate decides: by a keyed hash of the verified client, else of the address.');

const shadow = z
  .strictObject({
    share: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('Share of the requests that the candidate is evaluated on too, after they were answered; 0: none, 1: all.'),
    budgetMs: z
      .int()
      .min(1)
      .max(1000)
      .default(100)
      .describe('Milliseconds of each second that these evaluations may take; what comes then is dropped and counted.'),
    queueMax: z.int().min(1).max(10_000).default(256).describe('Requests that may wait for it; what comes then is dropped and counted.'),
    diffsPerSecond: z.int().min(0).max(1000).default(10).describe('Most lines a second in the decision log about requests that differ.'),
  })
  .prefault({})
  .describe('Evaluates the candidate beside the policy, without any effect on answers.');

/** A bundle that is tried beside the active one. */
export function candidateOf<T extends z.ZodType>(bundle: T) {
  return z
    .strictObject({ bundle, shadow, canary })
    .nullable()
    .default(null)
    .describe("A bundle that is tried before it becomes the policy. Signatures, polling and all else are as the policy's.");
}

/** What is decided and not enforced. */
export const monitor = z
  .strictObject({
    routes: z
      .enum(['refused', 'allowed'])
      .default('refused')
      .describe('Whether route catalogues, data that is pushed included, may say `enforce: false`; where refused, they are refused whole.'),
    critical: z
      .enum(['enforced', 'forced'])
      .default('enforced')
      .describe(
        '`forced`: routes of tier critical, and ambiguous paths, are not enforced either where their gateway or catalogue says so.',
      ),
  })
  .prefault({})
  .describe('Bounds of monitor mode (`enforce: false`), in which requests pass that would have been denied.');

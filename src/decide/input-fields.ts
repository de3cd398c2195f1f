import { z } from 'zod';

/* Forms of the fields in `input-schema.ts`, each with what it is about. */

export const text = (about: string) => z.string().describe(about);
export const textOrNull = (about: string) => z.string().nullable().describe(about);
export const number = (about: string) => z.number().describe(about);
export const seconds = (about: string) => z.number().describe(`${about}, unix seconds`);
export const secondsOrNull = (about: string) => z.number().nullable().describe(`${about}, unix seconds, or null`);
export const texts = (about: string) => z.array(z.string()).describe(about);
export const flag = (about: string) => z.boolean().describe(about);
export const json = (about: string) => z.record(z.string(), z.unknown()).describe(about);

/** The four states of a signal; `value` only where it is present, `code` only where it is not. */
export function signal<T extends z.ZodRawShape>(about: string, value: T) {
  return z
    .discriminatedUnion('status', [
      z.strictObject({
        status: z.literal('present').describe('known'),
        value: z.strictObject(value).describe('What is known; there only where status is present'),
      }),
      z.strictObject({
        status: z
          .enum(['absent', 'invalid', 'unavailable'])
          .describe('absent: not offered; invalid: offered and refused; unavailable: our source failed'),
        code: text('Why it is not present; there only where status is not present'),
      }),
    ])
    .describe(about);
}

import { z } from 'zod';
import { isAddressBlock } from '../formats/address-blocks.ts';
import type { Problems } from './problem.ts';
import type { Entry } from './sections.ts';

/* Forms that entries of all kinds share. Their messages name no value. */

const LIST_MAX = 64;
const SCOPES_MAX = 256;
const NAME_MAX = 200;

/** A list without repetitions. */
export function listOf<T extends z.ZodType<string>>(item: T, itemsMax = LIST_MAX) {
  return z
    .array(item)
    .max(itemsMax, `must have ${itemsMax} items at most`)
    .refine((items) => new Set(items).size === items.length, 'names something twice');
}

export const clientId = z.string().regex(/^[\x21-\x7e]{1,256}$/, 'must be 1 to 256 printable characters without spaces');
export const issuer = z.string().regex(/^[\x21-\x7e]{1,512}$/, 'must be 1 to 512 printable characters without spaces');
export const freeText = z.string().min(1, 'must not be empty').max(NAME_MAX, `must have ${NAME_MAX} characters at most`);
/** RFC 6749 section 3.3, scope-token. */
export const scopes = listOf(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'must be a scope without spaces'), SCOPES_MAX);
export const networks = listOf(z.string().refine(isAddressBlock, 'must be an IP address or a block such as 10.0.0.0/8'));
export const hex256 = z.string().transform((text, context) => {
  const hex = text.replaceAll(':', '').toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  context.addIssue({ code: 'custom', message: 'must be a SHA-256 as 64 hexadecimal digits' });
  return z.NEVER;
});

/** A moment as unix seconds: RFC 3339 with its offset, or a day, which begins at 00:00 UTC. */
export const moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], 'must be a time such as 2027-01-31T00:00:00Z, or a day')
  .transform((text) => Math.floor(Date.parse(text) / 1000));

/** The entry in its form, or null with its problems noted. */
export function readEntry<T>(form: z.ZodType<T>, { file, line, field, value }: Entry, problems: Problems): T | null {
  const read = form.safeParse(value);
  if (read.success) return read.data;
  for (const issue of read.error.issues) {
    const at = fieldOf(field, issue.path);
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) problems.add(file, line, fieldOf(at, [key]), 'is not known here');
    } else
      problems.add(file, line, at, issue.code === 'invalid_type' && issue.input === undefined ? messageOf(issue.message) : issue.message);
  }
  return null;
}

function messageOf(message: string): string {
  return message.endsWith('received undefined') ? 'is missing' : message;
}

/** Names out of foreign text are shown only where they look like names. */
function fieldOf(field: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((at, part) => {
    if (typeof part === 'number') return `${at}[${part}]`;
    const name = String(part);
    return `${at}.${/^[A-Za-z][A-Za-z0-9_-]{0,40}$/.test(name) ? name : '?'}`;
  }, field);
}

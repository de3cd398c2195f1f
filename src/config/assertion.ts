import { z } from 'zod';
import { filePath, name, repeated, SECRET_MARK, whenSound } from './forms.ts';

const key = z
  .strictObject({
    id: name.describe('What `active` and `/status` name it by; in assertions it is named by its thumbprint.'),
    pem: z
      .string()
      .includes('-----BEGIN ', { message: 'must be a key in PEM' })
      .meta({ [SECRET_MARK]: 'text' })
      .nullable()
      .default(null)
      .describe('The key itself, in PEM. Exactly one of pem and file is needed.'),
    file: filePath.nullable().default(null).describe('PEM file with the key; read again as it changes.'),
  })
  .refine((value) => (value.pem === null) !== (value.file === null), {
    error: 'needs exactly one of pem and file',
    when: whenSound('pem', 'file'),
  });

/** What upstreams can verify by themselves. */
export const assertion = z
  .strictObject({
    keys: z
      .array(key)
      .min(1, 'needs a key')
      .superRefine((value, context) => {
        for (const index of repeated(value.map((one) => one.id))) {
          context.addIssue({ code: 'custom', path: [index, 'id'], message: 'is the id of another key too' });
        }
      })
      .describe('Keys of P-256 (ES256) or Ed25519 (EdDSA), all published; one that does not sign may be a public key.'),
    active: name.nullable().default(null).describe('The key that signs, by its id; null: the first.'),
    lifetimeSeconds: z.int().min(5).max(300).default(60).describe('Time after which an assertion is no longer good.'),
  })
  .refine(({ keys, active }) => active === null || keys.some(({ id }) => id === active), {
    path: ['active'],
    error: 'is the id of no key',
    when: whenSound('keys', 'active'),
  })
  .nullable()
  .default(null)
  .describe('A signed `x-countersign-assertion` for the upstream on every allow; null: none.');

type Config = { readonly assertion: z.output<typeof assertion>; readonly publicUrl: string | null; readonly allowAnonymous: boolean };

/** What is wrong with it beside the other sections: path and message. */
export function assertionProblems({ assertion: said, publicUrl, allowAnonymous }: Config): readonly (readonly [string, string])[] {
  if (said === null) return [];
  const problems: [string, string][] = [];
  if (publicUrl === null) problems.push(['publicUrl', 'is needed: it is the issuer of assertions']);
  if (allowAnonymous) problems.push(['assertion', 'goes not with `allowAnonymous`: anybody could have anything asserted']);
  return problems;
}

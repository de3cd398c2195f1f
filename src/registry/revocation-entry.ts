import { hash } from 'node:crypto';
import { z } from 'zod';
import { API_KEY_ID } from '../formats/api-key-text.ts';
import { clientId, freeText, hex256, issuer, moment } from './entry-forms.ts';

/** One revocation in the form that it is looked up by. */
export type Revocation =
  | { readonly kind: 'client' | 'apiKey' | 'sha256' | 'serial'; readonly key: string }
  | { readonly kind: 'jti' | 'sid'; readonly key: string; readonly issuer: string | null }
  | {
      readonly kind: 'issuedBefore';
      readonly atSeconds: number;
      readonly issuer: string | null;
      readonly client: string | null;
      readonly subject: string | null;
    };

const reason = freeText.nullable().default(null);
export const tokenName = z.string().min(1, 'must not be empty').max(1024, 'must have 1024 characters at most');
export const serial = z.string().transform((text, context) => {
  const hex = text.replaceAll(':', '').toLowerCase();
  if (/^[0-9a-f]{1,80}$/.test(hex)) return hex.replace(/^0+(?=.)/, '');
  context.addIssue({ code: 'custom', message: 'must be a serial number in hexadecimal digits, in quotes' });
  return z.NEVER;
});
export const ofIssuer = issuer.nullable().default(null);

export const ofSubject = tokenName.nullable().default(null);

/** `revocations[]` as it is written: what decides the kind is the member that it has. */
const FORMS = {
  issuedBefore: z
    .strictObject({ issuedBefore: moment, client: clientId.nullable().default(null), issuer: ofIssuer, subject: ofSubject, reason })
    .transform(
      ({ issuedBefore: atSeconds, client, issuer: from, subject }): Revocation => ({
        kind: 'issuedBefore',
        atSeconds,
        client,
        issuer: from,
        subject,
      }),
    ),
  client: z.strictObject({ client: clientId, reason }).transform(({ client }): Revocation => ({ kind: 'client', key: client })),
  apiKey: z
    .strictObject({ apiKey: z.string().regex(API_KEY_ID, 'must be the id of an API key, 15 letters and digits'), reason })
    .transform(({ apiKey }): Revocation => ({ kind: 'apiKey', key: apiKey })),
  jti: z
    .strictObject({ jti: tokenName, issuer: ofIssuer, reason })
    .transform(({ jti, issuer: from }): Revocation => ({ kind: 'jti', key: hash('sha256', jti, 'base64url'), issuer: from })),
  jtiHash: z
    .strictObject({ jtiHash: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be a SHA-256 in base64url'), issuer: ofIssuer, reason })
    .transform(({ jtiHash, issuer: from }): Revocation => ({ kind: 'jti', key: jtiHash, issuer: from })),
  sid: z
    .strictObject({ sid: tokenName, issuer: ofIssuer, reason })
    .transform(({ sid, issuer: from }): Revocation => ({ kind: 'sid', key: sid, issuer: from })),
  certificateSha256: z
    .strictObject({ certificateSha256: hex256, reason })
    .transform(({ certificateSha256 }): Revocation => ({ kind: 'sha256', key: certificateSha256 })),
  certificateSerial: z
    .strictObject({ certificateSerial: serial, reason })
    .transform(({ certificateSerial }): Revocation => ({ kind: 'serial', key: certificateSerial })),
} as const;

type Kind = keyof typeof FORMS;
/** `issuedBefore` comes first, since it may name a client too. */
const KINDS: readonly Kind[] = ['issuedBefore', 'client', 'apiKey', 'jti', 'jtiHash', 'sid', 'certificateSha256', 'certificateSerial'];
const NONE = z.never(`must have one of ${KINDS.join(', ')}`);

/** The form that an entry must have, by the member that says what is revoked. */
export function revocationForm(value: unknown): z.ZodType<Revocation> {
  const kind = typeof value === 'object' && value !== null ? KINDS.find((one) => Object.hasOwn(value, one)) : undefined;
  return kind === undefined ? NONE : FORMS[kind];
}

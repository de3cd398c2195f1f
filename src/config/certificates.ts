import { z } from 'zod';
import { filePath, httpUrl, name, repeated, sha256, whenSound } from './forms.ts';

const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;

const trustBundle = z.strictObject({
  name: name.describe('Name of the bundle in the policy input, logs and metrics.'),
  file: filePath.describe('CA certificates in PEM, or a SPIFFE bundle in JSON; read again as it changes.'),
  trustDomain: z
    .string()
    .regex(TRUST_DOMAIN, 'must be a trust domain such as example.org')
    .nullable()
    .default(null)
    .describe('It vouches for SPIFFE ids of this trust domain only; null: only for certificates without a SPIFFE id.'),
});

const crlSource = z
  .strictObject({
    name: name.describe('Name of the list in logs and metrics.'),
    file: filePath
      .nullable()
      .default(null)
      .describe('The list in DER or PEM; read again as it changes. Exactly one of file and url is needed.'),
    url: httpUrl.nullable().default(null).describe('Where the list is; plain http will do, since lists are signed.'),
    refreshSeconds: z.int().min(10).max(86_400).default(300).describe('How often a URL is fetched again.'),
    fetchTimeoutMs: z.int().min(50).max(60_000).default(3000).describe('Time that one fetch may take.'),
  })
  .refine((value) => (value.file === null) !== (value.url === null), {
    error: 'needs exactly one of file and url',
    when: whenSound('file', 'url'),
  });

const serial = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{1,2}(:?[0-9a-f]{2}){0,39}$|^[0-9a-f]{1,80}$/, 'must be a serial number in hexadecimal digits');

/** How client certificates are verified here. */
export const certificates = z
  .strictObject({
    trustBundles: z
      .array(trustBundle)
      .superRefine((value, context) => {
        for (const index of repeated(value.map((one) => one.name))) {
          context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is the name of another bundle too' });
        }
      })
      .default([])
      .describe(
        'CAs whose certificates are accepted. With any, every certificate must chain to one; with none, chains are for the gateways to verify.',
      ),
    crl: z
      .strictObject({
        required: z
          .boolean()
          .default(false)
          .describe('Count a certificate only with a fresh list that does not name it nor its issuers; without one it is `unavailable`.'),
        sources: z
          .array(crlSource)
          .superRefine((value, context) => {
            for (const index of repeated(value.map((one) => one.name))) {
              context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is the name of another list too' });
            }
          })
          .default([])
          .describe('Certificate revocation lists; each must be signed by a certificate of a trust bundle.'),
      })
      .prefault({})
      .describe('Certificate revocation lists.'),
    denied: z
      .strictObject({
        sha256: z.array(sha256).default([]).describe('SHA-256 of certificates (DER) that are refused.'),
        serials: z.array(serial).default([]).describe('Serial numbers that are refused, of whichever issuer.'),
        file: filePath
          .nullable()
          .default(null)
          .describe('File with more of them, read again as it changes: a line is `sha256 <hex>` or `serial <hex>`, `#` begins a comment.'),
      })
      .prefault({})
      .describe('Certificates that are refused whatever else is said of them.'),
  })
  .refine((value) => value.trustBundles.length > 0 || (value.crl.sources.length === 0 && !value.crl.required), {
    error: 'needs trustBundles: a list counts by the signature of a CA',
    path: ['crl'],
    when: whenSound('trustBundles', 'crl'),
  })
  .refine((value) => value.crl.sources.length > 0 || !value.crl.required, {
    error: 'needs sources',
    path: ['crl', 'required'],
    when: whenSound('crl'),
  })
  .prefault({})
  .describe('How client certificates are verified here, beside what the gateways do.');

import { z } from 'zod';
import { isCredentialHeader, plainHeaderName } from '../formats/credential-headers.ts';
import { dnsName, headerName, name, repeated, sha256, tokenSha256, whenSound } from './forms.ts';

/** What a gateway may be trusted for: the closed list of `contract/pep.ts`, kept equal by a test. */
const TRUSTS = [
  'client_address',
  'forwarded',
  'client_certificate',
  'claims',
  'subject',
  'fingerprint',
  'rate',
  'feedback',
  'explain',
] as const;

/** The forms of `contract/pep.ts`, kept equal by a test. */
const FORMS = ['xfcc', 'rfc9440', 'pem_escaped', 'der_base64'] as const;

/** The dialects of `contract/pep.ts`, kept equal by a test. */
const DIALECTS = ['nginx', 'traefik', 'caddy', 'haproxy', 'apisix'] as const;

/** Headers whose meaning is another one already. */
const TAKEN = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'dpop',
  'txn-token',
  'host',
  'content-type',
  'content-length',
]);

const certificateHeaderName = headerName
  .refine((value) => plainHeaderName(value) === value, 'must have neither "_" nor "."')
  .refine((value) => !TAKEN.has(value) && !value.startsWith('x-countersign-'), 'has another meaning');

const certificateHeader = z
  .strictObject({
    name: certificateHeaderName.describe('The header; the gateway must remove copies that clients send.'),
    form: z
      .enum(FORMS)
      .describe(
        '`xfcc`: Envoy; `rfc9440`: `:<base64 DER>:`; `pem_escaped`: URL-encoded PEM (nginx `$ssl_client_escaped_cert`); `der_base64`: DER in base64 (HAProxy).',
      ),
    chainName: certificateHeaderName
      .nullable()
      .default(null)
      .describe("Header with the issuers' certificates: `client-cert-chain` of RFC 9440, or for `der_base64` HAProxy's `ssl_c_chain_der`."),
  })
  .refine((value) => value.chainName === null || value.form === 'rfc9440' || value.form === 'der_base64', {
    error: 'is read with the forms rfc9440 and der_base64 only: the others carry the chain themselves',
    path: ['chainName'],
    when: whenSound('chainName', 'form'),
  })
  .refine((value) => value.chainName !== value.name, {
    error: 'must differ from the name',
    path: ['chainName'],
    when: whenSound('chainName', 'name'),
  });

const certificate = z
  .strictObject({
    uri: z
      .string()
      .regex(/^[a-z][a-z0-9+.-]*:[^\s]+$/i, 'must be a URI')
      .optional()
      .describe('URI in the certificate, for example a SPIFFE id.'),
    dns: dnsName.optional().describe('DNS name in the certificate.'),
    sha256: sha256.optional().describe('SHA-256 of the certificate (DER).'),
  })
  .refine((value) => (value.uri ?? value.dns ?? value.sha256) !== undefined, {
    error: 'needs one of uri, dns and sha256 at least',
    when: whenSound('uri', 'dns', 'sha256'),
  });

const fingerprintHeader = certificateHeaderName
  .refine((value) => !isCredentialHeader(plainHeaderName(value)), 'must not be a credential')
  .nullable()
  .default(null);

const pep = z
  .strictObject({
    name: name.describe('Name of the gateway in logs, metrics and the policy input.'),
    anonymous: z.boolean().default(false).describe('True for the one gateway that asks without a credential.'),
    tokenSha256: tokenSha256.nullable().default(null).describe('SHA-256 of the bearer token of this gateway.'),
    secondTokenSha256: tokenSha256
      .nullable()
      .default(null)
      .describe('SHA-256 of a second token that is as good, so that the first one can be replaced without a gap.'),
    certificate: certificate
      .nullable()
      .default(null)
      .describe('What the client certificate of this gateway must hold: each of the keys below that is given.'),
    trusts: z
      .array(z.enum(TRUSTS))
      .default([])
      .describe('What this gateway is believed; the rest of what it sends is ignored and flagged in the policy input.'),
    policies: z
      .array(name)
      .default([])
      .describe(
        'Policies that it may ask for; where it names none it gets the only one of them, else `default`. Empty means the only policy, else `default`.',
      ),
    enforce: z
      .boolean()
      .default(true)
      .describe(
        'False lets its requests pass whatever is decided (monitor mode): recorded and counted, `x-countersign-would` says what it was.',
      ),
    forwardedFor: z
      .strictObject({
        header: headerName
          .refine((value) => !isCredentialHeader(plainHeaderName(value)), 'must not be a credential')
          .default('x-forwarded-for')
          .describe('Header with the chain of client addresses.'),
        appendsPeer: z
          .boolean()
          .default(false)
          .describe('True where the gateway has already appended its own peer to the header (Envoy with `use_remote_address`).'),
        hops: z
          .int()
          .min(0)
          .max(32)
          .nullable()
          .default(null)
          .describe('Exactly so many proxies vouch for the chain; null lets `network.trustedProxies` decide.'),
      })
      .prefault({})
      .describe('How the client address is found.'),
    certificateHeader: certificateHeader
      .nullable()
      .default({ name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null })
      .describe('The one header with the client certificate, where the gateway is trusted for `client_certificate`; null means none.'),
    fingerprintHeaders: z
      .strictObject({
        ja3: fingerprintHeader.describe('Header with the JA3 fingerprint (MD5 in hexadecimal).'),
        ja4: fingerprintHeader.describe('Header with the JA4 fingerprint.'),
      })
      .prefault({})
      .describe(
        "Headers that the gateway sets for the fingerprints of the client's TLS connection, where it is trusted for `fingerprint`; it must remove copies that clients send.",
      ),
    feedbackFor: z
      .array(name)
      .default([])
      .describe(
        'Gateways on whose decisions this one may report beside its own, where it is trusted for `feedback`: an application behind a gateway names that one.',
      ),
    dialect: z
      .enum(DIALECTS)
      .nullable()
      .default(null)
      .describe(
        'The kind of gateway, needed for `/forward-auth`: it says which headers are read, and how a status other than 401 and 403 is told.',
      ),
  })
  .refine((value) => value.anonymous !== (value.tokenSha256 !== null || value.certificate !== null), {
    error: 'needs either `anonymous: true`, or a tokenSha256 or certificate, and not both',
    when: whenSound('anonymous', 'tokenSha256', 'certificate'),
  })
  .refine((value) => value.secondTokenSha256 === null || value.tokenSha256 !== null, {
    error: 'needs tokenSha256 beside it',
    path: ['secondTokenSha256'],
    when: whenSound('secondTokenSha256', 'tokenSha256'),
  })
  .refine(
    (value) =>
      value.certificateHeader?.name !== value.forwardedFor.header && value.certificateHeader?.chainName !== value.forwardedFor.header,
    {
      error: 'is the header with the client addresses',
      path: ['certificateHeader'],
      when: whenSound('certificateHeader', 'forwardedFor'),
    },
  )
  .refine((value) => value.feedbackFor.length === 0 || value.trusts.includes('feedback'), {
    error: 'says nothing without the trust `feedback`',
    path: ['feedbackFor'],
    when: whenSound('feedbackFor', 'trusts'),
  })
  .refine((value) => new Set(value.trusts).size === value.trusts.length, {
    error: 'names a trust twice',
    path: ['trusts'],
    when: whenSound('trusts'),
  });

/** One gateway as it is configured. */
export type PepConfig = z.output<typeof pep>;

/** The certificate's own words as one text, for comparing; null where there is none. */
function certificateKey(one: PepConfig): string | null {
  const wanted = one.certificate;
  return wanted === null ? null : `${wanted.uri ?? ''} ${wanted.dns ?? ''} ${wanted.sha256 ?? ''}`;
}

/** The gateways that may ask. */
export const peps = z
  .array(pep)
  .superRefine((value, context) => {
    const report = (indexes: readonly number[], key: string, message: string) => {
      for (const index of indexes) context.addIssue({ code: 'custom', path: [index, key], message });
    };
    const named = new Set(value.map((one) => one.name));
    report(
      value.flatMap((one, index) => (one.feedbackFor.every((other) => named.has(other)) ? [] : [index])),
      'feedbackFor',
      'names a gateway that is not configured',
    );
    report(repeated(value.map((one) => one.name)), 'name', 'is the name of another gateway too');
    const tokens = [...value.map((one) => one.tokenSha256), ...value.map((one) => one.secondTokenSha256)];
    for (const at of repeated(tokens)) {
      const key = at < value.length ? 'tokenSha256' : 'secondTokenSha256';
      report([at % value.length], key, 'is the token of another gateway too');
    }
    report(repeated(value.map(certificateKey)), 'certificate', 'is the certificate of another gateway too');
    report(repeated(value.map((one) => (one.anonymous ? 'anonymous' : null))), 'anonymous', 'is true for another gateway already');
  })
  .prefault([{ name: 'local', anonymous: true, trusts: ['client_address'] }])
  .describe('The gateways that may ask. A list given here replaces the default one.');

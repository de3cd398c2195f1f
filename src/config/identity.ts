import { z } from 'zod';
import { agreement } from './agreement.ts';
import { certificates } from './certificates.ts';
import { filePath, httpUrl, isSafeUrl, repeated, SECRET_MARK, whenSound } from './forms.ts';
import { contestedOpaqueTokens, introspection, introspectionProblems } from './introspection.ts';
import { signatures } from './signatures.ts';

/** Asymmetric signatures only: a shared secret or `none` is never an answer (RFC 8725 section 3.1). */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

const printable = z.string().regex(/^[\x21-\x7e]{1,512}$/, 'must be 1 to 512 printable characters without spaces');

const issuer = z
  .strictObject({
    kind: z
      .enum(['jwt', 'jwt_svid', 'txn_token'])
      .default('jwt')
      .describe(
        '`jwt_svid`: a SPIFFE trust domain, whose tokens are known by `sub` and whose bundle has keys of the use `jwt-svid`; `txn_token`: a transaction token service, whose tokens come in the header `txn-token`.',
      ),
    issuer: printable.describe(
      'The exact `iss` of its tokens; of `jwt_svid` the trust domain, `spiffe://example.org`; of `txn_token` the `iss` of tokens that have one.',
    ),
    audiences: z
      .array(z.string().min(1))
      .default([])
      .describe('A token must name one of these in `aud`; of `txn_token` the trust domains.'),
    allowAnyAudience: z.boolean().default(false).describe('Accept tokens for any audience; the only way to leave `audiences` empty.'),
    jwksUrl: httpUrl.nullable().default(null).describe('Where its keys are. Exactly one of jwksUrl, jwksFile and discovery is needed.'),
    jwksFile: filePath.nullable().default(null).describe('File with its keys (JWK set).'),
    discovery: z.boolean().default(false).describe('Find the keys by the metadata of the issuer (RFC 8414, OpenID Connect Discovery).'),
    algorithms: z
      .array(z.enum(ALGORITHMS))
      .min(1, 'must name an algorithm')
      .default(['RS256', 'PS256', 'ES256', 'EdDSA'])
      .describe('Signature algorithms that are accepted.'),
    types: z
      .array(printable.toLowerCase())
      .min(1, 'must name a type')
      .default(['at+jwt', 'jwt'])
      .describe('Values of the header `typ` that are accepted, without `application/`; a token without one counts as `jwt`.'),
    clockSkewSeconds: z.int().min(0).max(300).default(5).describe('By how much the clocks may differ.'),
    ageMaxSeconds: z.int().min(1).nullable().default(null).describe('Oldest `iat` that is accepted; null means any.'),
    refreshSeconds: z.int().min(10).max(86_400).default(300).describe('How often the keys are fetched again.'),
    fetchTimeoutMs: z.int().min(50).max(60_000).default(3000).describe('Time that one fetch of keys may take.'),
    allowInsecureHttp: z
      .boolean()
      .default(false)
      .describe('Ask for keys and about tokens over plain http; to loopback that is always done.'),
    introspection,
  })
  .refine(
    (value) => {
      const sources = Number(value.jwksUrl !== null) + Number(value.jwksFile !== null) + Number(value.discovery);
      const asksInstead = value.introspection !== null && value.introspection.mode !== 'on_demand';
      return sources === 1 || (sources === 0 && asksInstead);
    },
    {
      error: 'needs exactly one of jwksUrl, jwksFile and `discovery: true`, unless `introspection` is always or opaque',
      when: whenSound('jwksUrl', 'jwksFile', 'discovery', 'introspection'),
    },
  )
  .superRefine(
    (value, context) => {
      for (const [key, message] of introspectionProblems(value)) {
        context.addIssue({ code: 'custom', path: ['introspection', key], message });
      }
    },
    { when: whenSound('kind', 'issuer', 'jwksUrl', 'jwksFile', 'discovery', 'allowInsecureHttp', 'introspection') },
  )
  .refine((value) => value.kind !== 'jwt_svid' || /^spiffe:\/\/[a-z0-9._-]{1,255}$/.test(value.issuer), {
    error: 'must be a trust domain such as spiffe://example.org where the kind is jwt_svid',
    path: ['issuer'],
    when: whenSound('kind', 'issuer'),
  })
  .refine((value) => value.kind === 'jwt' || (!value.discovery && !value.allowAnyAudience), {
    error: 'jwt_svid and txn_token have neither discovery nor allowAnyAudience',
    path: ['kind'],
    when: whenSound('kind', 'discovery', 'allowAnyAudience'),
  })
  .refine((value) => value.kind !== 'jwt' || !value.types.includes('txntoken+jwt'), {
    error: 'must not hold txntoken+jwt: transaction tokens are verified by an issuer of the kind txn_token',
    path: ['types'],
    when: whenSound('kind', 'types'),
  })
  .refine((value) => (value.audiences.length === 0) === value.allowAnyAudience, {
    error: 'must name an audience, or else `allowAnyAudience: true` must be written out, and not both',
    path: ['audiences'],
    when: whenSound('audiences', 'allowAnyAudience'),
  })
  .refine((value) => value.jwksUrl === null || value.allowInsecureHttp || isSafeUrl(value.jwksUrl), {
    error: 'must be https, or http to loopback, or `allowInsecureHttp: true` must be written out',
    path: ['jwksUrl'],
    when: whenSound('jwksUrl', 'allowInsecureHttp'),
  })
  .refine((value) => !value.discovery || httpUrl.safeParse(value.issuer).success, {
    error: 'must be an http or https URL where discovery is used',
    path: ['issuer'],
    when: whenSound('issuer', 'discovery'),
  })
  .refine((value) => !value.discovery || value.allowInsecureHttp || !value.issuer.startsWith('http:') || isSafeUrl(value.issuer), {
    error: 'must be https where discovery is used, or http to loopback, or `allowInsecureHttp: true` must be written out',
    path: ['issuer'],
    when: whenSound('issuer', 'discovery', 'allowInsecureHttp'),
  });

const publicOrigin = z.string().refine((value) => {
  if (!/^https?:\/\/[^/?#@\s]+$/.test(value) || !URL.canParse(value)) return false;
  return new URL(value).origin === value;
}, 'must be an origin in its shortest form, such as https://api.example.com or https://api.example.com:8443');

/** DPoP, RFC 9449. */
const dpop = z
  .strictObject({
    algorithms: z
      .array(z.enum(ALGORITHMS))
      .min(1, 'must name an algorithm')
      .default(['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'])
      .describe('Signature algorithms of proofs that are accepted; challenges name them.'),
    ageMaxSeconds: z.int().min(1).max(3600).default(60).describe('Oldest `iat` of a proof; used proofs are remembered for as long.'),
    clockSkewSeconds: z.int().min(0).max(300).default(5).describe("By how much a client's clock may be ahead, or behind beyond the age."),
    proofBytesMax: z.int().min(256).max(65_536).default(8192).describe('Longest proof that is looked at.'),
    keyCache: z
      .strictObject({
        entriesMax: z.int().min(0).max(1_000_000).default(10_000).describe('Public keys of proofs that are kept; 0 turns the cache off.'),
      })
      .prefault({})
      .describe('Cache of the public keys that proofs bring along; a proof is judged each time.'),
    nonce: z
      .strictObject({
        secret: z
          .string()
          .min(32, 'must have 32 characters at least')
          .meta({ [SECRET_MARK]: 'text' })
          .nullable()
          .default(null)
          .describe('Secret that nonces are made from, the same on all replicas; null makes one up, which only serves a single process.'),
        lifetimeSeconds: z.int().min(10).max(86_400).default(300).describe('How often the nonce changes; the last one is still accepted.'),
      })
      .nullable()
      .default(null)
      .describe('Ask for a nonce of ours in each proof (RFC 9449 section 9); null asks for none.'),
  })
  .prefault({})
  .describe('Proofs of possession by DPoP (RFC 9449).');

const client = z.strictObject({
  id: printable.describe('The client id that policies see.'),
  spiffeIds: z
    .array(z.string().regex(/^spiffe:\/\/[a-z0-9._-]+\/[^\s]+$/, 'must be a SPIFFE id such as spiffe://example.org/agent'))
    .min(1, 'must name a SPIFFE id')
    .describe('Certificates with one of these ids belong to the client.'),
});

/** How callers are identified. */
export const identity = z
  .strictObject({
    issuers: z
      .array(issuer)
      .superRefine((value, context) => {
        for (const index of repeated(value.map((one) => (one.kind === 'txn_token' ? `txn_token ${one.issuer}` : one.issuer)))) {
          context.addIssue({ code: 'custom', path: [index, 'issuer'], message: 'is configured twice' });
        }
        for (const index of contestedOpaqueTokens(value)) {
          const message = 'may be those of an earlier issuer too: name gateways or hosts, so that no token is shown to two servers';
          context.addIssue({ code: 'custom', path: [index, 'introspection', 'opaqueTokens'], message });
        }
        const domains = value.flatMap((one, index) => (one.kind === 'txn_token' ? one.audiences.map((name) => ({ name, index })) : []));
        for (const at of repeated(domains.map((one) => one.name))) {
          const message = 'holds a trust domain that has a transaction token service already';
          context.addIssue({ code: 'custom', path: [domains[at]?.index ?? 0, 'audiences'], message });
        }
      })
      .default([])
      .describe('Authorization servers whose tokens are accepted.'),
    keyWaitMs: z.int().min(0).max(5000).default(100).describe('How long one request waits for the fetch of a key it needs.'),
    tokenBytesMax: z.int().min(256).max(65_536).default(16_384).describe('Longest token that is looked at.'),
    actorDepthMax: z.int().min(0).max(32).default(8).describe('Deepest chain of `act` (RFC 8693) that is accepted.'),
    tokenCache: z
      .strictObject({
        bytesMax: z.int().min(0).max(4_294_967_296).default(67_108_864).describe('Room for verified tokens; 0 turns the cache off.'),
        ttlSeconds: z.int().min(1).max(300).default(300).describe('Longest time that a verified token is kept, and never past its `exp`.'),
      })
      .prefault({})
      .describe('Cache of verified tokens.'),
    introspectionCache: z
      .strictObject({
        bytesMax: z.int().min(0).max(4_294_967_296).default(33_554_432).describe('Room for active tokens; 0 turns the cache off.'),
      })
      .prefault({})
      .describe('Cache of the answers of authorization servers about tokens; those that are not active count to `negativeCache`.'),
    negativeCache: z
      .strictObject({
        entriesMax: z.int().min(0).max(1_000_000).default(10_000).describe('Refused tokens that are remembered; 0 turns the cache off.'),
        ttlSeconds: z.int().min(1).max(60).default(10).describe('How long a refusal is remembered.'),
      })
      .prefault({})
      .describe('Cache of refused tokens.'),
    verificationBudget: z
      .strictObject({
        failuresPerMinute: z.int().min(1).max(1_000_000).default(60).describe('Failed verifications an address may cause in a minute.'),
        addressesMax: z.int().min(1).max(10_000_000).default(10_000).describe('Addresses that are counted.'),
      })
      .prefault({})
      .describe('Bound on the work that bad credentials of one address can cause.'),
    certificateCache: z
      .strictObject({
        entriesMax: z.int().min(0).max(1_000_000).default(1000).describe('Parsed certificates that are kept; 0 turns the cache off.'),
      })
      .prefault({})
      .describe('Cache of parsed client certificates; validity is judged each time.'),
    certificates,
    publicOrigins: z
      .array(publicOrigin)
      .default([])
      .describe(
        'Origins by which clients reach the gateways; proofs name them. Not used for gateways trusted for `forwarded`, whose word counts.',
      ),
    dpop,
    signatures,
    clients: z
      .array(client)
      .superRefine((value, context) => {
        for (const index of repeated(value.map((one) => one.id))) {
          context.addIssue({ code: 'custom', path: [index, 'id'], message: 'is configured twice' });
        }
        const owners = value.flatMap((one, index) => one.spiffeIds.map((id) => ({ id, index })));
        for (const at of repeated(owners.map((one) => one.id))) {
          context.addIssue({
            code: 'custom',
            path: [owners[at]?.index ?? 0, 'spiffeIds'],
            message: 'holds a SPIFFE id that is mapped already',
          });
        }
      })
      .default([])
      .describe('Which client a SPIFFE id belongs to.'),
    agreement,
  })
  .prefault({})
  .describe('How callers are identified.');

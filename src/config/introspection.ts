import { z } from 'zod';
import { filePath, host, httpUrl, isSafeUrl, name, SECRET_MARK, whenSound } from './forms.ts';

const SIGNATURES = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

/** The three ways to authenticate at the server, each with what it needs; contradictions are told apart from one another. */
const authentication = z
  .strictObject({
    method: z
      .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt'])
      .default('client_secret_basic')
      .describe('How we authenticate at the server (RFC 6749 section 2.3.1, RFC 7523).'),
    secret: z
      .string()
      .min(1, 'must not be empty')
      .meta({ [SECRET_MARK]: 'text' })
      .nullable()
      .default(null)
      .describe('The client secret; better in a file.'),
    secretFile: filePath.nullable().default(null).describe('File with the client secret; read again as it changes.'),
    keyFile: filePath.nullable().default(null).describe('File with the private key in PEM (`private_key_jwt`); read again as it changes.'),
    algorithm: z.enum(SIGNATURES).nullable().default(null).describe('What assertions are signed with (`private_key_jwt`).'),
    kid: z.string().min(1).max(256).nullable().default(null).describe('Id of the key in the header of assertions.'),
  })
  .refine(
    ({ method, secret, secretFile }) => (method === 'private_key_jwt' ? 0 : 1) === Number(secret !== null) + Number(secretFile !== null),
    {
      error: 'needs exactly one of secret and secretFile with the client_secret methods, and neither with private_key_jwt',
      when: whenSound('method', 'secret', 'secretFile'),
    },
  )
  .refine(
    ({ method, keyFile, algorithm, kid }) =>
      method === 'private_key_jwt' ? keyFile !== null && algorithm !== null : keyFile === null && algorithm === null && kid === null,
    {
      error: 'needs keyFile and algorithm with private_key_jwt; keyFile, algorithm and kid belong to it alone',
      when: whenSound('method', 'keyFile', 'algorithm', 'kid'),
    },
  );

const introspectionForm = z.strictObject({
  mode: z
    .enum(['always', 'opaque', 'on_demand'])
    .describe(
      '`always`: ask about each token of the issuer, and about opaque ones; `opaque`: about tokens that are no JWT; `on_demand`: about JWTs where a policy collects it, which the other modes do too.',
    ),
  endpoint: httpUrl.nullable().default(null).describe("The introspection endpoint; null: that of the issuer's metadata."),
  clientId: z.string().min(1, 'must not be empty').max(512).describe('Our client id at the server.'),
  authentication: authentication.describe('How we show the server who we are.'),
  opaqueTokens: z
    .strictObject({
      peps: z.array(name).default([]).describe('Only those that come by these gateways; empty means by any.'),
      hosts: z.array(host).default([]).describe('Only those for these hosts; empty means for any.'),
    })
    .prefault({})
    .describe("Which opaque tokens are this issuer's: no token is shown to two servers."),
  cacheSeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(60)
    .describe(
      'How long an active token is taken for active, and never past its `exp`: a revoked one passes for so long. 0 asks each time.',
    ),
  inactiveCacheSeconds: z.int().min(0).max(60).default(5).describe('How long an answer that a token is not active is kept.'),
  timeoutMs: z
    .int()
    .min(50)
    .max(60_000)
    .default(3000)
    .describe('Time that one question may take; a request waits for it within its own deadline only, and the answer serves the next.'),
  concurrencyMax: z.int().min(1).max(10_000).default(64).describe('Questions to the server at the same time; the rest is `unavailable`.'),
  tokenTypeRequired: z
    .boolean()
    .default(true)
    .describe(
      'Accept an answer only where `token_type` or `token_use` says that it is about an access token: servers call refresh tokens active too.',
    ),
  signedAnswers: z
    .enum(SIGNATURES)
    .nullable()
    .default(null)
    .describe('Ask for answers as JWT (RFC 9701) signed with this algorithm and a key of the issuer; null: JSON.'),
});

/** How the server of an issuer is asked about its tokens. */
export const introspection = introspectionForm
  .nullable()
  .default(null)
  .describe('Ask the authorization server about tokens (RFC 7662); null: never.');

type Issuer = {
  readonly issuer: string;
  readonly kind: string;
  readonly jwksUrl: string | null;
  readonly jwksFile: string | null;
  readonly discovery: boolean;
  readonly allowInsecureHttp: boolean;
  readonly introspection: z.output<typeof introspection>;
};

/** What is wrong with the introspection of one issuer, beside its own form: field and message. */
export function introspectionProblems(issuer: Issuer): readonly (readonly [string, string])[] {
  const { introspection: asked } = issuer;
  if (asked === null) return [];
  const problems: [string, string][] = [];
  if (issuer.kind !== 'jwt') problems.push(['mode', 'goes with issuers of the kind jwt only']);
  if (asked.endpoint === null && !httpUrl.safeParse(issuer.issuer).success) {
    problems.push(['endpoint', 'is needed: the issuer is no URL that could have metadata']);
  }
  const address = asked.endpoint ?? issuer.issuer;
  if (httpUrl.safeParse(address).success && !issuer.allowInsecureHttp && !isSafeUrl(address)) {
    problems.push(['endpoint', 'must be https, or http to loopback, or `allowInsecureHttp: true` must be written out']);
  }
  if (asked.signedAnswers !== null && issuer.jwksUrl === null && !issuer.discovery) {
    problems.push(['signedAnswers', 'needs jwksUrl or discovery for the keys']);
  }
  const { peps, hosts } = asked.opaqueTokens;
  if (asked.mode === 'on_demand' && peps.length + hosts.length > 0) {
    problems.push(['opaqueTokens', 'selects nothing: the mode on_demand takes no opaque tokens']);
  }
  return problems;
}

/** Indexes of issuers whose opaque tokens an earlier issuer may claim too: two servers would be shown the same token. */
export function contestedOpaqueTokens(issuers: readonly Pick<Issuer, 'introspection'>[]): number[] {
  const contested: number[] = [];
  const earlier: { readonly peps: readonly string[]; readonly hosts: readonly string[] }[] = [];
  for (const [index, { introspection: asked }] of issuers.entries()) {
    if (asked === null || asked.mode === 'on_demand') continue;
    const { opaqueTokens: mine } = asked;
    if (earlier.some((theirs) => meet(mine.peps, theirs.peps) && meet(mine.hosts, theirs.hosts))) contested.push(index);
    earlier.push(mine);
  }
  return contested;
}

/** An empty list is everything. */
function meet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === 0 || b.length === 0 || a.some((one) => b.includes(one));
}

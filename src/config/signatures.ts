import { z } from 'zod';
import { dnsName, filePath, httpUrl, isSafeUrl, repeated, whenSound } from './forms.ts';

/** RFC 9421 section 6.2 without HMAC: a shared secret is never an answer (RFC 8725 section 3.1). */
const ALGORITHMS = ['ed25519', 'ecdsa-p256-sha256', 'ecdsa-p384-sha384', 'rsa-pss-sha512', 'rsa-v1_5-sha256'] as const;
const DERIVED = ['@method', '@target-uri', '@authority', '@scheme', '@request-target', '@path', '@query'];

const algorithms = z
  .array(z.enum(ALGORITHMS))
  .min(1, 'must name an algorithm')
  .default(['ed25519', 'ecdsa-p256-sha256', 'ecdsa-p384-sha384', 'rsa-pss-sha512'])
  .describe('Signature algorithms that are accepted.');

const component = z
  .string()
  .refine(
    (value) => (value.startsWith('@') ? DERIVED.includes(value) : /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/.test(value)),
    `must be a header name in lower case, or one of ${DERIVED.join(', ')}`,
  );

const nonce = z
  .enum(['required', 'optional'])
  .default('optional')
  .describe('Whether a nonce must be there; without one a signature may be used again until it expires.');

const profile = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9_-]{0,63}$/, 'must be 1 to 64 of a-z, 0-9, "-" and "_", and begin with a letter')
      .describe('Name of the key set in the policy input, logs and metrics.'),
    tag: z
      .string()
      .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'must be 1 to 128 printable characters without spaces and quotes')
      .nullable()
      .default(null)
      .describe('Signatures with this `tag`; null: those without one.'),
    jwksUrl: httpUrl.nullable().default(null).describe('Where the keys are. Exactly one of jwksUrl and jwksFile is needed.'),
    jwksFile: filePath.nullable().default(null).describe('File with the keys (JWK set). A `keyid` is a `kid` or a thumbprint (RFC 7638).'),
    algorithms,
    components: z
      .array(component)
      .min(1, 'must name a component')
      .default(['@method', '@target-uri'])
      .describe('What a signature must cover: headers in lower case, `@method`, `@target-uri` and so on.'),
    contentDigest: z.boolean().default(false).describe('Ask for `content-digest` to be covered where there is a body.'),
    ageMaxSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(300)
      .describe('Oldest `created` that is accepted; nonces are remembered for as long.'),
    nonce,
    clientId: z
      .string()
      .regex(/^[\x21-\x7e]{1,512}$/, 'must be 1 to 512 printable characters without spaces')
      .nullable()
      .default(null)
      .describe('The client that the keys belong to; null: nobody in particular.'),
    refreshSeconds: z.int().min(10).max(86_400).default(300).describe('How often the keys are fetched again.'),
    fetchTimeoutMs: z.int().min(50).max(60_000).default(3000).describe('Time that one fetch of keys may take.'),
    allowInsecureHttp: z.boolean().default(false).describe('Accept keys over plain http; to loopback it is always accepted.'),
  })
  .refine((value) => (value.jwksUrl === null) !== (value.jwksFile === null), {
    error: 'needs exactly one of jwksUrl and jwksFile',
    when: whenSound('jwksUrl', 'jwksFile'),
  })
  .refine((value) => value.jwksUrl === null || value.allowInsecureHttp || isSafeUrl(value.jwksUrl), {
    error: 'must be https, or http to loopback, or `allowInsecureHttp: true` must be written out',
    path: ['jwksUrl'],
    when: whenSound('jwksUrl', 'allowInsecureHttp'),
  });

const directory = z
  .strictObject({
    timeoutMs: z.int().min(50).max(60_000).default(3000).describe('Time that one fetch may take, name resolution included.'),
    bytesMax: z.int().min(256).max(1_048_576).default(65_536).describe('Largest document that is read.'),
    ports: z.array(z.int().min(1).max(65_535)).min(1, 'must name a port').default([443]).describe('Ports that are connected to.'),
    ageMaxSeconds: z.int().min(60).max(86_400).default(3600).describe('How long the keys of a directory are used.'),
    failureSeconds: z.int().min(1).max(3600).default(60).describe('How long a failed fetch is remembered.'),
    entriesMax: z.int().min(1).max(100_000).default(1000).describe('Directories that are kept.'),
    concurrentMax: z.int().min(1).max(256).default(8).describe('Fetches at once.'),
    fetchesPerMinute: z.int().min(1).max(1000).default(10).describe('Fetches that one client address may cause in a minute.'),
    waitMs: z.int().min(0).max(5000).default(100).describe('How long one request waits for a fetch.'),
    allowLoopback: z
      .boolean()
      .default(false)
      .describe('For development: also agents on this machine, by plain http too and at any port. Never in production.'),
  })
  .prefault({})
  .describe('How the directories are fetched: https to public addresses only, without redirects.');

const webBotAuth = z
  .strictObject({
    agents: z
      .union([z.literal('any'), z.array(dnsName).min(1, 'must name a host, or be `any`')])
      .describe('Hosts of the agents that are accepted, exactly; or `any`: whoever publishes a key.'),
    algorithms,
    components: z.array(component).default([]).describe('What must be covered beside the authority and the agent.'),
    lifetimeMaxSeconds: z.int().min(1).max(86_400).default(86_400).describe('Longest time from `created` to `expires`.'),
    nonce,
    directory,
  })
  .nullable()
  .default(null)
  .describe('Agents that sign by keys they publish (Web Bot Auth); null: none.');

/** HTTP message signatures. */
export const signatures = z
  .strictObject({
    profiles: z
      .array(profile)
      .superRefine((value, context) => {
        for (const index of repeated(value.map((one) => one.name))) {
          context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is the name of another profile too' });
        }
        for (const [index, { tag }] of value.entries()) {
          if (tag === 'web-bot-auth') context.addIssue({ code: 'custom', path: [index, 'tag'], message: 'is that of webBotAuth' });
        }
      })
      .default([])
      .describe('Who signs by keys that are named here (RFC 9421).'),
    webBotAuth,
    clockSkewSeconds: z.int().min(0).max(300).default(5).describe('By how much the clocks may differ.'),
    fieldBytesMax: z.int().min(256).max(65_536).default(8192).describe('Longest Signature-Input, Signature and Signature-Agent, each.'),
  })
  .prefault({})
  .describe('HTTP message signatures (RFC 9421). Without profiles and webBotAuth they are not looked at.');

import { z } from 'zod';
import { isCredentialHeader, plainHeaderName } from '../formats/credential-headers.ts';
import { decisionLog } from './decision-log.ts';
import { headerName, httpUrl, isSafeUrl } from './forms.ts';

/** What Rego may see of a request. */
export const input = z
  .strictObject({
    headers: z
      .array(headerName.refine((value) => !isCredentialHeader(plainHeaderName(value)), 'must not be a header that carries a credential'))
      .default(['user-agent', 'accept', 'content-type'])
      .describe('Headers of the client that policies may read; headers with credentials are refused here.'),
    claims: z
      .union([z.literal('all'), z.array(z.string().min(1))], 'must be `all` or a list of names')
      .default('all')
      .describe('Claims of the token that policies may read: `all`, or a list of names.'),
  })
  .prefault({})
  .describe('What policies see of a request.');

/** How decisions are made and logged. */
export const decisions = z
  .strictObject({
    deadlineMs: z
      .int()
      .min(5)
      .max(60_000)
      .default(150)
      .describe('Time within which a decision is made; after it the answer is a deny with `deadline_exceeded`.'),
    log: decisionLog,
    recent: z
      .strictObject({
        entriesMax: z
          .int()
          .min(0)
          .max(1_000_000)
          .default(10_000)
          .describe('Decisions that `GET /admin/v1/decisions/<id>` explains, the last ones; 0 keeps none.'),
        bytesMax: z
          .int()
          .min(65_536)
          .max(4_294_967_296)
          .default(67_108_864)
          .describe('Estimated bytes of all of them; what is older goes first.'),
      })
      .prefault({})
      .describe('The last decisions, kept in this process so that operators can ask why. No credential is in it.'),
  })
  .prefault({})
  .describe('How decisions are made and logged.');

/** The operational log. */
export const log = z
  .strictObject({
    level: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('Least level of lines in the operational log, on stderr.'),
  })
  .prefault({})
  .describe('The operational log.');

/** What the upstream is told. */
export const upstream = z
  .strictObject({
    headers: z.boolean().default(true).describe('Tell the upstream who asked, in the `x-countersign-…` headers.'),
    removeAuthorization: z.boolean().default(false).describe("Remove the client's `authorization` before the request goes upstream."),
    removeApiKey: z
      .boolean()
      .default(true)
      .describe('Remove API keys that were verified here (`x-api-key`, `authorization: ApiKey`) before the request goes upstream.'),
  })
  .prefault({})
  .describe('Changes to the request that goes upstream.');

/** How clients are challenged. */
export const challenge = z
  .strictObject({
    realm: z
      .string()
      .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'must be 1 to 128 printable ASCII characters without quote and backslash')
      .default('countersign')
      .describe('`realm` of WWW-Authenticate.'),
    resourceMetadataUrl: httpUrl
      .refine(isSafeUrl, 'must be https, or http to loopback')
      .nullable()
      .default(null)
      .describe('`resource_metadata` of WWW-Authenticate (RFC 9728).'),
  })
  .prefault({})
  .describe('How clients are challenged.');

/** How the process ends. */
export const drain = z
  .strictObject({
    noticeMs: z
      .int()
      .min(0)
      .max(60_000)
      .default(1500)
      .describe(
        'After SIGTERM the service says NOT_SERVING and keeps answering for this long: at least the interval of the health checks (times their threshold, where a no does not count at once) and what the gateway waits before it acts on them.',
      ),
    boundMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(5000)
      .describe('After the notice, requests in flight may take this long before they are cut.'),
  })
  .prefault({})
  .describe('How the process ends.');

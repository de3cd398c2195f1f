import { isIP } from 'node:net';
import { z } from 'zod';
import { parseJsonPointer } from '../formats/json-pointer.ts';
import { type Placeholder, parseTextTemplate, placeholdersOf } from '../formats/placeholder.ts';
import { parseUrlTemplate } from '../formats/url-template.ts';
import { addressBlock, filePath, headerName, host, isSafeUrl, name, repeated, SECRET_MARK, whenSound } from './forms.ts';

/** Of the connection and of the message, which are ours. */
const OWN_HEADERS = /^(host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept-encoding|proxy-.*|cookie)$/;
const HEADER_TEXT = /^[\x20-\x7e]*$/;
const BODY_DEPTH_MAX = 8;
const BODY_CHARS_MAX = 16_384;

export const header = z
  .strictObject({
    name: headerName.refine((value) => !OWN_HEADERS.test(value), 'is a header that the service sets itself').describe('In lower case.'),
    prefix: z.string().max(64).regex(HEADER_TEXT, 'must be visible ASCII').default('').describe('Before the value, for example `Bearer `.'),
    value: z
      .string()
      .min(1, 'must not be empty')
      .max(4096)
      .regex(HEADER_TEXT, 'must be visible ASCII')
      .meta({ [SECRET_MARK]: 'text' })
      .nullable()
      .default(null)
      .describe('The value; a secret is better in a file. Exactly one of value and valueFile is needed.'),
    valueFile: filePath.nullable().default(null).describe('File with the value; read again as it changes.'),
  })
  .refine((value) => (value.value === null) !== (value.valueFile === null), {
    error: 'needs exactly one of value and valueFile',
    when: whenSound('value', 'valueFile'),
  });

const attribute = z.strictObject({
  pointer: z
    .string()
    .max(1024)
    .refine((value) => parseJsonPointer(value) !== null, 'must be a JSON Pointer such as /data/tier')
    .describe('JSON Pointer (RFC 6901) into the answer.'),
  type: z
    .enum(['string', 'number', 'boolean', 'strings'])
    .default('string')
    .describe('What it must be; `strings` is a list of at most 64. An answer with anything else cannot be used.'),
  optional: z.boolean().default(false).describe('Whether it may be missing or null, and is null then; else the answer cannot be used.'),
});

const private_ = z.union([
  addressBlock.refine((value) => !isWide(value), 'must not be wider than /8, or /16 of IPv6'),
  host.refine((value) => isIP(value) === 0),
]);

const source = z
  .strictObject({
    name: name.describe(
      'Name of the source in the policy input (`input.sources.<name>`), in `collect` (`sources.<name>`), logs and metrics.',
    ),
    url: z
      .string()
      .max(4096)
      .superRefine((value, context) => {
        const template = parseUrlTemplate(value);
        if ('problem' in template) context.addIssue({ code: 'custom', message: template.problem });
      })
      .meta({ [SECRET_MARK]: 'url' })
      .describe('Where to ask. `{placeholders}` may stand in segments of the path and in values of the query (sources.md).'),
    method: z.enum(['GET', 'POST']).default('GET').describe('How to ask.'),
    headers: z.array(header).max(16).default([]).describe('Headers of every question.'),
    body: z
      .record(z.string(), z.unknown())
      .nullable()
      .default(null)
      .superRefine((value, context) => {
        const problem = value === null ? null : bodyProblem(value);
        if (problem !== null) context.addIssue({ code: 'custom', message: problem });
      })
      .describe('JSON object to send by POST, with `{placeholders}` in its texts; null sends none.'),
    attributes: z
      .record(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be 1 to 64 of a-z, 0-9 and "_", and begin with a letter'), attribute)
      .refine((value) => Object.keys(value).length >= 1 && Object.keys(value).length <= 32, 'must name 1 to 32 attributes')
      .describe('What policies see of the answer, by the names that they see.'),
    when: z
      .enum(['prefetch', 'collect'])
      .default('collect')
      .describe(
        '`collect`: asked where a policy wants it; `prefetch`: for every request that has what the placeholders need, beside the counters.',
      ),
    notFound: z
      .enum(['absent', 'unavailable'])
      .default('unavailable')
      .describe('What the status 404 means: that it knows nothing of the subject, or that something is wrong.'),
    cacheSeconds: z.int().min(0).max(86_400).default(60).describe('How long an answer serves; 0 asks each time.'),
    negativeCacheSeconds: z
      .int()
      .min(0)
      .max(3600)
      .default(5)
      .describe('How long it serves that nothing was found, or that an answer could not be used; failures are never kept.'),
    cacheBytesMax: z.int().min(0).max(1_073_741_824).default(8_388_608).describe('Memory for answers of this source.'),
    timeoutMs: z
      .int()
      .min(10)
      .max(60_000)
      .default(1000)
      .describe('Time that one question may take; a request waits for it within its own deadline only, and the answer serves the next.'),
    concurrencyMax: z.int().min(1).max(10_000).default(64).describe('Questions at the same time; the rest is `unavailable`.'),
    breaker: z
      .strictObject({
        failuresMax: z.int().min(1).max(1000).default(5).describe('Failures in a row after which it is left alone.'),
        openMs: z.int().min(100).max(600_000).default(2000).describe('For how long, before one question tries again.'),
      })
      .prefault({})
      .describe('When a source that fails is left alone.'),
    bytesMax: z.int().min(2).max(1_048_576).default(65_536).describe('Longer answers cannot be used.'),
    allowPrivate: z
      .array(private_)
      .max(32)
      .default([])
      .describe('What need not be a public address: the host of the URL, addresses, blocks. Link-local ones only as an address or block.'),
    allowInsecureHttp: z
      .boolean()
      .default(false)
      .describe('Let it be asked by plain http off loopback: whoever is between can read and change it.'),
    caFile: filePath.nullable().default(null).describe('CAs in PEM for its certificate, in place of those of the system; read at start.'),
  })
  .refine((value) => value.method === 'POST' || value.body === null, {
    error: 'is sent by POST only',
    path: ['body'],
    when: whenSound('method', 'body'),
  })
  .refine((value) => value.allowInsecureHttp || isSafeUrl(value.url.replace(/\{[^}]*\}/g, 'x')), {
    error: 'must be https, or http to loopback, or `allowInsecureHttp: true` must be written out',
    path: ['url'],
    when: whenSound('url', 'allowInsecureHttp'),
  })
  .superRefine((value, context) => {
    for (const index of repeated(value.headers.map((one) => one.name))) {
      context.addIssue({ code: 'custom', path: ['headers', index, 'name'], message: 'is there twice' });
    }
  });

/** Sources of attributes. */
export const sources = z
  .array(source)
  .max(32)
  .superRefine((value, context) => {
    for (const index of repeated(value.map((one) => one.name))) {
      context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is the name of another source too' });
    }
  })
  .default([])
  .describe('HTTP services that are asked for attributes of a request (sources.md).');

/** Claims that questions are made from though policies may not see them: where, and what is wrong. */
export function unlistedClaims(
  asked: z.output<typeof sources>,
  claims: 'all' | readonly string[],
): readonly (readonly [readonly PropertyKey[], string])[] {
  if (claims === 'all') return [];
  const unlisted = (placeholders: readonly Placeholder[]): boolean =>
    placeholders.some((one) => one.startsWith('claims.') && !claims.includes(one.slice('claims.'.length)));
  return asked.flatMap(({ url, body }, index) => {
    const template = parseUrlTemplate(url);
    const found: (readonly [readonly PropertyKey[], string])[] = [];
    const message = 'has a claim that is not among `input.claims`';
    if (!('problem' in template) && unlisted(template.placeholders)) found.push([[index, 'url'], message]);
    if (textsOf(body).some((text) => unlisted(placeholdersIn(text)))) found.push([[index, 'body'], message]);
    return found;
  });
}

function placeholdersIn(text: string): readonly Placeholder[] {
  const template = parseTextTemplate(text);
  return 'problem' in template ? [] : placeholdersOf(template);
}

function bodyProblem(body: Record<string, unknown>): string | null {
  if (!isJson(body, BODY_DEPTH_MAX)) return 'must be JSON of at most eight levels';
  if (JSON.stringify(body).length > BODY_CHARS_MAX) return 'must not be longer than 16 KiB';
  for (const text of textsOf(body)) {
    const template = parseTextTemplate(text);
    if ('problem' in template) return template.problem;
  }
  return null;
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

function isJson(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'object' && depth > 0 && Object.values(value).every((one) => isJson(one, depth - 1));
}

function isWide(block: string): boolean {
  const [address = '', bits] = block.split('/');
  return bits !== undefined && Number(bits) < (isIP(address) === 4 ? 8 : 16);
}

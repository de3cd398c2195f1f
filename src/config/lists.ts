import { z } from 'zod';
import { filePath, httpUrl, isSafeUrl, name, repeated, whenSound } from './forms.ts';

const tag = z.string().regex(/^[a-z0-9][a-z0-9_.:-]{0,63}$/, 'must be 1 to 64 of a-z, 0-9 and "_.:-", and begin with a letter or digit');
const share = z.number().min(0).max(1);

const list = z
  .strictObject({
    name: name
      .refine((value) => value !== 'addresses_blocked', 'is the name of the list in the limits of the policies')
      .describe('Name of the list in the policy input, logs and metrics.'),
    kind: z.enum(['addresses', 'asns']).default('addresses').describe('What it names: addresses, blocks and ranges; or numbers of ASes.'),
    format: z
      .enum(['lines', 'drop', 'jsonl', 'csv'])
      .default('lines')
      .describe(
        '`lines`: one a line, `#` and `;` begin comments; `drop`: likewise, blocks only; `jsonl`: a JSON object a line; `csv`: a column.',
      ),
    column: z
      .union([z.int().min(1).max(1000), z.string().min(1).max(256)])
      .nullable()
      .default(null)
      .describe('Column of a `csv`: its name in the header line, or its number from 1 where there is no header.'),
    field: z.string().min(1).max(256).nullable().default(null).describe('Member of the objects of `jsonl` that holds the entry.'),
    file: filePath.nullable().default(null).describe('The list, read again as it changes. Exactly one of file and url is needed.'),
    url: httpUrl.nullable().default(null).describe('Where the list is: https, or http to loopback.'),
    tags: z.array(tag).max(32).default([]).describe('What a hit means, for policies: `malicious`, `tor_exit`, `cloud:aws` and so on.'),
    kinds: z
      .array(tag)
      .max(8)
      .default([])
      .describe('What a hit adds to `kinds` of the network: `hosting`, `proxy`, `residential`, `tor`, `vpn`.'),
    refreshSeconds: z.int().min(10).max(604_800).default(3600).describe('How often a URL is asked again; a file is looked at every 2 s.'),
    fetchTimeoutMs: z.int().min(50).max(120_000).default(15_000).describe('Time that one fetch may take.'),
    ageMaxSeconds: z
      .int()
      .min(1)
      .nullable()
      .default(null)
      .describe('Oldest list that can be relied on: of a URL since the server last had it so, of a file since it was written; null: any.'),
    shrinkMax: share
      .default(0.5)
      .describe(
        'Share of its entries, repeated ones counted once, that it may lose at once; content that lost more is held back until it is accepted.',
      ),
    badLinesMax: share.default(0.05).describe('Share of its lines that may be wrong; with more the content is refused whole.'),
    entriesMin: z.int().min(0).max(10_000_000).default(1).describe('Content with fewer entries is refused, also the first.'),
    entriesMax: z.int().min(1).max(5_000_000).default(500_000).describe('Content with more entries is refused.'),
    bytesMax: z.int().min(1).max(268_435_456).default(33_554_432).describe('Longer content is refused.'),
    allowWide: z
      .boolean()
      .default(false)
      .describe('Accept entries wider than IPv4 /8 and IPv6 /16, and content that covers more than half of IPv4.'),
  })
  .refine((value) => (value.file === null) !== (value.url === null), {
    error: 'needs exactly one of file and url',
    when: whenSound('file', 'url'),
  })
  .refine((value) => value.url === null || isSafeUrl(value.url), {
    error: 'must be https, or http to loopback',
    path: ['url'],
    when: whenSound('url'),
  })
  .refine((value) => (value.format === 'csv') === (value.column !== null), {
    error: 'is needed by the format csv, and by no other',
    path: ['column'],
    when: whenSound('format', 'column'),
  })
  .refine((value) => (value.format === 'jsonl') === (value.field !== null), {
    error: 'is needed by the format jsonl, and by no other',
    path: ['field'],
    when: whenSound('format', 'field'),
  })
  .refine((value) => value.entriesMin <= value.entriesMax, {
    error: 'must not be above entriesMax',
    path: ['entriesMin'],
    when: whenSound('entriesMin', 'entriesMax'),
  });

/** Lists of addresses and of AS numbers. */
export const lists = z
  .array(list)
  .max(64)
  .superRefine((value, context) => {
    for (const index of repeated(value.map((one) => one.name))) {
      context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is the name of another list too' });
    }
  })
  .default([])
  .describe('Lists of addresses and of AS numbers that requests are held against (signals.md).');

export const listsAcceptFile = filePath
  .nullable()
  .default(null)
  .describe('File with content that is accepted though it shrank, read again as it changes: a line is `<list> <sha256>`.');

export const hostingAsns = z
  .boolean()
  .default(true)
  .describe('Give the kind `hosting` to the ASes of well-known clouds and hosters, by a packaged list of their numbers.');

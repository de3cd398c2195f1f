import { z } from 'zod';
import { filePath, httpUrl, isSafeUrl, SECRET_MARK } from './forms.ts';

const BYTES_MAX = 1_073_741_824;
const YEAR_SECONDS = 31_536_000;

const format = z.enum(['countersign', 'opa', 'ocsf']);
const formats = '`countersign` (docs/decision-log.md), `opa` (events of its decision log) or `ocsf` (API Activity)';

const rotation = z
  .strictObject({
    bytesMax: z.int().min(65_536).max(1_099_511_627_776).nullable().default(104_857_600).describe('A file grows no larger; null: it may.'),
    ageMax: z.int().min(60).max(YEAR_SECONDS).nullable().default(null).describe('Seconds; an older file is put aside; null: none is.'),
    keep: z.int().min(1).max(1000).default(10).describe('Files that stay beside the one that is written: `.1` is the newest.'),
  })
  .nullable()
  .default(null)
  .describe('When the file is put aside for a new one; null: never, though one that another program moves is followed within a second.');

const http = z
  .strictObject({
    url: httpUrl
      .meta({ [SECRET_MARK]: 'url' })
      .describe("Where batches are posted to, whole: for collectors of OPA's kind it ends in `/logs`."),
    allowInsecureHttp: z.boolean().default(false).describe('Accept `http://` to another host than loopback.'),
    format: format.default('opa').describe(`Form of the events: ${formats}.`),
    credentials: z
      .strictObject({ tokenFile: filePath.nullable().default(null).describe('File with a bearer token, read anew for each batch.') })
      .prefault({})
      .describe('What the collector is shown.'),
    tls: z
      .strictObject({
        caFile: filePath.nullable().default(null).describe('CAs that are trusted in place of those of the system.'),
        certFile: filePath.nullable().default(null).describe('Client certificate.'),
        keyFile: filePath.nullable().default(null).describe('Private key of it.'),
      })
      .refine(({ certFile, keyFile }) => (certFile === null) === (keyFile === null), 'needs certFile and keyFile, or neither')
      .prefault({})
      .describe('TLS to the collector; its files are read anew for each batch.'),
    batch: z
      .strictObject({
        bytesMax: z.int().min(1024).max(33_554_432).default(262_144).describe('Bytes of the events of one batch, before they are packed.'),
        delayMs: z.int().min(1).max(60_000).default(1000).describe('How long the first event of a batch waits for others.'),
      })
      .prefault({})
      .describe('What is posted together.'),
    timeoutMs: z.int().min(10).max(600_000).default(10_000).describe('For one batch.'),
    retry: z
      .strictObject({
        minMs: z.int().min(1).max(60_000).default(200).describe('After the first failure, half of it by chance.'),
        maxMs: z.int().min(1).max(600_000).default(30_000).describe('Most time between two attempts; `retry-after` counts up to it.'),
      })
      .refine(({ minMs, maxMs }) => minMs <= maxMs, { error: 'must not be less than minMs', path: ['maxMs'] })
      .prefault({})
      .describe('How a batch that failed is tried again.'),
    bufferBytesMax: z
      .int()
      .min(16_384)
      .max(BYTES_MAX)
      .default(16_777_216)
      .describe('Events that wait; what does not fit is dropped and counted.'),
  })
  .nullable()
  .default(null)
  .describe('A collector that gets every record too; null: none.');

const privacy = z
  .strictObject({
    addresses: z
      .enum(['keep', 'truncate', 'hash'])
      .default('keep')
      .describe('Addresses of clients: as they are, cut to /24 and /48, or a keyed hash of them.'),
    clients: z.enum(['keep', 'hash']).default('keep').describe('Ids of subjects and of clients: as they are, or a keyed hash of them.'),
    keyFile: filePath
      .nullable()
      .default(null)
      .describe('File with the key of the hashes: hexadecimal, 128 bits at least; read at the start.'),
  })
  .refine(({ addresses, clients, keyFile }) => keyFile !== null || (addresses !== 'hash' && clients !== 'hash'), {
    error: 'is needed where something is hashed',
    path: ['keyFile'],
  })
  .prefault({})
  .describe('What of the persons behind requests is kept; of all sinks alike.');

/** The section `decisions.log`. */
export const decisionLog = z
  .strictObject({
    sink: z
      .union(
        [
          z.literal('stdout'),
          z.literal('none'),
          z.strictObject({
            file: filePath.describe('File that lines are appended to; where it is made, only its owner may read it.'),
            rotation,
          }),
        ],
        'must be `stdout`, `none` or {file: path}',
      )
      .default('stdout')
      .describe('Where the line of each decision goes: `stdout`, `none`, or a file.'),
    format: format.default('countersign').describe(`Form of the lines: ${formats}.`),
    input: z
      .enum(['referenced', 'none', 'full'])
      .default('referenced')
      .describe(
        'How much of the policy input is kept: what the rules that spoke looked at, nothing, or all of it. Credentials are in none of them.',
      ),
    bufferBytesMax: z
      .int()
      .min(16_384)
      .max(BYTES_MAX)
      .default(1_048_576)
      .describe('Lines that wait for a slow sink; what does not fit is dropped and counted.'),
    http,
    audit: z
      .enum(['best_effort', 'required'])
      .default('best_effort')
      .describe('`required`: while a sink is full or fails, every decision is a deny `audit_unavailable`, also where it is not enforced.'),
    labels: z
      .record(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be 1 to 64 of a-z, 0-9 and "_"'), z.string().max(256))
      .refine((value) => Object.keys(value).length <= 32, 'must not be more than 32')
      .default({})
      .describe('Labels of events in the forms `opa` and `ocsf`, beside `id` (of the process), `app` and `version`.'),
    privacy,
  })
  .refine(({ audit, sink, http: collector }) => audit !== 'required' || sink !== 'none' || collector !== null, {
    error: 'needs a sink',
    path: ['audit'],
  })
  .refine(({ http: collector }) => collector === null || collector.allowInsecureHttp || isSafeUrl(collector.url), {
    error: 'must be https, or http to loopback, or `allowInsecureHttp: true` must be written out',
    path: ['http', 'url'],
  })
  .prefault({})
  .describe('The decision log.');

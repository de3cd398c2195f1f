import { z } from 'zod';
import { httpUrl, isSafeUrl, whenSound } from './forms.ts';
import { header } from './sources.ts';

const RESOURCE_KEY = /^[a-z][a-z0-9_.-]{0,127}$/;

/** OpenTelemetry traces. */
export const tracing = z
  .strictObject({
    endpoint: httpUrl
      .nullable()
      .default(null)
      .describe(
        'Where spans are sent to by OTLP over HTTP, the whole URL: `http://127.0.0.1:4318/v1/traces`. Null: ids are read, logged and handed on, and nothing is exported.',
      ),
    allowInsecureHttp: z.boolean().default(false).describe('Allow plain http to another host than this machine.'),
    encoding: z.enum(['protobuf', 'json']).default('protobuf').describe('How spans are encoded.'),
    headers: z.array(header).max(16).default([]).describe('Headers of the export, for example with a credential.'),
    ratio: z
      .number()
      .min(0)
      .max(1)
      .default(0.01)
      .describe('Share of the traces that begin here that are exported. Where a parent came, its sampled flag decides.'),
    parent: z
      .enum(['request', 'call', 'none'])
      .default('request')
      .describe(
        "Whose `traceparent` is continued: `request`, that of the gateway's own call and otherwise that of the request that it asks about; `call`, that of the call alone; `none`.",
      ),
    serviceName: z.string().min(1).max(128).default('countersign').describe('`service.name` of the resource.'),
    resource: z
      .record(z.string().regex(RESOURCE_KEY, 'must be an attribute name in lower case'), z.string().max(256))
      .default({})
      .describe('Further attributes of the resource, such as `deployment.environment.name`.'),
    queueSpansMax: z
      .int()
      .min(512)
      .max(1_000_000)
      .default(4096)
      .describe('Spans that wait for the collector; what does not fit is dropped and counted.'),
    intervalMs: z.int().min(10).max(60_000).default(2000).describe('Spans wait no longer than this for a batch to fill.'),
    timeoutMs: z.int().min(100).max(60_000).default(10_000).describe('For one export.'),
  })
  .refine(({ endpoint, allowInsecureHttp }) => endpoint === null || allowInsecureHttp || isSafeUrl(endpoint), {
    path: ['endpoint'],
    error: 'must be https, or http to loopback, or `allowInsecureHttp` must be set',
    when: whenSound('endpoint', 'allowInsecureHttp'),
  })
  .nullable()
  .default(null)
  .describe('OpenTelemetry traces of decisions (tracing.md); null: off.');

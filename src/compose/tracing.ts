import { randomBytes, randomInt } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { BatchPdp } from '../contract/batch.ts';
import type { DecisionRecord } from '../contract/record.ts';
import type { Clock, Logger, Pdp } from '../contract/stages.ts';
import type { Tracing, TracingStatus } from '../contract/trace.ts';
import { createSourceHeaders } from '../enrich/sources/credentials.ts';
import { createExporter, type Exporter } from '../record/tracing/exporter.ts';
import { createOtlpEncoder } from '../record/tracing/otlp.ts';
import type { Attribute } from '../record/tracing/span.ts';
import { createTracer } from '../record/tracing/tracing.ts';
import type { FormPost } from '../stores/form-post.ts';
import { httpSend } from '../stores/http-send.ts';
import { readDocumentFile } from '../stores/read-file.ts';
import type { SourceStores } from '../stores/source-stores.ts';
import type { Stores } from './stores.ts';

/** What is put around the parts of the service, so that none of them knows of traces. Where tracing is off every part is itself. */
export type OpenTracing = {
  /** For the endpoints. */
  readonly endpoint: { readonly tracing?: Tracing };
  readonly stores: (stores: Stores) => Stores;
  readonly formPost: (post: FormPost) => FormPost;
  readonly sources: (stores: SourceStores) => SourceStores;
  readonly pdp: (pdp: Pdp) => Pdp;
  readonly batch: (batch: BatchPdp) => BatchPdp;
  readonly observe: (record: DecisionRecord) => void;
  readonly status: () => { readonly tracing?: TracingStatus };
  readonly close: (boundMs: number) => Promise<void>;
};

type Parts = {
  readonly version: string;
  /** A new id, for this process among its replicas. */
  readonly newId: () => string;
  readonly clock: Clock;
  readonly logger: Logger;
};

const same = <T>(part: T): T => part;

/** Nothing at all: `tracing` is null. */
const OFF: OpenTracing = {
  endpoint: {},
  stores: same,
  formPost: same,
  sources: same,
  pdp: same,
  batch: same,
  observe: () => undefined,
  status: () => ({}),
  close: () => Promise.resolve(),
};

/** Traces, as the section `tracing` of the configuration says. */
export function openTracing({ tracing, store }: Config, parts: Parts): OpenTracing {
  if (tracing === null) return OFF;
  const { clock } = parts;
  const tracer = createTracer(tracing, { clock, randomBytes, exporter: openExporter(tracing, parts) });
  const { ask, within } = tracer;

  return {
    endpoint: { tracing: tracer },
    stores: (stores) => (store.kind === 'redis' ? askingStores(stores, ask) : stores),
    formPost: (post) => (url, form, options) => {
      const sent = ask({
        name: 'introspection',
        attributes: [['http.request.method', 'POST']],
        ask: (headers) => post(url, { ...form, headers: { ...form.headers, ...headers } }, options),
        failure: ({ status }) => (status < 400 ? null : `status_${status}`),
      });
      return Promise.resolve(sent);
    },
    sources: (stores) => ({
      ...stores,
      createExchange(options) {
        const exchange = stores.createExchange(options);
        return {
          stop: () => exchange.stop(),
          send: (request) => {
            const sent = ask({
              name: 'source',
              attributes: [
                ['http.request.method', request.method],
                ['server.address', new URL(options.origin).hostname],
              ],
              ask: (headers) => exchange.send({ ...request, headers: { ...request.headers, ...headers } }),
              failure: (answer) => (answer.ok ? (answer.status < 400 ? null : `status_${answer.status}`) : answer.failure),
            });
            return Promise.resolve(sent);
          },
        };
      },
    }),
    pdp: (pdp) => ({ decide: (request) => within(request.trace, () => pdp.decide(request)) }),
    batch: (batch) => ({ decideBatch: (asked) => within(asked.items[0]?.trace, () => batch.decideBatch(asked)) }),
    observe: tracer.observe,
    status: () => ({ tracing: tracer.status() }),
    close: tracer.close,
  };
}

function openExporter(tracing: NonNullable<Config['tracing']>, { version, newId, clock, logger }: Parts): Exporter | null {
  const { endpoint, encoding, serviceName, resource, headers: configured } = tracing;
  if (endpoint === null) return null;
  const said: Attribute[] = [
    ['service.name', serviceName],
    ['service.version', version],
    ['service.instance.id', newId()],
    ...Object.entries(resource),
  ];
  const { encode, contentType } = createOtlpEncoder(encoding, { resource: said, scope: { name: 'countersign', version } });
  const headers = createSourceHeaders(configured, { readFile: readDocumentFile, clock });
  const random = (): number => randomInt(1_000_000) / 1_000_000;
  return createExporter(
    { ...tracing, endpoint },
    { encode, contentType, headers: () => headers.current(), send: httpSend, logger, random },
  );
}

type Ask = ReturnType<typeof createTracer>['ask'];

/** What decisions wait for of Redis, with its views for questions that nobody asked left as they are. */
function askingStores(stores: Stores, ask: Ask): Stores {
  const { windows, replays, signatureReplays, shared } = stores;
  const attributes = (operation: string): Attribute[] => [
    ['db.system.name', 'redis'],
    ['db.operation.name', operation],
  ];
  const asked = <T>(operation: string, send: () => T | Promise<T>, failure: (answer: T) => string | null) =>
    ask({ name: 'redis', attributes: attributes(operation), ask: send, failure });
  const remembering = (memory: Stores['replays']): Stores['replays'] => ({
    sinceMs: memory.sinceMs,
    status: () => memory.status(),
    close: () => memory.close(),
    remember: (...args) =>
      asked(
        'remember',
        () => memory.remember(...args),
        (answer) => (answer === 'store_unavailable' ? answer : null),
      ),
  });
  return {
    ...stores,
    windows: {
      status: () => windows.status(),
      close: () => windows.close(),
      add: (...args) =>
        asked(
          'add',
          () => windows.add(...args),
          (answers) => (answers.includes('store_unavailable') ? 'store_unavailable' : null),
        ),
      count: (...args) =>
        asked(
          'count',
          () => windows.count(...args),
          ({ client, address, token, route }) =>
            [client, address, token, route].includes('store_unavailable') ? 'store_unavailable' : null,
        ),
    },
    replays: remembering(replays),
    signatureReplays: remembering(signatureReplays),
    shared:
      shared === null
        ? null
        : {
            simulated: shared.simulated,
            status: () => shared.status(),
            tell: (...args) => shared.tell(...args),
            ask(...args) {
              const answer = shared.ask(...args);
              return answer === null
                ? null
                : Promise.resolve(
                    asked(
                      'recall',
                      () => answer,
                      () => null,
                    ),
                  );
            },
          },
  };
}

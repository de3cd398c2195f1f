import { createBatchPdp } from '../../src/batch.ts';
import type { PdpParts } from '../../src/contract/path.ts';
import type { Trust } from '../../src/contract/pep.ts';
import type { DecisionRecord } from '../../src/contract/record.ts';
import type { Policies } from '../../src/contract/stages.ts';
import { createHttpServer } from '../../src/endpoints/http-server.ts';
import { createPepAuth } from '../../src/endpoints/pep-auth.ts';
import { createEnricher } from '../../src/enrich/enricher.ts';
import { createPath, createPdp } from '../../src/pdp.ts';
import { createMemoryWindows } from '../../src/stores/memory-windows.ts';
import type { WindowStore } from '../../src/stores/windows.ts';
import { pepOptions, sha256 } from '../endpoints/fixtures.ts';
import { createBench, identityOptions, issuerOptions, keysAtHand, type SigningKey, silentLogger } from '../identify/fixtures.ts';
import { type Received, send } from './http-client.ts';

/** The whole path behind the real listener: real identification, counters in memory, and the policies that are handed in. */
export type AuthzenWorld = {
  readonly port: number;
  readonly records: DecisionRecord[];
  /** How often each stage was asked. */
  readonly asked: { identified: number; enriched: number };
  readonly refused: string[];
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Received>;
  stop(): Promise<void>;
};

export type AuthzenWorldOptions = {
  readonly policies: Policies;
  /** Of the gateway that needs no evidence. */
  readonly trusts?: readonly Trust[];
  readonly publicUrl?: string | null;
  readonly evaluationsMax?: number;
  readonly deadlineMs?: number;
  /** The key of the one issuer whose tokens count. */
  readonly key?: SigningKey;
  /** In place of counters in memory. */
  readonly windows?: WindowStore;
  /** In place of the monotonic clock. */
  readonly monotonic?: () => number;
  /** Put before a stage, to make it fail or wait. */
  readonly around?: (parts: PdpParts) => PdpParts;
};

export const PUBLIC_URL = 'https://pdp.example.com';

export async function startAuthzenWorld(options: AuthzenWorldOptions): Promise<AuthzenWorld> {
  const { policies, key, around = (parts) => parts } = options;
  const issuers = key === undefined ? [] : [issuerOptions({ jwksUrl: 'https://as.example/jwks' })];
  const { identifier, clock } = createBench(identityOptions(issuers), keysAtHand(key === undefined ? [] : [key.jwk]));
  const { windows = createMemoryWindows({ entriesMax: 1000, startedAtMs: 0 }) } = options;
  const enricher = createEnricher({ databases: [], registryCountry: null, trustedProxies: [], windows, clock });
  await identifier.start();
  const records: DecisionRecord[] = [];
  const refused: string[] = [];
  const asked = { identified: 0, enriched: 0 };
  const parts = around({
    policies,
    identifier: {
      identify(request) {
        asked.identified += 1;
        return identifier.identify(request);
      },
    },
    enricher: {
      enrich(request, identity, route) {
        asked.enriched += 1;
        return enricher.enrich(request, identity, route);
      },
      enrichFurther: enricher.enrichFurther,
    },
    sources: { introspection: identifier.introspect },
    recorder: { record: (record) => void records.push(record) },
    clock,
  });
  let ids = 0;
  const batch = createBatchPdp(createPath(parts), identifier.reassert);
  const listener = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    tls: null,
    publicHosts: [],
    headerMaxBytes: 16_384,
    inFlightMax: 64,
    bodyMaxBytes: 1_048_576,
    bodyTimeoutMs: 5000,
    deadlineMs: options.deadlineMs ?? 5000,
    pdp: createPdp(parts),
    authzen: {
      batch,
      publicUrl: options.publicUrl === undefined ? PUBLIC_URL : options.publicUrl,
      evaluationsMax: options.evaluationsMax ?? 100,
    },
    pepAuth: createPepAuth(
      [
        pepOptions('local', options.trusts ?? ['subject'], { anonymous: true }),
        pepOptions('bare', [], { tokenSha256: sha256('bare-token') }),
      ],
      ['default'],
    ),
    clock: options.monotonic === undefined ? clock : { now: () => clock.now(), monotonic: options.monotonic },
    newId: () => `id-${++ids}`,
    logger: silentLogger,
    onRefused: (code) => void refused.push(code),
  });
  const { port } = await listener.start();
  return {
    port,
    records,
    asked,
    refused,
    post: (path, body, headers = {}) =>
      send(port, {
        method: 'POST',
        path,
        headers: Object.entries({ 'content-type': 'application/json', ...headers }).flat(),
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    async stop() {
      identifier.stop();
      await listener.stop(1000);
    },
  };
}

import { randomBytes } from 'node:crypto';
import type { Config } from './config/schema.ts';
import type { GeoipTools } from './contract/geoip.ts';
import type { Listener } from './contract/lifecycle.ts';
import type { Clock, Logger } from './contract/stages.ts';
import type { ServiceStatus } from './contract/status.ts';
import { createPolicies } from './decide/policies.ts';
import { createNewId } from './decision-id.ts';
import { createGrpcServer } from './endpoints/grpc-server.ts';
import { createHttpServer } from './endpoints/http-server.ts';
import { createOperationsServer } from './endpoints/operations/operations-server.ts';
import { createPepAuth } from './endpoints/pep-auth.ts';
import { createBehaviour } from './enrich/behaviour/behaviour.ts';
import { type CostSink, createFeedback, type Reportable } from './enrich/behaviour/feedback.ts';
import type { MemoryMakers } from './enrich/behaviour/memory.ts';
import { createDevices } from './enrich/device/device.ts';
import { createRegistered } from './enrich/device/known.ts';
import { createEnricher } from './enrich/enricher.ts';
import { knownFields } from './enrich/network-record.ts';
import type { Memories } from './enrich/remembered.ts';
import { createIdentifier } from './identify/identifier.ts';
import { createPdp } from './pdp.ts';
import { readinessOf } from './readiness.ts';
import { createMetrics } from './record/metrics.ts';
import { createRecorder } from './record/recorder.ts';
import { BlockPool, createBlock } from './stores/block-pool.ts';
import { createBoundedCache } from './stores/bounded-cache.ts';
import { CircuitBreaker } from './stores/circuit-breaker.ts';
import { formPost } from './stores/form-post.ts';
import { httpFetch } from './stores/http-fetch.ts';
import { createMemoryReplays } from './stores/memory-replays.ts';
import { createMemoryWindows } from './stores/memory-windows.ts';
import { inspectMmdb } from './stores/mmdb-inspect.ts';
import { installMmdb } from './stores/mmdb-install.ts';
import { openMmdbSet } from './stores/mmdb-set.ts';
import { npmRegistry } from './stores/npm-registry.ts';
import { readDocumentFile } from './stores/read-file.ts';
import { RecentEntries } from './stores/recent-entries.ts';
import { RecordPool } from './stores/record-pool.ts';
import { openRedisStores } from './stores/redis/stores.ts';
import { registryCountry } from './stores/registry-country.ts';
import type { ReplayMemory } from './stores/replay-memory.ts';
import type { WindowStore } from './stores/windows.ts';

/** An authorization server that failed five times in a row is asked again after two seconds. */
const INTROSPECTION_BREAKER = { failuresMax: 5, openMs: 2000 };

/** How long an outcome may be reported. */
const FEEDBACK_AGE_MS = 300_000;

/** What the process hands in: nothing below reads a clock, the environment or a file name of its own. */
export type ServiceParts = { readonly config: Config; readonly version: string; readonly clock: Clock; readonly logger: Logger };

/** Host and port that a listener really has. */
export type Address = { readonly host: string; readonly port: number };

/** The whole service, joined. */
export interface Service {
  /**
   * Opens the listeners, then loads policies and keys: until a policy is active every answer is a deny `policy_not_loaded`, and
   * `/readyz` says so. Rejects where a listener cannot be opened.
   */
  start(): Promise<{ readonly http: Address; readonly grpc: Address; readonly operations: Address }>;
  /**
   * Goes away without losing a request: says so, keeps answering for `drain.noticeMs`, lets what is in flight end within
   * `drain.boundMs`, and closes what the parts hold. Safe to call twice.
   */
  drain(): Promise<void>;
  status(): ServiceStatus;
}

/** The composition root: the only place that constructs parts and joins them. */
export async function createService({ config, version, clock, logger }: ServiceParts): Promise<Service> {
  const startedAtMs = clock.now();
  let draining = false;
  let drained: Promise<void> | null = null;

  const addressData = await openMmdbSet(config.network.databases, logger);
  const { windows, replays, close: closeStores } = openStores(config, clock, logger);
  const memories = openMemories(config, () => undefined);
  const enricher = createEnricher({
    databases: addressData.databases,
    registryCountry: config.network.registry ? registryCountry : null,
    trustedProxies: config.network.trustedProxies,
    windows,
    memories,
    clock,
  });
  const identifier = createIdentifier(config.identity, {
    clock,
    logger,
    httpFetch,
    formPost,
    readFile: readDocumentFile,
    createCache: createBoundedCache,
    accountOf: enricher.accountOf,
    replays,
    createBreaker: () => new CircuitBreaker(INTROSPECTION_BREAKER, () => clock.monotonic()),
  });
  const policyOptions = { default: config.policy, ...config.policies };
  const policies = createPolicies(
    {
      policies: policyOptions,
      input: config.input,
      upstream: config.upstream,
      challenge: { ...config.challenge, dpopAlgorithms: config.identity.dpop.algorithms },
    },
    { clock, logger },
  );
  const metrics = createMetrics({ version, node: process.versions.node, clock, status, openRequests });
  const recorder = createRecorder(config.decisions.log, { metrics, logger, clock });
  const pdp = createPdp({
    policies,
    identifier,
    enricher,
    sources: { introspection: identifier.introspect },
    recorder: {
      record(record) {
        recorder.record(record);
        try {
          enricher.observe(record);
        } catch (cause) {
          // the decision stands, whatever is not learnt from it
          logger.error('observe_failed', { cause });
        }
      },
    },
    clock,
  });

  const pepAuth = createPepAuth(config.peps, Object.keys(policyOptions));
  const endpoint = {
    pdp,
    pepAuth,
    clock,
    newId: createNewId(clock),
    logger,
    deadlineMs: config.decisions.deadlineMs,
    onRefused: metrics.refused,
  };
  const readiness = () => readinessOf(status());
  const http = createHttpServer({ ...config.http, ...endpoint, feedback: memories.feedback });
  const grpc = createGrpcServer({ ...config.grpc, ...endpoint, ready: () => readiness().ready });
  const operations = createOperationsServer({ ...config.operations, readiness, status, metrics: metrics.scrape, logger });
  const gateways: readonly Listener[] = [http, grpc];

  function openRequests(): Readonly<Record<string, number>> {
    return { http: http.openRequests(), grpc: grpc.openRequests() };
  }

  function status(): ServiceStatus {
    return {
      version,
      startedAt: Math.floor(startedAtMs / 1000),
      draining,
      policies: policies.status(),
      identify: identifier.status(),
      enrich: enricher.status(),
      record: recorder.status(),
      strict: true,
    };
  }

  async function listen() {
    try {
      return { operations: await operations.start(), http: await http.start(), grpc: await grpc.start() };
    } catch (failure) {
      // what is open already would keep the process alive
      await close();
      throw failure;
    }
  }

  async function drainOnce(): Promise<void> {
    draining = true;
    const { noticeMs, boundMs } = config.drain;
    logger.info('drain_started', { notice_ms: noticeMs, bound_ms: boundMs });
    for (const listener of gateways) listener.notice();
    await new Promise((resolve) => setTimeout(resolve, noticeMs));
    await close();
    logger.info('drain_ended', {});
  }

  /** Operations last, so that a probe sees the drain to its end. */
  async function close(): Promise<void> {
    const { boundMs } = config.drain;
    await Promise.all(gateways.map((listener) => listener.stop(boundMs)));
    await operations.stop(boundMs);
    identifier.stop();
    addressData.stop();
    await closeStores();
    await recorder.close(boundMs);
  }

  return {
    async start() {
      const addresses = await listen();
      logger.info('listening', addresses);
      await Promise.all([policies.load(), identifier.start()]);
      logger.info('started', { ready: readiness().ready });
      return addresses;
    },
    drain() {
      drained ??= drainOnce();
      return drained;
    },
    status,
  };
}

/** What `countersign geoip` works with: no service is needed for it. */
export function createGeoipTools(clock: Clock): GeoipTools {
  const deps = { now: () => clock.now(), fieldsOf: knownFields, fetch: httpFetch, npmRegistry };
  return { inspect: (file) => inspectMmdb(file, deps), update: (update) => installMmdb(update, deps) };
}

type Stores = { readonly windows: WindowStore; readonly replays: ReplayMemory; readonly close: () => Promise<void> };

function openStores({ store }: Config, clock: Clock, logger: Logger): Stores {
  if (store.kind === 'redis') return openRedisStores({ ...store, monotonic: () => clock.monotonic(), logger });
  const startedAtMs = clock.now();
  return {
    windows: createMemoryWindows({ entriesMax: store.entriesMax, startedAtMs }),
    replays: createMemoryReplays({ entriesMax: store.replayEntriesMax, startedAtMs }),
    close: () => Promise.resolve(),
  };
}

/** What is remembered of clients, in this process: with Redis behind the counters each replica remembers its own. */
function openMemories({ behaviour: options, device, peps, store }: Config, onCost: CostSink): Memories {
  const makers: MemoryMakers = {
    records: (shape) => new RecordPool(shape),
    blocks: (blocksMax) => new BlockPool(blocksMax),
    pointer: createBlock,
    hashKey: [randomBytes(4).readUInt32LE(), randomBytes(4).readUInt32LE()],
  };
  const scope = store.kind === 'redis' ? 'replica' : 'process';
  const behaviour = options.enabled ? createBehaviour(options, scope, makers) : null;
  const reportable = peps.some(({ trusts }) => trusts.includes('feedback'));
  return {
    behaviour,
    devices: device.enabled ? createDevices(device, scope, createRegistered(device.known), makers) : null,
    feedback: reportable
      ? createFeedback(new RecentEntries<Reportable>(options.feedbackEntriesMax, FEEDBACK_AGE_MS), behaviour, onCost)
      : null,
  };
}

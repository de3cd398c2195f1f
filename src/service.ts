import { createBatchPdp } from './batch.ts';
import { openAdmin } from './compose/admin.ts';
import { recordAndObserve } from './compose/after-decision.ts';
import { openAssertion } from './compose/assertion.ts';
import { openCertificateEnds } from './compose/certificate-ends.ts';
import { changingParts } from './compose/changing-parts.ts';
import { openConfigReload } from './compose/config-reload.ts';
import { openExplain } from './compose/explain.ts';
import { openMemories } from './compose/memories.ts';
import { openMonitor } from './compose/monitor.ts';
import { openApiText } from './compose/openapi/document.ts';
import { openPolicies } from './compose/policies.ts';
import { openRecorder } from './compose/recorder.ts';
import { openRegistry } from './compose/registry.ts';
import { openRevocations } from './compose/revocations.ts';
import { createSimulation, withNonceSecret } from './compose/simulation.ts';
import { openStores } from './compose/stores.ts';
import { openTracing } from './compose/tracing.ts';
import { createWarmUp } from './compose/warm-up.ts';
import type { ConfigFile } from './config/load.ts';
import type { Config } from './config/schema.ts';
import type { Listener } from './contract/lifecycle.ts';
import type { PdpParts } from './contract/path.ts';
import type { DecisionRecord } from './contract/record.ts';
import type { Clock, Logger } from './contract/stages.ts';
import type { ServiceStatus } from './contract/status.ts';
import { createNewId } from './decision-id.ts';
import { createAdmission } from './endpoints/admission.ts';
import { createChangingPepAuth } from './endpoints/changing-pep-auth.ts';
import { apiDocument } from './endpoints/documents.ts';
import { createGrpcServer } from './endpoints/grpc-server.ts';
import { createHttpServer } from './endpoints/http-server.ts';
import { createOperationsServer } from './endpoints/operations/operations-server.ts';
import { createEnricher, type EnricherOptions } from './enrich/enricher.ts';
import { createAddressLists } from './enrich/lists/address-lists.ts';
import { createAttributeSources } from './enrich/sources/sources.ts';
import { createIdentifier, type IdentifierParts } from './identify/identifier.ts';
import { createPath, createPdp } from './pdp.ts';
import { readinessOf } from './readiness.ts';
import { createMetrics } from './record/metrics.ts';
import { createRecentDecisions } from './record/recent-decisions.ts';
import { createBoundedCache } from './stores/bounded-cache.ts';
import { readChangedFile } from './stores/changed-file.ts';
import { CircuitBreaker } from './stores/circuit-breaker.ts';
import { formPost } from './stores/form-post.ts';
import { createGuardedFetch } from './stores/guarded-fetch.ts';
import { httpFetch, httpFetchChanged } from './stores/http-fetch.ts';
import { openMmdbSet } from './stores/mmdb-set.ts';
import { readDocumentFile } from './stores/read-file.ts';
import { registryCountry } from './stores/registry-country.ts';
import { createResolveHost } from './stores/resolve-host.ts';
import { createSourceStores } from './stores/source-stores.ts';

/** An authorization server that failed five times in a row is asked again after two seconds. */
const INTROSPECTION_BREAKER = { failuresMax: 5, openMs: 2000 };

/** What the process hands in: nothing below reads a clock, the environment or a file name of its own. */
export type ServiceParts = {
  readonly config: Config;
  /** Followed while the service runs; left out or null: nothing is. */
  readonly configFile?: ConfigFile | null;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
};

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

/** The start waits no longer for the registry: what lacks it says so in its decisions, and a signal to end must not wait for a large one. */
const REGISTRY_WAIT_MS = 2000;

/** The composition root: the only place that constructs parts and joins them. */
export async function createService({ config, configFile = null, version, clock, logger }: ServiceParts): Promise<Service> {
  const startedAtMs = clock.now();
  let draining = false;
  let drained: Promise<void> | null = null;

  const assertion = await openAssertion(config, { clock, logger });
  const addressData = await openMmdbSet(config.network.databases, logger);
  const newId = createNewId(clock);
  const tracing = openTracing(config, { version, newId, clock, logger });
  const stores = tracing.stores(openStores(config, clock, logger));
  const { windows, replays, signatureReplays, shared, simulated, close: closeStores } = stores;
  const registered = (client: string) => registry?.client(client) ?? null;
  const remembered = openMemories(config, { windows, shared, startedAtMs, logger, registered });
  const base = { clock, logger };
  const revocations = openRevocations(config, stores, base);
  const lists = createAddressLists(config.network, { ...base, readFile: readChangedFile, fetch: httpFetchChanged, random: Math.random });
  const sources = createAttributeSources(config.sources, {
    ...base,
    ...tracing.sources(createSourceStores(() => clock.monotonic())),
  });
  const { memories } = remembered;
  const enricherOptions: EnricherOptions = {
    databases: addressData.databases,
    registryCountry: config.network.registry ? registryCountry : null,
    trustedProxies: config.network.trustedProxies,
    windows,
    memories,
    lists,
    sources,
    clock,
  };
  const enricher = createEnricher(enricherOptions);
  const { registry, parts: registryParts } = await openRegistry(config, enricher, revocations, { ...base, readFile: readDocumentFile });
  const identity = withNonceSecret(config.identity);
  const identifierParts: IdentifierParts = {
    clock,
    logger,
    httpFetch,
    formPost: tracing.formPost(formPost),
    readFile: readDocumentFile,
    createCache: createBoundedCache,
    accountOf: enricher.accountOf,
    replays,
    registry: registryParts,
    createBreaker: () => new CircuitBreaker(INTROSPECTION_BREAKER, () => clock.monotonic()),
    signatureReplays,
    createGuardedFetch: (options) => createGuardedFetch(options, createResolveHost()),
    requestMsMax: config.decisions.deadlineMs,
  };
  const identifier = createIdentifier(identity, identifierParts);
  const policies = openPolicies(config, registryParts.hashKeys.size > 0, {
    ...base,
    rollout: { accountOf: enricher.accountOf, onDiff: (diff) => recorder.recordDiff(diff) },
  });
  const monitoring = openMonitor(config, { logger, startedAt: Math.floor(startedAtMs / 1000), monitored: policies.monitored });
  const metrics = createMetrics({ version, node: process.versions.node, clock, status, openRequests });
  const recent = createRecentDecisions(config.decisions.recent);
  const recorder = await openRecorder(config, version, { metrics, logger, clock });
  const parts: PdpParts = {
    policies,
    identifier,
    enricher,
    sources: { introspection: identifier.introspect, attributes: sources },
    recorder: recordAndObserve({ ...recorder, record: note }, [enricher, policies.shadow], logger),
    ...(monitoring.monitor === null ? {} : { monitor: monitoring.monitor }),
    ...assertion.part,
    clock,
  };
  const pdp = tracing.pdp(createPdp(parts));

  const pepAuth = createChangingPepAuth(config.peps, policies.names);
  const certificateEnds = openCertificateEnds(config, { clock, readFile: readDocumentFile });
  const { bodyMaxBytes } = config.http;
  const heldBytesMax = Math.max(config.overload.heldBytesMax, bodyMaxBytes, config.grpc.messageMaxBytes);
  const admission = createAdmission({ ...base, heldBytesMax, queueMs: config.overload.queueMs });
  const endpoint = {
    pdp,
    admission,
    pepAuth,
    clock,
    newId,
    logger,
    deadlineMs: config.decisions.deadlineMs,
    onRefused: metrics.refused,
    ...tracing.endpoint,
  };
  const warmUp = createWarmUp({ ...base, ...config.start, policies, identifier, enricher: enricherOptions });
  const readiness = () => readinessOf(status(), warmUp.done());
  const batch = tracing.batch(createBatchPdp(createPath(parts), identifier.reassert));
  const authzen = { batch, publicUrl: config.publicUrl, evaluationsMax: config.authzen.evaluationsMax };
  const http = createHttpServer({
    ...config.http,
    ...endpoint,
    feedback: memories.feedback,
    authzen,
    documents: [apiDocument(openApiText()), ...assertion.documents],
  });
  const grpc = createGrpcServer({ ...config.grpc, ...endpoint, ready: () => readiness().ready });
  const simulation = createSimulation({
    ...{ config, clock, policies, identity },
    ...{ stores: simulated, memories: remembered.simulated, identifier: identifierParts, enricher: enricherOptions },
  });
  const prepare = changingParts({ pepAuth, identifier, simulation, lists });
  const reload = openConfigReload(config, configFile, { ...base, readFile: readChangedFile, prepare });
  const decisions = openExplain({ policies, recent, pepNamed: pepAuth.named, simulation });
  const admin = openAdmin(config, policies, revocations.admin, { ...base, newId: endpoint.newId, decisions });
  const operations = createOperationsServer({ ...config.operations, readiness, status, metrics: metrics.scrape, logger, admin });
  const gateways: readonly Listener[] = [http, grpc];

  function note(record: DecisionRecord): void {
    tracing.observe(record);
    recorder.record(record);
    policies.canary?.observe(record);
    recent?.note(record);
  }

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
      ...(registry === null ? {} : { registry: registry.status() }),
      revocations: revocations.status(),
      enrich: enricher.status(),
      record: recorder.status(),
      overload: admission.status(),
      ...reload.status(),
      ...certificateEnds.status(),
      ...monitoring.status(),
      ...tracing.status(),
      ...assertion.status(),
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
    warmUp.stop();
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
    reload.stop();
    certificateEnds.stop();
    policies.stop();
    identifier.stop();
    simulation.stop();
    registry?.stop();
    revocations.stop();
    assertion.stop();
    addressData.stop();
    lists.stop();
    sources?.stop();
    await closeStores();
    await Promise.all([recorder.close(boundMs), tracing.close(boundMs)]);
  }

  return {
    async start() {
      const addresses = await listen();
      logger.info('listening', addresses);
      // not waited for: a list says of itself that it was not loaded yet, and a slow server must not hold up a drain
      void lists.start();
      void certificateEnds.start();
      await Promise.all([policies.load(), identifier.start(), registry?.start(REGISTRY_WAIT_MS), revocations.start(REGISTRY_WAIT_MS)]);
      await warmUp.run();
      reload.start();
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

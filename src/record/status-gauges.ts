import type { RegistryStatus } from '../contract/registry-status.ts';
import type { CacheStatus, ServiceStatus } from '../contract/status.ts';
import { showAssertion } from './assertion-metrics.ts';
import { showCertificates } from './certificate-metrics.ts';
import { showConfig } from './config-metrics.ts';
import { showKeyEnds } from './key-end-metrics.ts';
import { showLog } from './log-metrics.ts';
import { METRICS, type MetricDefinition } from './metric-definitions.ts';
import { showOverload } from './overload-metrics.ts';
import { showPolicies } from './policy-metrics.ts';
import { showPushed } from './pushed-metrics.ts';
import { showRevocations } from './revocation-metrics.ts';
import { showRollout } from './rollout-metrics.ts';
import { showSources } from './source-metrics.ts';
import type { Labels } from './tally.ts';
import { showTracing } from './trace-metrics.ts';

const REVISION_MAX = 128;
const DOCUMENT_STATES = ['ready', 'stale', 'never_loaded'] as const;
const DATABASE_STATES = ['ready', 'stale', 'missing', 'broken'] as const;
const INTROSPECTION_STATES = ['ready', 'failing', 'open', 'never_asked'] as const;
const LIST_STATES = [...DOCUMENT_STATES, 'held_back'] as const;
const KEY_SET_STATES = ['ready', 'stale', 'never_fetched'] as const;

/** Shows a status snapshot as metrics. Labels come from the configuration and from bundles, never from requests. */
export function showStatus(
  status: ServiceStatus,
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
  nowSeconds: number,
): void {
  const { identify, registry, enrich, policies, record } = status;
  const caches: Record<string, CacheStatus> = {
    token: identify.tokenCache,
    negative: identify.negativeCache,
    certificate: identify.certificateCache,
    txn_token: identify.txnTokenCache,
    proof_key: identify.proofKeyCache,
    ...(identify.introspection === undefined ? {} : { introspection: identify.introspection.cache }),
  };
  const { signatures } = identify;
  if (signatures !== null) caches['key_directory'] = signatures.directories;
  for (const [cache, { hits, misses, entries }] of Object.entries(caches)) {
    set(METRICS.cacheHits, { cache }, hits);
    set(METRICS.cacheMisses, { cache }, misses);
    set(METRICS.cacheEntries, { cache }, entries);
  }
  for (const { issuer, state, ageSeconds } of [...identify.keySets, ...(signatures?.keySets ?? [])]) {
    if (ageSeconds !== null) set(METRICS.keySetAge, { issuer }, ageSeconds);
    for (const one of KEY_SET_STATES) set(METRICS.keySetState, { issuer, state: one }, one === state ? 1 : 0);
  }
  for (const { issuer, state, answers, shed } of identify.introspection?.servers ?? []) {
    for (const [result, count] of Object.entries(answers)) set(METRICS.introspectionAnswers, { issuer, result }, count);
    set(METRICS.introspectionShed, { issuer }, shed);
    for (const one of INTROSPECTION_STATES) set(METRICS.introspectionState, { issuer, state: one }, one === state ? 1 : 0);
  }
  if (signatures !== null) {
    set(METRICS.directoryFetches, {}, signatures.fetching);
    set(METRICS.directoryFailures, {}, signatures.failures);
  }
  for (const { name: bundle, state } of identify.certificates.trustBundles) {
    for (const one of DOCUMENT_STATES) set(METRICS.trustBundleState, { bundle, state: one }, one === state ? 1 : 0);
  }
  for (const { name: crl, state, ageSeconds, nextUpdate } of identify.certificates.crls) {
    if (ageSeconds !== null) set(METRICS.crlAge, { crl }, ageSeconds);
    if (nextUpdate !== null) set(METRICS.crlExpiry, { crl }, nextUpdate);
    for (const one of DOCUMENT_STATES) set(METRICS.crlState, { crl, state: one }, one === state ? 1 : 0);
  }
  if (registry !== undefined) showRegistry(registry, set);
  showRevocations(status.revocations, set);
  for (const policy of policies) showPushed(policy, set);
  for (const { name: policy, revision, activatedAt, lastError } of policies) {
    if (revision !== null) set(METRICS.policyInfo, { policy, revision: revision.slice(0, REVISION_MAX) }, 1);
    if (activatedAt !== null) set(METRICS.policyActivated, { policy }, activatedAt);
    if (lastError !== null) set(METRICS.policyError, { policy, code: lastError.code }, lastError.at);
  }
  for (const { name: database, state, builtAt } of enrich.databases) {
    set(METRICS.databaseReady, { database }, state === 'ready' || state === 'stale' ? 1 : 0);
    for (const one of DATABASE_STATES) set(METRICS.databaseState, { database, state: one }, one === state ? 1 : 0);
    if (builtAt === null) continue;
    set(METRICS.databaseBuilt, { database }, Math.max(0, nowSeconds - builtAt));
    set(METRICS.databaseBuildTime, { database }, builtAt);
  }
  for (const { name: list, state, entries, badLines, ageSeconds } of enrich.lists) {
    for (const one of LIST_STATES) set(METRICS.listState, { list, state: one }, one === state ? 1 : 0);
    set(METRICS.listEntries, { list }, entries);
    set(METRICS.listBadLines, { list }, badLines);
    if (ageSeconds !== null) set(METRICS.listAge, { list }, ageSeconds);
  }
  showPolicies(policies, set);
  showSources(enrich.sources ?? [], set);
  showRollout(status, set);
  showTracing(status.tracing, set);
  showAssertion(status.assertion, set);
  showOverload(status.overload, set);
  showConfig(status.config, set);
  showCertificates(status.certificateEnds, set);
  const { kind, state, entries } = enrich.store;
  set(METRICS.storeReady, { kind }, state === 'ready' ? 1 : 0);
  if (entries !== null) set(METRICS.storeEntries, { kind }, entries);
  const { entries: remembered, feedback, shared } = enrich.remembered;
  if (shared !== undefined) set(METRICS.rememberedDropped, {}, shared.dropped);
  for (const [memory, count] of Object.entries(remembered)) set(METRICS.rememberedEntries, { memory }, count);
  if (feedback !== null) {
    if (feedback.entries !== null) set(METRICS.rememberedEntries, { memory: 'decisions' }, feedback.entries);
    for (const result of ['accepted', 'repeated', 'unknown'] as const) set(METRICS.feedback, { result }, feedback[result]);
    if (feedback.unavailable !== undefined) set(METRICS.feedback, { result: 'unavailable' }, feedback.unavailable);
  }
  set(METRICS.recordLines, { result: 'written' }, record.written);
  set(METRICS.recordLines, { result: 'dropped' }, record.dropped);
  showLog(record, set);
  set(METRICS.draining, {}, status.draining ? 1 : 0);
}

function showRegistry(
  { records, revocations }: RegistryStatus,
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
): void {
  for (const [part, { state, ageSeconds }] of Object.entries({ records, revocations })) {
    for (const one of DOCUMENT_STATES) set(METRICS.registryState, { part, state: one }, one === state ? 1 : 0);
    if (ageSeconds !== null) set(METRICS.registryAge, { part }, ageSeconds);
  }
  set(METRICS.registryEntries, { kind: 'clients' }, records.clients);
  set(METRICS.registryEntries, { kind: 'api_keys' }, records.apiKeys);
  showKeyEnds(records.keyEnds, set);
  set(METRICS.registryEntries, { kind: 'revocations' }, revocations.entries);
}

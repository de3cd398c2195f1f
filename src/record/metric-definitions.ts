import { ASSERTION_METRICS } from './assertion-metrics.ts';
import { CERTIFICATE_METRICS } from './certificate-metrics.ts';
import { CONFIG_METRICS } from './config-metrics.ts';
import { KEY_END_METRICS } from './key-end-metrics.ts';
import { LOG_METRICS } from './log-metrics.ts';
import { OVERLOAD_METRICS } from './overload-metrics.ts';
import { POLICY_METRICS } from './policy-metrics.ts';
import { EXCEPTION_USES, PUSHED_METRICS } from './pushed-metrics.ts';
import { REVOCATION_METRICS } from './revocation-metrics.ts';
import { ROLLOUT_METRICS } from './rollout-metrics.ts';
import { SOURCE_METRICS } from './source-metrics.ts';
import { TRACE_METRICS } from './trace-metrics.ts';
import { UNDECIDED } from './undecided-report.ts';

/** One metric: what `/metrics` shows and `docs/metrics.md` explains. */
export type MetricDefinition = {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
};

/** Upper bounds of latency buckets, seconds: a decision takes microseconds to milliseconds. */
export const LATENCY_BUCKETS = [
  0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
] as const;

/** Every metric of ours; the process metrics of prom-client come beside them. */
export const METRICS = {
  decisions: {
    name: 'countersign_decisions_total',
    type: 'counter',
    help: 'Decisions by effect, policy, code of the primary reason, and endpoint. Codes beyond the bound are counted as `other`.',
    labels: ['effect', 'policy', 'reason', 'endpoint'],
  },
  failures: {
    name: 'countersign_decision_failures_total',
    type: 'counter',
    help: 'Decisions that could not be made (each is a deny), by the code of the failure.',
    labels: ['code'],
  },
  decisionSeconds: {
    name: 'countersign_decision_duration_seconds',
    type: 'histogram',
    help: 'Time of the whole path of a decision.',
    labels: [],
  },
  stageSeconds: {
    name: 'countersign_stage_duration_seconds',
    type: 'histogram',
    help: 'Time of one stage of a decision: identify, enrich, decide.',
    labels: ['stage'],
  },
  signalStates: {
    name: 'countersign_signal_states_total',
    type: 'counter',
    help: 'States of signals: present, absent, invalid (offered and refused), unavailable (our source failed).',
    labels: ['signal', 'status'],
  },
  shadowLimits: {
    name: 'countersign_shadow_limit_exceeded_total',
    type: 'counter',
    help: 'Requests that were above a rate limit in shadow (`shadow: true`), by the limit. They were not denied for it.',
    labels: ['limit'],
  },
  monitored: {
    name: 'countersign_monitored_total',
    type: 'counter',
    help: 'Requests that passed although they were not allowed (`enforce: false`), by whose setting it was (pep, route) and by what was decided: deny, step_up, failed (no decision could be made).',
    labels: ['by', 'would'],
  },
  slow: {
    name: 'countersign_slow_evaluations_total',
    type: 'counter',
    help: 'Evaluations that took longer than `policy.slowMs`.',
    labels: ['policy'],
  },
  ...OVERLOAD_METRICS,
  cacheHits: { name: 'countersign_cache_hits_total', type: 'counter', help: 'Look-ups that a cache answered.', labels: ['cache'] },
  cacheMisses: {
    name: 'countersign_cache_misses_total',
    type: 'counter',
    help: 'Look-ups that a cache could not answer.',
    labels: ['cache'],
  },
  cacheEntries: { name: 'countersign_cache_entries', type: 'gauge', help: 'Entries in a cache.', labels: ['cache'] },
  keySetAge: {
    name: 'countersign_key_set_age_seconds',
    type: 'gauge',
    help: 'Time since the keys of an issuer were last fetched with success; there is no value where they never were.',
    labels: ['issuer'],
  },
  keySetState: {
    name: 'countersign_key_set_state',
    type: 'gauge',
    help: '1 for the state that the key set of an issuer is in: ready, stale, never_fetched.',
    labels: ['issuer', 'state'],
  },
  introspectionAnswers: {
    name: 'countersign_introspection_answers_total',
    type: 'counter',
    help: 'Questions to an authorization server about tokens, by what came back: active, inactive, failed (no answer that could be used).',
    labels: ['issuer', 'result'],
  },
  introspectionShed: {
    name: 'countersign_introspection_shed_total',
    type: 'counter',
    help: 'Tokens that were not asked about: too many questions in flight, or the server failed several times in a row.',
    labels: ['issuer'],
  },
  introspectionState: {
    name: 'countersign_introspection_state',
    type: 'gauge',
    help: '1 for the state that introspection at an issuer is in: ready, failing, open (left alone for a while), never_asked.',
    labels: ['issuer', 'state'],
  },
  directoryFetches: {
    name: 'countersign_key_directory_fetches',
    type: 'gauge',
    help: 'Fetches of key directories of web bots that run now; there is no value without `identity.signatures`.',
    labels: [],
  },
  directoryFailures: {
    name: 'countersign_key_directory_failures_total',
    type: 'counter',
    help: 'Fetches of key directories that brought no keys.',
    labels: [],
  },
  trustBundleState: {
    name: 'countersign_trust_bundle_state',
    type: 'gauge',
    help: '1 for the state that a trust bundle is in: ready, stale (its file cannot be used any more, the last anchors are), never_loaded.',
    labels: ['bundle', 'state'],
  },
  crlAge: {
    name: 'countersign_crl_age_seconds',
    type: 'gauge',
    help: 'Time since `thisUpdate` of a certificate revocation list; there is no value where none was loaded.',
    labels: ['crl'],
  },
  crlExpiry: {
    name: 'countersign_crl_next_update_timestamp_seconds',
    type: 'gauge',
    help: '`nextUpdate` of a certificate revocation list, unix time: after it the list is stale.',
    labels: ['crl'],
  },
  crlState: {
    name: 'countersign_crl_state',
    type: 'gauge',
    help: '1 for the state that a certificate revocation list is in: ready, stale, never_loaded.',
    labels: ['crl', 'state'],
  },
  registryState: {
    name: 'countersign_registry_state',
    type: 'gauge',
    help: '1 for the state that a part of the registry (records, revocations) is in: ready, stale (what is there cannot be used, the last good content is), never_loaded.',
    labels: ['part', 'state'],
  },
  registryAge: {
    name: 'countersign_registry_age_seconds',
    type: 'gauge',
    help: 'Time since the content of a part of the registry that is in use was loaded; there is no value where none was.',
    labels: ['part'],
  },
  registryEntries: {
    name: 'countersign_registry_entries',
    type: 'gauge',
    help: 'Entries of the registry by kind: clients, api_keys, revocations.',
    labels: ['kind'],
  },
  policyInfo: {
    name: 'countersign_policy_revision_info',
    type: 'gauge',
    help: '1 for the active revision of a policy; there is no value where none is active.',
    labels: ['policy', 'revision'],
  },
  policyActivated: {
    name: 'countersign_policy_activated_timestamp_seconds',
    type: 'gauge',
    help: 'When the active revision was activated, unix time.',
    labels: ['policy'],
  },
  policyError: {
    name: 'countersign_policy_last_error_timestamp_seconds',
    type: 'gauge',
    help: 'When a policy last could not be loaded, unix time, with the code; there is no value where its last load was good.',
    labels: ['policy', 'code'],
  },
  databaseBuilt: {
    name: 'countersign_database_build_age_seconds',
    type: 'gauge',
    help: 'Age of the data in an address database, by its build time.',
    labels: ['database'],
  },
  databaseBuildTime: {
    name: 'countersign_database_build_timestamp_seconds',
    type: 'gauge',
    help: 'When an address database in use was built, unix time.',
    labels: ['database'],
  },
  databaseReady: {
    name: 'countersign_database_ready',
    type: 'gauge',
    help: '1 where an address database is in use, 0 where it is missing or broken.',
    labels: ['database'],
  },
  databaseState: {
    name: 'countersign_database_state',
    type: 'gauge',
    help: '1 at the state that an address database is in: stale where its file was replaced by one that cannot be used, and the last good one answers.',
    labels: ['database', 'state'],
  },
  listState: {
    name: 'countersign_list_state',
    type: 'gauge',
    help: '1 for the state that a list is in: ready, stale (too old, or its source fails), never_loaded, held_back (it shrank, the last content is in use).',
    labels: ['list', 'state'],
  },
  listEntries: {
    name: 'countersign_list_entries',
    type: 'gauge',
    help: 'Entries of the content of a list that is in use.',
    labels: ['list'],
  },
  listBadLines: {
    name: 'countersign_list_bad_lines',
    type: 'gauge',
    help: 'Lines that hold no entry though they should, in the content of a list that is in use.',
    labels: ['list'],
  },
  listAge: {
    name: 'countersign_list_age_seconds',
    type: 'gauge',
    help: 'Time since a list was last known to be the current one; there is no value where it was never loaded or has no age.',
    labels: ['list'],
  },
  storeReady: {
    name: 'countersign_store_ready',
    type: 'gauge',
    help: '1 where the store of counters answers, 0 where it does not.',
    labels: ['kind'],
  },
  storeEntries: {
    name: 'countersign_store_entries',
    type: 'gauge',
    help: 'Entities that the store counts; there is no value where it is not known.',
    labels: ['kind'],
  },
  rememberedEntries: {
    name: 'countersign_remembered_entries',
    type: 'gauge',
    help: 'Entries by memory of what clients do: clients, tokens, addresses; device_clients, fingerprints; decisions that may be reported on.',
    labels: ['memory'],
  },
  rememberedDropped: {
    name: 'countersign_remembered_dropped_total',
    type: 'counter',
    help: 'Decisions and outcomes that the memory that all replicas share was told of and did not take: the store is away, slow or behind.',
    labels: [],
  },
  feedback: {
    name: 'countersign_feedback_total',
    type: 'counter',
    help: 'Reports about decisions: accepted, repeated (there was one already), unknown (no such decision within five minutes), unavailable (the shared store is away).',
    labels: ['result'],
  },
  recordLines: {
    name: 'countersign_decision_log_lines_total',
    type: 'counter',
    help: 'Lines of the decision log that were written, and that were dropped because the sink was slow or broken.',
    labels: ['result'],
  },
  ...LOG_METRICS,
  ...POLICY_METRICS,
  ...SOURCE_METRICS,
  ...PUSHED_METRICS,
  ...REVOCATION_METRICS,
  ...ASSERTION_METRICS,
  exceptionUses: EXCEPTION_USES,
  ...ROLLOUT_METRICS,
  ...TRACE_METRICS,
  ...CONFIG_METRICS,
  ...CERTIFICATE_METRICS,
  ...KEY_END_METRICS,
  rulesUndecided: UNDECIDED,
  draining: { name: 'countersign_draining', type: 'gauge', help: '1 from SIGTERM on.', labels: [] },
  buildInfo: {
    name: 'countersign_build_info',
    type: 'gauge',
    help: '1, with the version of the service and of its runtime.',
    labels: ['version', 'node'],
  },
} as const satisfies Record<string, MetricDefinition>;

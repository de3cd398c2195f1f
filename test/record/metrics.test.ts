import { describe, expect, it } from 'vitest';
import type { DecisionRecord } from '../../src/contract/record.ts';
import { LATENCY_BUCKETS, METRICS } from '../../src/record/metric-definitions.ts';
import { createMetrics, type MetricsOptions } from '../../src/record/metrics.ts';
import { PROCESS_METRICS } from '../../src/record/process-metrics.ts';
import { allow, allowed, denied, failed, request, status } from './records.ts';

const clock = { now: () => 1_700_000_000_000 };
const make = (changes: Partial<MetricsOptions> = {}) =>
  createMetrics({ version: '0.1.0', node: '26.10.0', clock, status: () => status, processMetrics: false, ...changes });

/** The lines of one metric, without help and type. */
async function linesOf(metrics: ReturnType<typeof make>, name: string): Promise<string[]> {
  return (await metrics.scrape()).text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

describe('decisions', () => {
  it('are counted by effect, policy, primary reason and endpoint', async () => {
    const metrics = make();
    metrics.count(allowed);
    metrics.count(allowed);
    metrics.count(denied);
    metrics.count({ ...denied, request: { ...request, endpoint: 'ext_authz' } });
    expect(await linesOf(metrics, 'countersign_decisions_total')).toEqual([
      'countersign_decisions_total{effect="allow",policy="default",reason="access.scope_granted",endpoint="decide"} 2',
      'countersign_decisions_total{effect="deny",policy="default",reason="rate.exceeded",endpoint="decide"} 1',
      'countersign_decisions_total{effect="deny",policy="default",reason="rate.exceeded",endpoint="ext_authz"} 1',
    ]);
  });

  it('of one reason are told apart by effect and endpoint', async () => {
    const metrics = make();
    const effects = ['allow', 'deny', 'step_up'] as const;
    const endpoints = ['decide', 'ext_authz', 'forward_auth'] as const;
    for (const effect of effects) {
      for (const endpoint of endpoints) {
        metrics.count({ ...denied, request: { ...request, endpoint }, decision: { ...denied.decision, effect } });
      }
    }
    const lines = await linesOf(metrics, 'countersign_decisions_total');
    expect(lines.map((line) => line.replace(/.*effect="(\w+)".*endpoint="(\w+)"} (\d+)/, '$1 $2 $3')).sort()).toEqual(
      effects.flatMap((effect) => endpoints.map((endpoint) => `${effect} ${endpoint} 1`)).sort(),
    );
  });

  it('count on over scrapes', async () => {
    const metrics = make();
    metrics.count(allowed);
    await metrics.scrape();
    metrics.count(allowed);
    expect(await linesOf(metrics, 'countersign_decisions_total')).toEqual([expect.stringMatching(/ 2$/)]);
  });

  it('that failed are counted by their code, and their missing stages are not timed', async () => {
    const metrics = make();
    metrics.count(failed);
    expect(await linesOf(metrics, 'countersign_decision_failures_total')).toEqual([
      'countersign_decision_failures_total{code="policy_not_loaded"} 1',
    ]);
    expect(await linesOf(metrics, 'countersign_stage_duration_seconds_count')).toEqual(
      ['identify', 'enrich', 'decide'].map((stage) => `countersign_stage_duration_seconds_count{stage="${stage}"} 0`),
    );
    expect(await linesOf(metrics, 'countersign_decision_duration_seconds_count')).toEqual([
      'countersign_decision_duration_seconds_count 1',
    ]);
  });

  it('are timed in seconds', async () => {
    const metrics = make();
    metrics.count({ ...allowed, times: { identify: 1, enrich: 2, decide: 4, total: 8 } });
    expect(await linesOf(metrics, 'countersign_stage_duration_seconds_sum')).toEqual([
      'countersign_stage_duration_seconds_sum{stage="identify"} 0.001',
      'countersign_stage_duration_seconds_sum{stage="enrich"} 0.002',
      'countersign_stage_duration_seconds_sum{stage="decide"} 0.004',
    ]);
    expect(await linesOf(metrics, 'countersign_decision_duration_seconds_sum')).toEqual([
      'countersign_decision_duration_seconds_sum 0.008',
    ]);
  });

  it('fall into buckets that add up, as a reader of Prometheus expects them', async () => {
    const metrics = make();
    for (const total of [0, 0.01, 0.0101, 0.3, 999, 1000, 5000]) metrics.count({ ...allowed, times: { ...allowed.times, total } });
    const buckets = (await linesOf(metrics, 'countersign_decision_duration_seconds_bucket')).map((line) => line.split(/le="|"} /).slice(1));
    expect(buckets.map(([bound]) => bound)).toEqual([...LATENCY_BUCKETS.map(String), '+Inf']);
    expect(Object.fromEntries(buckets)).toMatchObject({
      '0.00001': '2',
      '0.000025': '3',
      '0.00025': '3',
      '0.0005': '4',
      '0.25': '4',
      1: '6',
      '+Inf': '7',
    });
    expect(await linesOf(metrics, 'countersign_decision_duration_seconds_count')).toEqual([
      'countersign_decision_duration_seconds_count 7',
    ]);
  });

  it('tell the states of their signals, and evaluations that were slow', async () => {
    const metrics = make();
    metrics.count({ ...allowed, slow: true });
    metrics.count(failed);
    expect((await linesOf(metrics, 'countersign_signal_states_total')).filter((line) => !line.endsWith(' 0'))).toEqual([
      'countersign_signal_states_total{signal="token",status="present"} 1',
      'countersign_signal_states_total{signal="api_key",status="absent"} 1',
      'countersign_signal_states_total{signal="certificate",status="absent"} 1',
      'countersign_signal_states_total{signal="binding",status="absent"} 1',
      'countersign_signal_states_total{signal="signature",status="absent"} 1',
      'countersign_signal_states_total{signal="txn_token",status="absent"} 1',
      'countersign_signal_states_total{signal="network",status="present"} 1',
      'countersign_signal_states_total{signal="rate",status="unavailable"} 1',
      'countersign_signal_states_total{signal="device",status="absent"} 1',
      'countersign_signal_states_total{signal="behaviour",status="unavailable"} 1',
    ]);
    expect(await linesOf(metrics, 'countersign_slow_evaluations_total')).toEqual([
      'countersign_slow_evaluations_total{policy="default"} 1',
    ]);
  });
});

describe('the border', () => {
  it('counts refusals by code', async () => {
    const metrics = make();
    metrics.refused('pep_unauthenticated');
    metrics.refused('pep_unauthenticated');
    metrics.refused('body_too_large');
    expect(await linesOf(metrics, 'countersign_refused_total')).toEqual([
      'countersign_refused_total{code="pep_unauthenticated"} 2',
      'countersign_refused_total{code="body_too_large"} 1',
    ]);
  });
});

describe('labels', () => {
  const named = (code: string, policy = 'default'): DecisionRecord => ({
    ...allowed,
    decision: {
      ...allow,
      policy: { name: policy, revision: 'r' },
      reasons: [{ code, effect: 'allow', title: '', public: false, details: {} }],
    },
  });

  it('hold nothing that a client or a policy could put there', async () => {
    const metrics = make();
    const hostile = [
      '203.0.113.7',
      '/orders/42',
      'agent-7',
      'a"} 1\nfake_total 9',
      '',
      'x'.repeat(200),
      'UPPER.case',
      'a.b.c.d',
      '__proto__',
    ];
    for (const text of hostile) {
      metrics.count(named(text));
      metrics.count(named('rate.exceeded', text));
    }
    const { text } = await metrics.scrape();
    for (const value of hostile) if (value !== '' && value !== 'agent-7') expect(text).not.toContain(value);
    expect(text).toContain(`reason="other",endpoint="decide"} ${hostile.length}`);
    expect(text).not.toContain('fake_total');
  });

  it('hold neither client, subject, address, host, path nor ids of requests', async () => {
    const metrics = make();
    for (const record of [allowed, denied, failed]) metrics.count(record);
    const { text } = await metrics.scrape();
    for (const value of ['agent-7', '203.0.113.7', 'api.example.com', '/orders', 'orders.read', request.id, 'r-1', 'hash-of-the-token']) {
      expect(text).not.toContain(value);
    }
  });

  it('are bounded in number, whatever a policy invents', async () => {
    const metrics = make();
    for (let index = 0; index < 5000; index += 1) {
      metrics.count(named(`made_up.reason_${index}`));
      metrics.count(named('rate.exceeded', `policy-${index}`));
    }
    const series = await linesOf(metrics, 'countersign_decisions_total');
    expect(series.length).toBeLessThan(620);
    const counted = series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    expect(counted).toBe(10_000);
  });
});

describe('the status of the parts', () => {
  it('is shown as it is at each scrape', async () => {
    let current = status;
    const metrics = make({ status: () => current, openRequests: () => ({ http: 3, grpc: 4 }) });
    const { text, contentType } = await metrics.scrape();
    expect(contentType).toContain('text/plain');
    for (const line of [
      'countersign_cache_hits_total{cache="token"} 90',
      'countersign_cache_misses_total{cache="negative"} 9',
      'countersign_cache_entries{cache="token"} 5',
      'countersign_key_set_age_seconds{issuer="https://as.example"} 600',
      'countersign_key_set_state{issuer="https://as.example",state="stale"} 1',
      'countersign_key_set_state{issuer="https://new.example",state="never_fetched"} 1',
      'countersign_registry_state{part="records",state="stale"} 1',
      'countersign_registry_state{part="revocations",state="never_loaded"} 1',
      'countersign_registry_age_seconds{part="records"} 30',
      'countersign_registry_entries{kind="clients"} 12',
      'countersign_registry_entries{kind="api_keys"} 34',
      'countersign_cache_hits_total{cache="introspection"} 70',
      'countersign_introspection_answers_total{issuer="https://as.example",result="failed"} 9',
      'countersign_introspection_shed_total{issuer="https://as.example"} 4',
      'countersign_introspection_state{issuer="https://as.example",state="open"} 1',
      'countersign_policy_revision_info{policy="default",revision="r1"} 1',
      'countersign_policy_last_error_timestamp_seconds{policy="default",code="bundle_unreadable"} 1700000050',
      'countersign_database_build_age_seconds{database="city.mmdb"} 1000',
      'countersign_database_ready{database="asn.mmdb"} 0',
      'countersign_list_state{list="drop",state="held_back"} 1',
      'countersign_list_state{list="drop",state="ready"} 0',
      'countersign_list_entries{list="drop"} 1200',
      'countersign_list_bad_lines{list="drop"} 3',
      'countersign_list_age_seconds{list="drop"} 90',
      'countersign_list_state{list="hosters",state="never_loaded"} 1',
      'countersign_source_answers_total{source="risk",result="present"} 11',
      'countersign_source_answers_total{source="risk",result="cached"} 15',
      'countersign_source_seconds_total{source="risk"} 1.25',
      'countersign_source_shed_total{source="risk"} 6',
      'countersign_source_in_flight{source="risk"} 2',
      'countersign_source_state{source="risk",state="open"} 1',
      'countersign_source_state{source="risk",state="ready"} 0',
      'countersign_store_ready{kind="redis"} 0',
      'countersign_decision_log_lines_total{result="written"} 7',
      'countersign_decision_log_lines_total{result="dropped"} 2',
      'countersign_draining 0',
      'countersign_open_requests{listener="grpc"} 4',
      'countersign_build_info{version="0.1.0",node="26.10.0"} 1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).not.toContain('countersign_key_set_age_seconds{issuer="https://new.example"}');
    expect(text).not.toContain('countersign_list_age_seconds{list="hosters"}');
    expect(text).not.toContain('countersign_registry_age_seconds{part="revocations"}');
    current = { ...status, draining: true, policies: status.policies.map((one) => ({ ...one, revision: 'r2', lastError: null })) };
    const later = (await metrics.scrape()).text;
    expect(later).toContain('countersign_draining 1');
    expect(later).toContain('revision="r2"');
    expect(later).not.toContain('revision="r1"');
    expect(later).not.toContain('countersign_policy_last_error_timestamp_seconds{');
  });
});

describe('the list of metrics', () => {
  it('is what a scrape shows, no more and no less', async () => {
    const { text } = await make().scrape();
    const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    expect(names.toSorted()).toEqual(
      Object.values(METRICS)
        .map(({ name, type }) => `${name} ${type}`)
        .toSorted(),
    );
  });

  it('is in the text format of Prometheus, line for line', async () => {
    const metrics = make({ processMetrics: true, version: 'a"b\\c\nd' });
    for (const record of [allowed, denied, failed]) metrics.count(record);
    const label = '[a-zA-Z_]\\w*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
    const line = new RegExp(`^(?:|# (?:HELP|TYPE) .+|[a-z_]\\w*(?:\\{${label}(?:,${label})*\\})? (?:[-+0-9.e]+|Nan|NaN|\\+Inf))$`);
    const { text } = await metrics.scrape();
    expect(text.split('\n').filter((one) => !line.test(one))).toEqual([]);
    const samples = text
      .split('\n')
      .filter((one) => one !== '' && !one.startsWith('#'))
      .map((one) => one.slice(0, one.lastIndexOf(' ')));
    expect(samples.length).toBe(new Set(samples).size);
  });

  it('has the process metrics beside it', async () => {
    const { text } = await make({ processMetrics: true }).scrape();
    expect(text).toContain('process_cpu_seconds_total');
    const named = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(named).toEqual(expect.arrayContaining(PROCESS_METRICS.map(([name]) => name)));
  });
});

it('what is not there has no value, with labels or without: an alert on 0 would fire', async () => {
  const gauges = ['countersign_audit_available', 'countersign_config_changed_timestamp_seconds'];
  for (const name of gauges) expect(await linesOf(make(), name)).toEqual([]);
  const audit = { state: 'unavailable', local: true, denied: 3 } as const;
  const audited = make({ status: () => ({ ...status, record: { ...status.record, audit } }) });
  for (let scrape = 0; scrape < 2; scrape++) expect(await linesOf(audited, gauges[0] ?? '')).toEqual(['countersign_audit_available 0']);
});

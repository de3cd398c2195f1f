import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CHART } from '../support/helm.ts';

/* What each alert fires for and what it does not, as Prometheus itself evaluates it. */

const folder = mkdtempSync(join(tmpdir(), 'countersign-alerts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const RELEASE = 'namespace="ns",service="cs-operations"';
const one = (metric: string, labels: string): string => `countersign_${metric}{${RELEASE}${labels === '' ? '' : `,${labels}`}}`;
const DAY = 86_400;

type Case = {
  readonly what: string;
  readonly alert: string;
  /** Values by minute, in promtool's words. */
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  /** Labels of what fires, beside the name, the state, the severity and those of the release; none where nothing does. */
  readonly fires: readonly string[];
  readonly release?: boolean;
};

const policies = (value: number) => ({
  [one('policy_running_on', 'pod="a",policy="good",running_on="source"')]: '1x60',
  [one('policy_running_on', 'pod="a",policy="other",running_on="source"')]: `${value}x60`,
  [one('policy_running_on', 'pod="a",policy="other",running_on="last_known_good"')]: '0x60',
});
const decisions = (allowed: string, denied: string) => ({
  [one('decisions_total', 'pod="a",effect="allow"')]: allowed,
  [one('decisions_total', 'pod="a",effect="deny"')]: denied,
});
const signals = (good: string, bad: string) => ({
  [one('signal_states_total', 'pod="a",signal="token",status="present"')]: good,
  [one('signal_states_total', 'pod="a",signal="token",status="unavailable"')]: bad,
});
const certificate = (endsSeconds: number, lifetimeSeconds: number) => ({
  [one('certificate_not_after_timestamp_seconds', 'pod="a",key="grpc.tls.certFile"')]: `${endsSeconds}x60`,
  [one('certificate_lifetime_seconds', 'pod="a",key="grpc.tls.certFile"')]: `${lifetimeSeconds}x60`,
});

const keysExpiring = (week: string) => ({
  [one('registry_api_keys_expiring', 'pod="a",within="7d"')]: week,
  [one('registry_api_keys_expiring', 'pod="a",within="30d"')]: '3x60',
});

const CERTIFICATE = 'pod="a",key="grpc.tls.certFile"';
const CASES: readonly Case[] = [
  { what: 'one policy of two that is not loaded', alert: 'NoPolicy', series: policies(0), at: '5m', fires: ['pod="a",policy="other"'] },
  { what: 'policies that are all there', alert: 'NoPolicy', series: policies(1), at: '5m', fires: [] },
  {
    ...{ what: 'a policy that is too old', alert: 'PolicyTooOld', at: '10m', fires: ['pod="a",policy="p"'], release: true },
    series: { [one('policy_too_old', 'pod="a",policy="p"')]: '1x60' },
  },
  {
    what: 'a signal that fails for one in ten',
    alert: 'SignalUnavailable',
    series: signals('0+90x60', '0+10x60'),
    at: '15m',
    fires: ['signal="token"'],
  },
  {
    what: 'a signal that fails for one in a hundred',
    alert: 'SignalUnavailable',
    series: signals('0+99x60', '0+1x60'),
    at: '15m',
    fires: [],
  },
  {
    ...{ what: 'decisions that fail', alert: 'DecisionFailures', at: '15m', fires: ['code="internal_error"'] },
    series: { [one('decision_failures_total', 'pod="a",code="internal_error"')]: '0+60x60' },
  },
  {
    ...{ what: 'four times the share that was denied', alert: 'DenySurge', at: '150m', fires: [''] },
    series: decisions('0+95x120 11400+80x60', '0+5x120 600+20x60'),
  },
  { what: 'a share that is high as ever', alert: 'DenySurge', series: decisions('0+80x180', '0+20x180'), at: '150m', fires: [] },
  {
    ...{ what: 'one line of the log that is lost', alert: 'LogDropped', at: '12m', fires: ['pod="a"'] },
    series: { [one('decision_log_lines_total', 'pod="a",result="dropped"')]: '0x9 1x50' },
  },
  {
    ...{ what: 'a lost line of long ago', alert: 'LogDropped', at: '30m', fires: [] },
    series: { [one('decision_log_lines_total', 'pod="a",result="dropped"')]: '0x9 1x50' },
  },
  {
    ...{ what: 'decisions that cannot be recorded', alert: 'AuditUnavailable', at: '5m', fires: ['pod="a"'] },
    series: { [one('audit_available', 'pod="a"')]: '0x60' },
  },
  {
    ...{ what: 'keys that cannot be fetched', alert: 'KeysStale', at: '15m', fires: ['pod="a",issuer="i",state="stale"'], release: true },
    series: {
      [one('key_set_state', 'pod="a",issuer="i",state="stale"')]: '1x60',
      [one('key_set_state', 'pod="a",issuer="j",state="stale"')]: '0x60',
    },
  },
  {
    ...{
      what: 'a revocation list that is due in an hour',
      alert: 'RevocationListExpires',
      at: '15m',
      fires: ['pod="a",crl="c"'],
      release: true,
    },
    series: { [one('crl_next_update_timestamp_seconds', 'pod="a",crl="c"')]: '4500x60' },
  },
  {
    ...{
      what: 'a certificate of a quarter that ends in ten days',
      alert: 'CertificateExpires',
      at: '10m',
      fires: [CERTIFICATE],
      release: true,
    },
    series: certificate(10 * DAY, 90 * DAY),
  },
  { what: 'one that ends in a month', alert: 'CertificateExpires', series: certificate(30 * DAY, 90 * DAY), at: '10m', fires: [] },
  {
    what: 'one of an hour that has half of it left',
    alert: 'CertificateExpires',
    series: certificate(600 + 1800, 3600),
    at: '10m',
    fires: [],
  },
  {
    ...{ what: 'one of an hour that nobody renewed', alert: 'CertificateExpires', at: '10m', fires: [CERTIFICATE], release: true },
    series: certificate(600 + 300, 3600),
  },
  {
    ...{ what: 'one that has ended', alert: 'CertificateExpires', at: '30m', fires: [CERTIFICATE], release: true },
    series: certificate(1200, 90 * DAY),
  },
  {
    ...{ what: 'API keys that end in a week', alert: 'ApiKeysExpire', at: '10m', fires: ['pod="a",within="7d"'], release: true },
    series: keysExpiring('1x60'),
  },
  { what: 'API keys that end in a month', alert: 'ApiKeysExpire', series: keysExpiring('0x60'), at: '10m', fires: [] },
  { what: 'a key that was replaced', alert: 'ApiKeysExpire', series: keysExpiring('1x20 0x40'), at: '30m', fires: [] },
];

it('fire for what they are about, and for nothing else', () => {
  const promtool = process.env['PROMTOOL_BIN'];
  if (promtool === undefined) throw new Error('PROMTOOL_BIN is not set: `npm run verify` gets promtool');
  const text = readFileSync(join(CHART, 'files/alerts.yaml'), 'utf8')
    .replaceAll('$NAMESPACE', 'ns')
    .replaceAll('$SERVICE', 'cs-operations');
  const rules: { groups: { rules: { alert: string; labels: { severity: string } }[] }[] } = parse(text);
  const severities = new Map(rules.groups.flatMap((group) => group.rules.map(({ alert, labels }) => [alert, labels.severity])));
  writeFileSync(join(folder, 'alerts.yaml'), text);
  const tests = CASES.map(({ what, alert, series, at, fires, release = false }) => {
    const name = `Countersign${alert}`;
    return {
      name: `${name}: ${what}`,
      interval: '1m',
      input_series: Object.entries(series).map(([metric, values]) => ({ series: metric, values })),
      promql_expr_test: [
        {
          expr: `ALERTS{alertname="${name}",alertstate="firing"}`,
          eval_time: at,
          exp_samples: fires.map((labels) => ({
            labels: `ALERTS{${[`alertname="${name}",alertstate="firing",severity="${severities.get(name)}"`, labels, release ? RELEASE : '']
              .filter((part) => part !== '')
              .join(',')}}`,
            value: 1,
          })),
        },
      ],
    };
  });
  writeFileSync(join(folder, 'tests.json'), JSON.stringify({ rule_files: ['alerts.yaml'], evaluation_interval: '1m', tests }));
  const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', join(folder, 'tests.json')], { encoding: 'utf8' });
  expect(`${stdout}${stderr}`).toContain('SUCCESS');
  expect(status).toBe(0);
});

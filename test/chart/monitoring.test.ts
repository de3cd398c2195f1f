import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS } from '../../src/record/metric-definitions.ts';
import { createMetrics } from '../../src/record/metrics.ts';
import { status } from '../record/records.ts';
import { CHART } from '../support/helm.ts';

/** Labels that Prometheus adds to what it scrapes. */
const SCRAPED = ['namespace', 'service', 'pod'];

type Named = { readonly where: string; readonly expr: string };
const alerts: { groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[] } = parse(
  readFileSync(join(CHART, 'files/alerts.yaml'), 'utf8'),
);
const dashboard: { panels: { title: string; type: string; targets?: { expr: string; legendFormat: string }[] }[] } = JSON.parse(
  readFileSync(join(CHART, 'files/dashboard.json'), 'utf8'),
);
const rules = alerts.groups.flatMap((group) => group.rules);
const ruleExpressions: Named[] = rules.map(({ alert, expr }) => ({ where: alert, expr }));
const panelExpressions: Named[] = dashboard.panels.flatMap(({ title, targets }) =>
  (targets ?? []).map(({ expr }) => ({ where: title, expr })),
);
const expressions = [...ruleExpressions, ...panelExpressions];

/** Every selector in an expression: the metric, and the labels that it is chosen by. */
function selectors(expr: string): { metric: string; labels: string[]; matchers: string }[] {
  return [...expr.matchAll(/([a-z_][a-z0-9_]*)\{([^}]*)\}/g)].map(([, metric = '', matchers = '']) => ({
    metric,
    labels: [...matchers.matchAll(/([a-z_]+)(?==~|!~|!=|=)/g)].map(([, label = '']) => label),
    matchers,
  }));
}

/** Metrics of ours as they are scraped, each with its labels; those of the process from a scrape. */
async function known(): Promise<Map<string, readonly string[]>> {
  const metrics = new Map<string, readonly string[]>();
  for (const { name, type, labels } of Object.values(METRICS)) {
    metrics.set(name, labels);
    if (type === 'histogram') metrics.set(`${name}_bucket`, [...labels, 'le']);
  }
  const { text } = await createMetrics({ version: '0', node: '0', clock: { now: () => 0 }, status: () => status }).scrape();
  for (const [, name = ''] of text.matchAll(/^# TYPE ((?:process|nodejs)_\S+)/gm)) metrics.set(name, []);
  // of prom-client's own the histogram alone has a label
  if (metrics.has('nodejs_gc_duration_seconds')) metrics.set('nodejs_gc_duration_seconds_sum', ['kind']);
  return metrics;
}

describe('the alerts and the dashboard', () => {
  test('are what Prometheus itself parses', () => {
    const promtool = process.env['PROMTOOL_BIN'];
    if (promtool === undefined) throw new Error('PROMTOOL_BIN is not set: `npm run verify` gets promtool');
    const folder = mkdtempSync(join(tmpdir(), 'countersign-promtool-'));
    const files = ['alerts.json', 'panels.json'].map((name) => join(folder, name));
    const records = panelExpressions.map(({ expr }, index) => ({
      record: `panel_${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m'),
    }));
    writeFileSync(files[0] ?? '', JSON.stringify(alerts));
    writeFileSync(files[1] ?? '', JSON.stringify({ groups: [{ name: 'panels', rules: records }] }));
    const { status: code, stdout, stderr } = spawnSync(promtool, ['check', 'rules', ...files], { encoding: 'utf8' });
    rmSync(folder, { recursive: true, force: true });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain(`${rules.length} rules found`);
    expect(stdout).toContain(`${records.length} rules found`);
  });

  test('select by metrics and labels that there are', async () => {
    const metrics = await known();
    expect(metrics.get('process_resident_memory_bytes')).toEqual([]);
    const unknown = expressions.flatMap(({ where, expr }) =>
      selectors(expr).flatMap(({ metric, labels }) => {
        const own = metrics.get(metric);
        if (own === undefined) return [`${where}: no metric ${metric}`];
        return labels
          .filter((label) => !SCRAPED.includes(label) && !own.includes(label))
          .map((label) => `${where}: ${metric} has no ${label}`);
      }),
    );
    expect(unknown).toEqual([]);
    expect(new Set(expressions.flatMap(({ expr }) => selectors(expr).map(({ metric }) => metric))).size).toBeGreaterThan(30);
  });

  test('name no metric without a selector, and group by labels that there are', async () => {
    const metrics = await known();
    const wrong = expressions.flatMap(({ where, expr }) => {
      const bare = expr.replaceAll(/[a-z_0-9]+\{[^}]*\}/g, '').match(/\b(countersign|process|nodejs)_\w+/g) ?? [];
      const has = new Set([...SCRAPED, ...selectors(expr).flatMap(({ metric }) => metrics.get(metric) ?? [])]);
      const grouped = [...expr.matchAll(/\b(?:by|on|ignoring) \(([^)]*)\)/g)].flatMap(([, labels = '']) =>
        labels.split(',').map((label) => label.trim()),
      );
      return [...bare, ...grouped.filter((label) => !has.has(label))].map((text) => `${where}: ${text}`);
    });
    expect(wrong).toEqual([]);
  });

  test('choose this release alone', () => {
    const loose = (wanted: RegExp) => (list: readonly Named[]) =>
      list.flatMap(({ where, expr }) =>
        selectors(expr)
          .filter(({ matchers }) => !wanted.test(matchers))
          .map(({ metric }) => `${where}: ${metric}`),
      );
    expect(loose(/^namespace="\$NAMESPACE",service="\$SERVICE"(,|$)/)(ruleExpressions)).toEqual([]);
    expect(loose(/^namespace="\$namespace",service=~"\$service"(,|$)/)(panelExpressions)).toEqual([]);
  });

  test('show only labels that what they show has', async () => {
    const metrics = await known();
    const missing = (where: string, expr: string, names: readonly string[]) => {
      // what a sum is by, else all labels of what is selected
      const by = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(',').map((label) => label.trim()));
      const summed = /^(sum|max|count|histogram_quantile|topk)\b/.test(expr);
      const has = summed ? by : [...SCRAPED, ...selectors(expr).flatMap(({ metric }) => metrics.get(metric) ?? [])];
      return names.filter((name) => !has.includes(name)).map((name) => `${where}: ${name}`);
    };
    const inRules = rules.flatMap(({ alert, expr, annotations }) =>
      missing(
        alert,
        expr,
        [
          ...Object.values(annotations)
            .join(' ')
            .matchAll(/\$labels\.(\w+)/g),
        ].map(([, name = '']) => name),
      ),
    );
    const inPanels = dashboard.panels.flatMap(({ title, targets }) =>
      (targets ?? []).flatMap(({ expr, legendFormat }) =>
        missing(
          title,
          expr,
          [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name),
        ),
      ),
    );
    expect([...inRules, ...inPanels]).toEqual([]);
  });

  test('are about what an operator has to know', () => {
    expect(rules.map(({ alert }) => alert)).toEqual(
      expect.arrayContaining([
        'CountersignNoPolicy',
        'CountersignPolicyTooOld',
        'CountersignSignalUnavailable',
        'CountersignDecisionFailures',
        'CountersignDenySurge',
        'CountersignLogDropped',
        'CountersignAuditUnavailable',
        'CountersignKeysStale',
        'CountersignRevocationListExpires',
        'CountersignCertificateExpires',
        'CountersignApiKeysExpire',
        'CountersignStoreAway',
      ]),
    );
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    expect(new Set(dashboard.panels.map(({ title }) => title)).size).toBe(dashboard.panels.length);
  });
});

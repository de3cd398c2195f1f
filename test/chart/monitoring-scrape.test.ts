import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from '../support/countersign.ts';
import { CHART } from '../support/helm.ts';

/* What alerts and panels select is held against what a running service shows: a series that nothing sets is as good as none. */

/** Series that there are once it has happened; each is made to happen by a test of its own. */
const ONCE_IT_HAPPENED = [
  'countersign_decision_failures_total',
  'countersign_decisions_total effect="step_up"',
  'countersign_rules_undecided_total',
  'countersign_shadow_diffs_total',
  'countersign_refused_total code="overloaded"',
];

const folder = mkdtempSync(join(tmpdir(), 'countersign-scrape-'));
function put(name: string, text: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

let service: Countersign;
let series: { readonly name: string; readonly labels: Readonly<Record<string, string>> }[];

beforeAll(async () => {
  const authority = createAuthority();
  const key = { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256' };
  const own = authority.server({ dns: [], ips: ['127.0.0.1'] });
  const bundle = join(PROJECT_ROOT, 'policies');
  mkdirSync(join(folder, 'registry'));
  put('registry/clients.yaml', 'clients: []\n');
  put('registry/revocations.yaml', 'revocations: []\n');
  service = await startCountersign({
    config: {
      grpc: { tls: { certFile: put('own.pem', own.pem), keyFile: put('own.key', own.keyPem) } },
      identity: {
        issuers: [{ issuer: 'https://as.example', audiences: ['api'], jwksFile: put('jwks.json', JSON.stringify({ keys: [key] })) }],
        certificates: {
          trustBundles: [{ name: 'td', file: put('td.pem', authority.pem), trustDomain: 'td' }],
          crl: { sources: [{ name: 'root', file: put('root.crl', authority.crl()) }] },
        },
      },
      network: {
        databases: [join(PROJECT_ROOT, 'test/fixtures/geo-city.mmdb')],
        lists: [{ name: 'own', file: put('list.txt', '192.0.2.0/24\n'), ageMaxSeconds: 3600 }],
      },
      sources: [{ name: 'risk', url: 'http://127.0.0.1:9/', attributes: { score: { pointer: '/score' } }, when: 'prefetch' }],
      registry: { directory: join(folder, 'registry') },
      tracing: { endpoint: 'http://127.0.0.1:9/v1/traces' },
      policy: { bundle, candidate: { bundle } },
      peps: [{ name: 'local', anonymous: true, trusts: ['client_address'], enforce: false }],
      decisions: { log: { sink: { file: join(folder, 'decisions.log') }, audit: 'required' } },
    },
  });
  const ask = (path: string, body: string) =>
    fetch(`http://127.0.0.1:${service.httpPort}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  await ask('/decide', JSON.stringify({ request: { method: 'GET', host: 'api.example', path: '/orders' } }));
  const stranger = { headers: { 'x-countersign-pep-token': 'nobody' } };
  await fetch(`http://127.0.0.1:${service.httpPort}/forward-auth`, stranger);
  const text = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();
  series = [...text.matchAll(/^([a-z]\w*)(?:\{(.*)\})? \S+$/gm)].map(([, name = '', labels = '']) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', value = '']) => [label, value])),
  }));
});
afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true });
});

/** Metric and matchers of every selector, without those of the release. */
function selected(): { readonly text: string; readonly metric: string; readonly matchers: readonly (readonly string[])[] }[] {
  const alerts = readFileSync(join(CHART, 'files/alerts.yaml'), 'utf8');
  const dashboard: { panels: { targets?: { expr: string }[] }[] } = JSON.parse(readFileSync(join(CHART, 'files/dashboard.json'), 'utf8'));
  const panels = dashboard.panels.flatMap(({ targets }) => (targets ?? []).map(({ expr }) => expr));
  return [...[alerts, ...panels].join('\n').matchAll(/\b((?:countersign|process|nodejs)_\w+)\{([^}]*)\}/g)].map(
    ([, metric = '', inner = '']) => {
      const matchers = [...inner.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].map((found) => found.slice(1));
      const own = matchers.filter(([label = '']) => !['namespace', 'service'].includes(label));
      return { text: [metric, ...own.map(([label, how, value]) => `${label}${how}"${value}"`)].join(' '), metric, matchers: own };
    },
  );
}

test('select what a running service shows, by the very values of its labels', () => {
  const found = selected();
  expect(found.length).toBeGreaterThan(60);
  const missing = found.filter(({ metric, matchers }) =>
    series.every(
      ({ name, labels }) =>
        name !== metric ||
        !matchers.every(([label = '', how, value = '']) => {
          const own = labels[label] ?? '';
          const is = how === '=' || how === '!=' ? own === value : new RegExp(`^(?:${value})$`).test(own);
          return how === '=' || how === '=~' ? is : !is;
        }),
    ),
  );
  expect([...new Set(missing.map(({ text }) => text))].toSorted()).toEqual(ONCE_IT_HAPPENED.toSorted());
});

import { afterAll, expect, test } from 'vitest';
import { at, createHelm, one } from '../support/helm.ts';

/* What the NetworkPolicy lets be reached of what `config` names by URL. */

const helm = createHelm();
afterAll(() => helm.close());

const TOKEN = '0'.repeat(64);
/** A port of its own for each, so that the rules tell who let it be reached. */
const CONFIG = {
  peps: [{ name: 'edge', tokenSha256: TOKEN }],
  policy: { bundle: 'https://bundles.example:8001/a.tar.gz', candidate: { bundle: 'https://bundles.example:8002/b.tar.gz' } },
  policies: { other: { bundle: 'https://bundles.example/c.tar.gz' }, local: { bundle: 'http://127.0.0.1:9/d.tar.gz' } },
  identity: {
    issuers: [
      { issuer: 'https://as.example:8010', audiences: ['a'], discovery: true },
      { issuer: 'https://unasked.example:9', audiences: ['a'], jwksUrl: 'https://keys.example:8011/jwks' },
      {
        issuer: 'https://asked.example:9',
        audiences: ['a'],
        introspection: {
          mode: 'opaque',
          endpoint: 'https://asked.example:8012/i',
          clientId: 'c',
          authentication: { secretFile: 'secret' },
        },
      },
    ],
    certificates: { crl: { sources: [{ name: 'ca', url: 'http://crl.example/ca.crl' }] } },
    signatures: {
      profiles: [{ name: 'p', algorithms: ['ed25519'], components: ['@authority'], jwksUrl: 'https://keys.example:8013/jwks' }],
    },
  },
  network: { lists: [{ name: 'feed', url: 'https://lists.example:8020/feed' }] },
  sources: [
    {
      name: 'pip',
      url: 'https://pip.example:8030/clients/{subject.client}?x={subject.id}',
      attributes: { tier: { pointer: '/tier' } },
    },
  ],
  decisions: { log: { http: { url: 'https://logs.example:8040/logs' } } },
  tracing: { endpoint: 'https://[2001:db8::1]:4318/v1/traces' },
};

type Rule = { readonly to?: unknown; readonly ports?: readonly { readonly port: number }[] };

async function egress(config: object, networkPolicy: object): Promise<readonly Rule[]> {
  const chart = await helm.render({ values: JSON.stringify({ config, networkPolicy }) });
  const rules = at(one(chart, 'NetworkPolicy', 'cs-countersign'), 'spec', 'egress');
  return Array.isArray(rules) ? rules : expect.fail('no rules');
}

const portsOf = ({ ports = [] }: Rule): readonly number[] => ports.map(({ port }) => port);

test('each has a rule with its ports, anywhere, and what is on loopback or only a name has none', async () => {
  const rules = await egress(CONFIG, { egress: [] });
  expect(rules.slice(1).map(portsOf)).toEqual([[443, 8001, 8002], [8010, 8011, 8012, 8013], [80, 8020], [8040], [8030], [4318]]);
  expect(rules.slice(1).every(({ to }) => to === undefined)).toBe(true);
});

test('each is among its peers where these are named', async () => {
  const peer = (app: string) => ({ podSelector: { matchLabels: { app } } });
  const whats = ['bundles', 'issuers', 'lists', 'logCollector', 'sources', 'tracing'];
  const rules = await egress(CONFIG, { egress: [], destinations: Object.fromEntries(whats.map((what) => [what, [peer(what)]])) });
  expect(rules.slice(1).map(({ to }) => to)).toEqual(whats.map((what) => [peer(what)]));
});

test('nothing that is not configured is opened', async () => {
  expect(await egress({ peps: CONFIG.peps }, { egress: [] })).toHaveLength(1);
  const local = { peps: CONFIG.peps, tracing: { endpoint: 'http://localhost:4318/v1/traces' }, decisions: { log: { http: null } } };
  expect(await egress(local, { egress: [] })).toHaveLength(1);
});

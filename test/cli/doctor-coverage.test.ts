import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createDoctorProbes } from '../../src/compose/doctor-probes.ts';
import { createReachProbes } from '../../src/compose/doctor-reach.ts';
import { createDoctorTools } from '../../src/compose/doctor-tools.ts';
import { PATH_MARK, SECRET_MARK } from '../../src/config/forms.ts';
import { alternatives, elementOf, partsOf, type SchemaNode } from '../../src/config/outline.ts';
import { CONFIG_JSON_SCHEMA, type Config, configSchema } from '../../src/config/schema.ts';
import { systemClock } from '../../src/system-clock.ts';
import { silentLogger } from '../identify/fixtures.ts';
import { createAuthority } from '../support/certificates.ts';

/* Every key of the configuration that names a file or somebody on the network is looked at by a check, or is told here why not. */

const folder = mkdtempSync(join(tmpdir(), 'countersign-reload-doctor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NAMES_SOMEBODY = /^(.*urls?|.*uris?|.*endpoint|.*hosts?|.*nodes|sentinels|cluster|.*origins?|bundle|directory|issuer)$/i;

/** The keys, with one name for what several listeners and policies share. */
function keysOf(node: SchemaNode, path: readonly string[] = []): string[] {
  const named = path.findLast((part) => part !== '[]' && part !== '<name>') ?? '';
  const marked = alternatives(node).some((form) => form[PATH_MARK] === true || form[SECRET_MARK] === 'url');
  const leaf = alternatives(node).some(({ type }) => type === 'string');
  const own = marked || (leaf && NAMES_SOMEBODY.test(named)) ? [path.join('.')] : [];
  const element = elementOf(node);
  return [
    ...own,
    ...[...partsOf(node)].flatMap(([key, part]) => keysOf(part, [...path, key])),
    ...(element === null ? [] : keysOf(element.node, [...path, element.list ? '[]' : '<name>'])),
  ].map((key) => key.replace(/^policy\./, 'policies.<name>.').replace(/^(http|grpc|operations)\./, '<listener>.'));
}

/** Why nothing is looked at. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  publicUrl: 'our own address, as others see it',
  '<listener>.publicHosts.[]': 'our own names, as clients send them',
  'peps.[].certificate.uri': 'a name that certificates are held against',
  'identity.publicOrigins.[]': 'origins of gateways, which proofs are held against',
  'identity.issuers.[].introspection.opaqueTokens.hosts.[]': 'hosts of requests, which are compared',
  'network.listsAcceptFile': 'is made when it is needed: a file that is not there accepts nothing',
  'policyByHost.<name>': 'names of policies, by hosts of requests',
  'challenge.resourceMetadataUrl': 'is told to clients, and asked by them',
};

const nowhere = (name: string): string => join(folder, name, 'nowhere');
const CLOSED = 'http://127.0.0.1:1';
const authority = createAuthority();
const identity = authority.client({ commonName: 'pdp', uris: [] });
function file(name: string, text: string | Buffer): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const certFile = file('cert.pem', identity.pem);
const secretOf = (more: object) => ({
  mode: 'opaque',
  endpoint: CLOSED,
  clientId: 'c',
  opaqueTokens: { peps: [], hosts: ['a.example'] },
  ...more,
});
const server = (more: object) => ({ bundle: `${CLOSED}/bundle.tar.gz`, ...more });
const source = (name: string, more: object) => ({
  ...{ name, url: `${CLOSED}/x`, allowPrivate: ['127.0.0.1'] },
  ...{ attributes: { a: { pointer: '/a' } }, ...more },
});
const profile = (name: string, more: object) => ({ name, tag: name, algorithms: ['ed25519'], components: ['@authority'], ...more });

/** Each key of a file names one that is not there, each other a port that nobody listens on. */
const BROKEN = {
  http: { tls: { certFile: nowhere('http'), keyFile: nowhere('http'), clientCaFile: nowhere('ca') } },
  grpc: { tls: { certFile, keyFile: nowhere('grpc'), clientCaFile: certFile } },
  operations: { host: '192.0.2.1', tokens: [] },
  identity: {
    issuers: [
      { issuer: `${CLOSED}/discovery`, audiences: ['a'], discovery: true },
      { issuer: 'https://url.example', audiences: ['a'], jwksUrl: `${CLOSED}/jwks` },
      { issuer: 'https://file.example', audiences: ['a'], jwksFile: nowhere('jwks') },
      { issuer: 'https://asked.example', audiences: ['a'], introspection: secretOf({ authentication: { secret: 's' } }) },
      {
        issuer: 'https://secret.example',
        audiences: ['a'],
        introspection: secretOf({ authentication: { secretFile: nowhere('secret') }, opaqueTokens: { hosts: ['b.example'] } }),
      },
      {
        issuer: 'https://key.example',
        audiences: ['a'],
        introspection: secretOf({
          authentication: { method: 'private_key_jwt', keyFile: nowhere('key'), algorithm: 'ES256' },
          opaqueTokens: { hosts: ['c.example'] },
        }),
      },
    ],
    certificates: {
      trustBundles: [{ name: 'bundle', file: nowhere('trust.json') }],
      crl: {
        sources: [
          { name: 'crl-file', file: nowhere('crl') },
          { name: 'crl-url', url: `${CLOSED}/crl` },
        ],
      },
      denied: { file: nowhere('denied') },
    },
    signatures: { profiles: [profile('by-url', { jwksUrl: `${CLOSED}/jwks` }), profile('by-file', { jwksFile: nowhere('jwks') })] },
  },
  registry: { directory: nowhere('registry'), hashKeys: [{ id: 'k', file: nowhere('hash') }] },
  network: {
    databases: [nowhere('one.mmdb'), { file: nowhere('two.mmdb') }],
    lists: [
      { name: 'by-file', file: nowhere('list') },
      { name: 'by-url', url: `${CLOSED}/list` },
    ],
  },
  sources: [
    source('asked', {}),
    source('secret', { headers: [{ name: 'x-key', valueFile: nowhere('value') }] }),
    source('trusting', { caFile: nowhere('source-ca') }),
  ],
  state: { directory: nowhere('state') },
  store: { kind: 'redis', url: 'redis://127.0.0.1:1', deadlineMs: 25 },
  policy: { bundle: nowhere('policy') },
  policies: {
    candidate: {
      bundle: nowhere('policy'),
      candidate: { bundle: nowhere('candidate'), canary: { percent: 1, keyFile: nowhere('canary') } },
    },
    signed: server({ signing: { keys: { k: { algorithm: 'RS256', keyFile: nowhere('signing') } } } }),
    shown: server({ credentials: { tokenFile: nowhere('token') } }),
    trusting: server({ tls: { caFile: nowhere('policy-ca') } }),
    known: server({ tls: { certFile: nowhere('policy-cert'), keyFile: nowhere('policy-key') } }),
    keyed: server({ tls: { certFile, keyFile: nowhere('policy-key') } }),
    compiled: { bundle: folder, opaBin: nowhere('opa') },
  },
  decisions: {
    log: {
      sink: { file: nowhere('log') },
      http: { url: `${CLOSED}/logs` },
      privacy: { addresses: 'hash', keyFile: nowhere('privacy') },
    },
  },
  tracing: { endpoint: `${CLOSED}/v1/traces` },
  assertion: { keys: [{ id: 'k', file: nowhere('assertion') }] },
  publicUrl: 'https://pdp.example',
};

/** Which finding of `BROKEN` each key is the cause of; with a change of `BROKEN` where another key hides it. */
const COVERED: Readonly<Record<string, readonly [check: string, subject: string | null, change?: object]>> = {
  '<listener>.host': ['port', 'operations'],
  '<listener>.tls.certFile': ['certificate', 'http.tls.certFile'],
  '<listener>.tls.keyFile': ['certificate', 'grpc.tls.certFile'],
  '<listener>.tls.clientCaFile': ['certificate', 'http.tls.clientCaFile'],
  'identity.issuers.[].issuer': ['issuer', `${CLOSED}/discovery`],
  'identity.issuers.[].jwksUrl': ['issuer', 'https://url.example'],
  'identity.issuers.[].jwksFile': ['issuer', 'https://file.example'],
  'identity.issuers.[].introspection.endpoint': ['introspection', 'https://asked.example'],
  'identity.issuers.[].introspection.authentication.secretFile': ['introspection', 'https://secret.example'],
  'identity.issuers.[].introspection.authentication.keyFile': ['introspection', 'https://key.example'],
  'identity.certificates.trustBundles.[].file': ['trust_bundle', 'bundle'],
  'identity.certificates.crl.sources.[].file': ['crl', 'crl-file'],
  'identity.certificates.crl.sources.[].url': ['crl', 'crl-url'],
  'identity.certificates.denied.file': ['denied_certificates', 'file'],
  'identity.signatures.profiles.[].jwksUrl': ['signature_keys', 'by-url'],
  'identity.signatures.profiles.[].jwksFile': ['signature_keys', 'by-file'],
  'registry.directory': ['registry', null],
  'registry.hashKeys.[].file': ['own_keys', 'registry.hashKeys'],
  'network.databases.[]': ['geoip', nowhere('one.mmdb')],
  'network.databases.[].file': ['geoip', nowhere('two.mmdb')],
  'network.lists.[].file': ['list', 'by-file'],
  'network.lists.[].url': ['list', 'by-url'],
  'sources.[].url': ['source', 'asked'],
  'sources.[].headers.[].valueFile': ['source', 'secret'],
  'sources.[].caFile': ['source', 'trusting'],
  'state.directory': ['writable', 'state.directory'],
  'store.url': ['redis', null],
  'store.sentinels.[]': ['redis', null, { store: { kind: 'redis', url: 'redis://main', sentinels: ['redis://127.0.0.1:1'] } }],
  'store.cluster.[]': ['redis', null, { store: { kind: 'redis', url: 'redis://127.0.0.1:1', cluster: ['redis://127.0.0.1:1'] } }],
  'policies.<name>.bundle': ['policy', 'default'],
  'policies.<name>.candidate.bundle': [
    'candidate',
    'candidate',
    { policies: { candidate: { ...BROKEN.policies.candidate, candidate: { bundle: nowhere('candidate') } } } },
  ],
  'policies.<name>.candidate.canary.keyFile': ['candidate', 'candidate'],
  'policies.<name>.signing.keys.<name>.keyFile': ['policy', 'signed'],
  'policies.<name>.credentials.tokenFile': ['policy', 'shown'],
  'policies.<name>.tls.caFile': ['certificate', 'policies.trusting.tls.caFile'],
  'policies.<name>.tls.certFile': ['certificate', 'policies.known.tls.certFile'],
  'policies.<name>.tls.keyFile': ['certificate', 'policies.keyed.tls.certFile'],
  'policies.<name>.opaBin': ['policy', 'compiled'],
  'decisions.log.sink.file': ['writable', 'decisions.log.sink.file'],
  'decisions.log.http.url': ['log_collector', null],
  'decisions.log.privacy.keyFile': ['log_key', 'decisions.log.privacy.keyFile'],
  'tracing.endpoint': ['collector', null],
  'assertion.keys.[].file': ['own_keys', 'assertion'],
};

/** Keys that another one of the same question would hide: looked at one by one, with a server that answers. */
const SHOWN_BESIDE = {
  'decisions.log.http.credentials.tokenFile': { credentials: { tokenFile: nowhere('token') } },
  'decisions.log.http.tls.caFile': { tls: { caFile: nowhere('ca') } },
  'decisions.log.http.tls.certFile': { tls: { certFile: nowhere('cert'), keyFile: certFile } },
  'decisions.log.http.tls.keyFile': { tls: { certFile, keyFile: nowhere('key') } },
};

const examine = createDoctorTools(systemClock);
const probes = createReachProbes(systemClock, silentLogger);

async function badOf(change: object): Promise<readonly string[]> {
  const config: Config = configSchema.parse({ ...BROKEN, ...change });
  const findings = await examine(config);
  expect(findings.every(({ status, remedy }) => (status === 'ok') === (remedy === null))).toBe(true);
  return findings.filter(({ status }) => status !== 'ok').map(({ check, subject }) => `${check} ${subject}`);
}

test('every key that names a file or somebody is covered, or has a reason not to be', () => {
  const known = [...Object.keys(COVERED), ...Object.keys(SHOWN_BESIDE), 'tracing.headers.[].valueFile', ...Object.keys(EXCEPTIONS)];
  expect(new Set(keysOf(CONFIG_JSON_SCHEMA))).toEqual(new Set(known));
});

test('each of them is found where it is wrong', async () => {
  const bad = await badOf({});
  const missing = Object.entries(COVERED).filter(
    ([, [check, subject, change]]) => change === undefined && !bad.includes(`${check} ${subject}`),
  );
  expect(missing.map(([key]) => key)).toEqual([]);
});

test.each(Object.entries(COVERED).filter(([, [, , change]]) => change !== undefined))('%s', async (_, [check, subject, change = {}]) => {
  expect(await badOf(change)).toContain(`${check} ${subject}`);
});

test.each(Object.entries(SHOWN_BESIDE))('%s cannot be read', async (_, more) => {
  const { http } = configSchema.parse({ decisions: { log: { http: { url: `${CLOSED}/logs`, ...more } } } }).decisions.log;
  const { error } = await probes.probeLogCollector(http ?? expect.fail());
  // of files, not of the connection
  expect(error).toContain('file');
});

test('a credential of the trace collector cannot be read', async () => {
  const { tracing } = configSchema.parse({
    tracing: { endpoint: `${CLOSED}/v1/traces`, headers: [{ name: 'x-key', valueFile: nowhere('value') }] },
  });
  const tools = createDoctorProbes(systemClock, silentLogger);
  expect(await tools.probeCollector(tracing ?? expect.fail(), CLOSED)).toEqual({ error: 'a secret of its headers cannot be read' });
});

// What a large registry costs: node --expose-gc bench/registry.ts [--entries N]. Loads so many clients and as many API keys, and times the stage identify with and without them.
import { createSecretKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { configSchema } from '../src/config/schema.ts';
import type { DecisionRequest } from '../src/contract/request.ts';
import type { Logger } from '../src/contract/stages.ts';
import { digestOf, keyedHashText } from '../src/formats/api-key-hash.ts';
import { makeApiKey } from '../src/formats/api-key-text.ts';
import { createIdentifier } from '../src/identify/identifier.ts';
import { createRegistry, type RunningRegistry } from '../src/registry/registry.ts';
import { createBoundedCache } from '../src/stores/bounded-cache.ts';
import { CircuitBreaker } from '../src/stores/circuit-breaker.ts';
import { formPost } from '../src/stores/form-post.ts';
import { httpFetch } from '../src/stores/http-fetch.ts';
import { createMemoryReplays } from '../src/stores/memory-replays.ts';
import { readDocumentFile } from '../src/stores/read-file.ts';
import { systemClock } from '../src/system-clock.ts';

const { values } = parseArgs({ options: { entries: { type: 'string', default: '100000' } } });
const count = Number(values.entries);
const QUIET: Logger = { debug() {}, info() {}, warn: console.warn, error: console.error };
const hashKey = createSecretKey(randomBytes(32));
const hashKeys = new Map([['b', hashKey]]);
const ISSUER = 'https://as.bench.example';

const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-registry-'));
const keys: string[] = [];
const client = (index: number) => ({
  clientId: `client-${index}`,
  name: `Client number ${index}`,
  type: 'service',
  owner: `team-${index % 50}`,
  issuers: [ISSUER],
  spiffeIds: [`spiffe://bench.example/agent/${index}`],
  networks: [`10.${index % 256}.0.0/16`],
  countries: ['DE', 'FR'],
  scopes: ['orders:read', 'orders:write'],
  tags: ['bench'],
});
const key = (index: number) => {
  const { id, text } = makeApiKey(randomBytes);
  keys.push(text);
  return {
    id,
    client: `client-${index}`,
    hash: keyedHashText('b', digestOf(text, hashKey)),
    scopes: ['orders:read'],
    expiresAt: '2099-01-01',
  };
};

/** The folder's files as YAML blocks or as JSON Lines, of the same content. */
function write(form: 'yaml' | 'jsonl'): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  keys.length = 0;
  const block = (entry: object) =>
    Object.entries(entry)
      .map(([name, value], at) => `${at === 0 ? '  - ' : '    '}${name}: ${JSON.stringify(value)}\n`)
      .join('');
  const clients = Array.from({ length: count }, (_, index) => client(index));
  const all = Array.from({ length: count }, (_, index) => key(index));
  if (form === 'yaml') {
    writeFileSync(join(folder, 'clients.yaml'), `clients:\n${clients.map(block).join('')}`);
    writeFileSync(join(folder, 'keys.yaml'), `keys:\n${all.map(block).join('')}`);
  } else {
    writeFileSync(join(folder, 'clients.jsonl'), clients.map((one) => JSON.stringify({ client: one })).join('\n'));
    writeFileSync(join(folder, 'keys.jsonl'), all.map((one) => JSON.stringify({ key: one })).join('\n'));
  }
  writeFileSync(join(folder, 'revocations.yaml'), 'revocations:\n  - {client: somebody-else}\n  - {jti: another}\n');
}

/** Loads, and says how long it took and what the longest turn of the event loop cost the thread that decides, in CPU time. */
async function load(form: 'yaml' | 'jsonl'): Promise<RunningRegistry> {
  write(form);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const options = { directory: folder, entriesMax: 1_000_000, bytesMax: 1 << 30, hashKeyIds: ['b'] };
  const registry = createRegistry(options, { clock: systemClock, logger: QUIET, readFile: readDocumentFile });
  let loading = true;
  let longest = 0;
  const cpu = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  const watch = (async () => {
    for (let last = cpu(); loading; ) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const now = cpu();
      longest = Math.max(longest, now - last);
      last = now;
    }
  })();
  const started = systemClock.monotonic();
  await registry.start();
  const seconds = (systemClock.monotonic() - started) / 1000;
  loading = false;
  await watch;
  globalThis.gc?.();
  const bytes = process.memoryUsage().heapUsed - before;
  const status = registry.status().records;
  if (status.clients !== count || status.apiKeys !== count) throw new Error(`loaded ${JSON.stringify(status)}`);
  console.log(
    `load ${form.padEnd(5)} ${count} clients and keys: ${seconds.toFixed(1)} s in a thread; longest turn of the loop ${longest.toFixed(1)} ms; ${(bytes / 1e6).toFixed(0)} MB more heap`,
  );
  return registry;
}

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwksFile = join(mkdtempSync(join(tmpdir(), 'countersign-bench-keys-')), 'jwks.json');
writeFileSync(jwksFile, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'b', alg: 'ES256', use: 'sig' }] }));
const issuers = [{ issuer: ISSUER, audiences: ['bench'], jwksFile, algorithms: ['ES256'] }];
const { identity } = configSchema.parse({ identity: { issuers } });

async function identifierOver(registry: RunningRegistry | null) {
  const identifier = createIdentifier(identity, {
    clock: systemClock,
    logger: QUIET,
    httpFetch,
    formPost,
    createBreaker: () => new CircuitBreaker({ failuresMax: 5, openMs: 1000 }, () => systemClock.monotonic()),
    readFile: readDocumentFile,
    createCache: createBoundedCache,
    accountOf: ({ source }) => source.ip,
    replays: createMemoryReplays({ entriesMax: 10, startedAtMs: 0 }),
    signatureReplays: createMemoryReplays({ entriesMax: 10, startedAtMs: 0 }),
    createGuardedFetch: () => () => Promise.resolve({ ok: false, failure: 'url_not_allowed' }),
    registry: registry === null ? undefined : { registry, hashKeys, addressOf: ({ source }) => source.ip },
  });
  await identifier.start();
  return identifier;
}

function tokenOf(index: number): string {
  const now = Math.floor(systemClock.now() / 1000);
  const parts = [
    { alg: 'ES256', kid: 'b', typ: 'at+jwt' },
    {
      iss: ISSUER,
      aud: 'bench',
      client_id: `client-${index}`,
      scope: 'orders:read',
      jti: `j-${index}`,
      sid: 's',
      iat: now,
      exp: now + 3600,
    },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}
const tokens = Array.from({ length: 1000 }, (_, index) => tokenOf(index));

function request(credentials: Partial<DecisionRequest['credentials']>): DecisionRequest {
  return {
    id: '01890000-0000-7000-8000-000000000000',
    requestId: null,
    endpoint: 'decide',
    receivedAtMs: systemClock.now(),
    deadlineAtMs: Number.MAX_SAFE_INTEGER,
    pep: {
      name: 'bench',
      trusts: new Set(),
      policies: ['default'],
      certificateHeader: null,
      forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
    },
    policyName: null,
    http: null,
    source: { ip: '203.0.113.7', port: null, forwardedFor: [] },
    tls: { sni: null, version: null, ja3: null, ja4: null },
    credentials: {
      authorization: [],
      apiKeys: [],
      dpop: [],
      txnToken: [],
      claims: null,
      certificates: [],
      principal: null,
      ...credentials,
    },
    subject: null,
    action: null,
    resource: null,
    context: {},
    pepRate: null,
    flags: [],
    explain: false,
  };
}

/** Median over rounds of the µs that one call takes. */
function time(name: string, requests: readonly DecisionRequest[], identify: (one: DecisionRequest) => unknown): void {
  const rounds = Array.from({ length: 15 }, () => {
    const started = systemClock.monotonic();
    for (let turn = 0; turn < 100; turn++) for (const one of requests) identify(one);
    return ((systemClock.monotonic() - started) * 1000) / (100 * requests.length);
  }).sort((a, b) => a - b);
  console.log(`identify, ${name.padEnd(52)} ${(rounds[7] ?? 0).toFixed(2)} µs`);
}

(await load('yaml')).stop();
const registry = await load('jsonl');
const plain = await identifierOver(null);
const declared = await identifierOver(registry);
const byToken = tokens.map((token) => request({ authorization: [`Bearer ${token}`] }));
const byKey = keys.slice(0, 1000).map((text) => request({ apiKeys: [text] }));
for (const one of byToken) await Promise.all([plain.identify(one), declared.identify(one)]);
for (const _ of [1, 2]) {
  time('a known token, no registry', byToken, (one) => plain.identify(one));
  time(`a known token, ${count} clients and keys`, byToken, (one) => declared.identify(one));
}
time('an API key (its HMAC is 2 µs)', byKey, (one) => declared.identify(one));
plain.stop();
declared.stop();
registry.stop();
rmSync(folder, { recursive: true, force: true });

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { CompactSign, exportJWK, type JWK } from 'jose';
import type { Identity } from '../../src/contract/identity.ts';
import { TRUSTS, type Trust } from '../../src/contract/pep.ts';
import type { Credentials, DecisionRequest } from '../../src/contract/request.ts';
import type { TokenValue } from '../../src/contract/signals.ts';
import type { Clock, Logger } from '../../src/contract/stages.ts';
import { createEnricher } from '../../src/enrich/enricher.ts';
import { createIdentifier, type IdentifierParts, type RunningIdentifier } from '../../src/identify/identifier.ts';
import type { IdentityOptions, IssuerOptions } from '../../src/identify/options.ts';
import { createBoundedCache } from '../../src/stores/bounded-cache.ts';
import { CircuitBreaker } from '../../src/stores/circuit-breaker.ts';
import { formPost } from '../../src/stores/form-post.ts';
import { createGuardedFetch } from '../../src/stores/guarded-fetch.ts';
import { httpFetch } from '../../src/stores/http-fetch.ts';
import { createMemoryReplays } from '../../src/stores/memory-replays.ts';
import { createMemoryWindows } from '../../src/stores/memory-windows.ts';
import { readDocumentFile } from '../../src/stores/read-file.ts';
import { createResolveHost } from '../../src/stores/resolve-host.ts';

export const ISSUER = 'https://as.example';
export const AUDIENCE = 'api://orders';
/** The clock of the tests stands still until a test moves it. */
export const NOW = 1_800_000_000;

/** A clock whose wall time a test sets; the monotonic scale is the machine's. */
export type TestClock = Clock & { wallSeconds: number };

export function createTestClock(): TestClock {
  return {
    wallSeconds: NOW,
    now() {
      return this.wallSeconds * 1000;
    },
    monotonic: () => performance.now(),
  };
}

export const silentLogger: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A key pair with the JWK that its issuer publishes. */
export type SigningKey = { readonly kid: string | null; readonly algorithm: string; readonly privateKey: KeyObject; readonly jwk: JWK };

export async function createSigningKey(kid: string | null, algorithm = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = generate(algorithm);
  const jwk = { ...(await exportJWK(publicKey)), alg: algorithm, use: 'sig' };
  return { kid, algorithm, privateKey, jwk: kid === null ? jwk : { ...jwk, kid } };
}

function generate(algorithm: string): { privateKey: KeyObject; publicKey: KeyObject } {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  const curve = new Map([
    ['ES256', 'P-256'],
    ['ES384', 'P-384'],
    ['ES512', 'P-521'],
  ]).get(algorithm);
  return curve === undefined ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: curve });
}

export type Claims = Readonly<Record<string, unknown>>;

export const CLAIMS: Claims = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'svc-a',
  client_id: 'svc-a',
  scope: 'orders:read orders:write',
  iat: NOW - 10,
  exp: NOW + 300,
  jti: 'j1',
};

/** A token by jose, which knows nothing of the verifier; `undefined` takes a claim or a header parameter away. */
export function makeToken(key: SigningKey, claims: Claims = {}, header: Claims = {}): Promise<string> {
  const payload = JSON.stringify({ ...CLAIMS, ...claims });
  const protectedHeader: Record<string, unknown> = { typ: 'at+jwt', ...(key.kid === null ? {} : { kid: key.kid }), ...header };
  return new CompactSign(Buffer.from(payload)).setProtectedHeader({ ...protectedHeader, alg: key.algorithm }).sign(key.privateKey);
}

/** A key server on loopback that misbehaves on demand. */
export type KeyServer = {
  readonly url: string;
  readonly origin: string;
  /** Answers of `/jwks` and of everything else under `documents`. */
  mode: 'ok' | 'error' | 'html' | 'hang' | 'empty' | 'redirect';
  keys: readonly JWK[];
  documents: Map<string, string>;
  readonly asked: string[];
  stop(): Promise<void>;
};

export async function startKeyServer(keys: readonly SigningKey[]): Promise<KeyServer> {
  const http = createServer((request, response) => {
    server.asked.push(request.url ?? '');
    answer(server, request.url ?? '', response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const origin = `http://127.0.0.1:${address.port}`;
  const server: KeyServer = {
    url: `${origin}/jwks`,
    origin,
    mode: 'ok',
    keys: keys.map(({ jwk }) => jwk),
    documents: new Map(),
    asked: [],
    stop: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  return server;
}

function answer(server: KeyServer, path: string, response: ServerResponse): void {
  if (server.mode === 'hang') return;
  if (server.mode === 'error') response.writeHead(500).end('{"keys":[]}');
  else if (server.mode === 'redirect') response.writeHead(302, { location: `${server.origin}/elsewhere` }).end();
  else if (server.mode === 'html') response.writeHead(200, { 'content-type': 'text/html' }).end('<html>maintenance</html>');
  else if (path === '/jwks') response.end(JSON.stringify({ keys: server.mode === 'empty' ? [] : server.keys }));
  else {
    const document = server.documents.get(path);
    response.writeHead(document === undefined ? 404 : 200).end(document);
  }
}

export function issuerOptions(more: Partial<IssuerOptions> = {}): IssuerOptions {
  return {
    kind: 'jwt',
    issuer: ISSUER,
    audiences: [AUDIENCE],
    allowAnyAudience: false,
    jwksUrl: null,
    jwksFile: null,
    discovery: false,
    algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    types: ['at+jwt', 'jwt'],
    clockSkewSeconds: 5,
    ageMaxSeconds: null,
    refreshSeconds: 300,
    fetchTimeoutMs: 3000,
    allowInsecureHttp: false,
    introspection: null,
    ...more,
  };
}

export function identityOptions(issuers: readonly IssuerOptions[], more: Partial<IdentityOptions> = {}): IdentityOptions {
  return {
    issuers,
    keyWaitMs: 1000,
    tokenBytesMax: 16_384,
    actorDepthMax: 8,
    tokenCache: { bytesMax: 67_108_864, ttlSeconds: 300 },
    introspectionCache: { bytesMax: 33_554_432 },
    negativeCache: { entriesMax: 10_000, ttlSeconds: 10 },
    verificationBudget: { failuresPerMinute: 60, addressesMax: 10_000 },
    certificateCache: { entriesMax: 1000 },
    certificates: { trustBundles: [], crl: { required: false, sources: [] }, denied: { sha256: [], serials: [], file: null } },
    publicOrigins: [],
    dpop: {
      algorithms: ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'],
      ageMaxSeconds: 60,
      clockSkewSeconds: 5,
      proofBytesMax: 8192,
      keyCache: { entriesMax: 100 },
      nonce: null,
    },
    signatures: { profiles: [], webBotAuth: null, clockSkewSeconds: 5, fieldBytesMax: 8192 },
    clients: [],
    agreement: { rules: [], withoutBuiltIn: [] },
    ...more,
  };
}

/** The real parts, with a clock that the test owns. */
export function createParts(clock: Clock, more: Partial<IdentifierParts> = {}): IdentifierParts {
  const replays = createMemoryReplays({ entriesMax: 1000, startedAtMs: 0 });
  const windows = createMemoryWindows({ entriesMax: 100, startedAtMs: 0 });
  const { accountOf } = createEnricher({ databases: [], registryCountry: null, trustedProxies: ['10.0.0.0/8'], windows, clock });
  return {
    clock,
    logger: silentLogger,
    httpFetch,
    formPost,
    readFile: readDocumentFile,
    createCache: createBoundedCache,
    accountOf,
    replays,
    createBreaker: () => new CircuitBreaker({ failuresMax: 5, openMs: 2000 }, () => clock.monotonic()),
    signatureReplays: createMemoryReplays({ entriesMax: 1000, startedAtMs: 0 }),
    createGuardedFetch: (options) => createGuardedFetch(options, createResolveHost()),
    ...more,
  };
}

export type RequestFacts = Partial<Credentials> & {
  readonly trusts?: readonly Trust[];
  readonly subject?: DecisionRequest['subject'];
  readonly http?: DecisionRequest['http'];
  readonly ip?: string | null;
  readonly forwardedFor?: readonly string[];
  readonly deadlineMs?: number;
};

/** A request with the given credentials, from a gateway that is trusted for everything unless `trusts` says otherwise. */
export function makeRequest(clock: Clock, facts: RequestFacts = {}): DecisionRequest {
  return {
    id: '01890000-0000-7000-8000-000000000000',
    requestId: null,
    endpoint: 'decide',
    receivedAtMs: clock.now(),
    deadlineAtMs: clock.monotonic() + (facts.deadlineMs ?? 10_000),
    pep: {
      name: 'edge',
      trusts: new Set(facts.trusts ?? TRUSTS),
      policies: ['default'],
      certificateHeader: { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null },
      forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
    },
    policyName: null,
    http: facts.http ?? null,
    source: { ip: facts.ip === undefined ? '192.0.2.7' : facts.ip, port: null, forwardedFor: facts.forwardedFor ?? [] },
    tls: { sni: null, version: null, ja3: null, ja4: null },
    credentials: {
      authorization: facts.authorization ?? [],
      apiKeys: facts.apiKeys ?? [],
      dpop: facts.dpop ?? [],
      txnToken: facts.txnToken ?? [],
      signature: facts.signature ?? null,
      claims: facts.claims ?? null,
      certificates: facts.certificates ?? [],
      principal: facts.principal ?? null,
    },
    subject: facts.subject ?? null,
    action: null,
    resource: null,
    context: {},
    pepRate: null,
    flags: [],
    explain: false,
  };
}

/** An identifier over one issuer with what a test asks it. */
export type Bench = {
  readonly identifier: RunningIdentifier;
  readonly clock: TestClock;
  identify(facts: RequestFacts): Promise<Identity>;
  /** The token signal's code, or `present`. */
  judge(token: string, facts?: RequestFacts): Promise<string>;
};

export function createBench(options: IdentityOptions, more: Partial<IdentifierParts> = {}): Bench {
  const clock = createTestClock();
  const identifier = createIdentifier(options, createParts(clock, more));
  const identify = async (facts: RequestFacts): Promise<Identity> => identifier.identify(makeRequest(clock, facts));
  return {
    identifier,
    clock,
    identify,
    judge: async (token, facts) => codeOf(await identify({ authorization: [`Bearer ${token}`], ...facts })),
  };
}

/** `present`, or why the token is not. */
export function codeOf({ signals: { token } }: Identity): string {
  return token.status === 'present' ? 'present' : `${token.status} ${token.code}`;
}

/** The token's value; fails the test where it is not present. */
export function tokenOf(identity: Identity): TokenValue {
  if (identity.signals.token.status !== 'present') throw new Error(`the token is ${codeOf(identity)}`);
  return identity.signals.token.value;
}

/** A source of keys that needs no network, for tests that are not about fetching; `asked` lists the addresses. */
export function keysAtHand(keys: readonly unknown[], asked: string[] = []): Pick<IdentifierParts, 'httpFetch'> {
  return {
    httpFetch: async (url) => {
      asked.push(url);
      return { bytes: Buffer.from(JSON.stringify({ keys })), contentType: 'application/json' };
    },
  };
}

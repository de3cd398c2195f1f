import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, SignJWT } from 'jose';
import { registryOf } from '../../src/cases/registered.ts';
import type { Case } from '../../src/cases/schema.ts';
import { isJsonObject } from '../../src/contract/json.ts';
import type { DecisionRecord } from '../../src/contract/record.ts';
import type { Clock, Pdp, Policies } from '../../src/contract/stages.ts';
import { createEnricher } from '../../src/enrich/enricher.ts';
import { createIdentifier, type RunningIdentifier } from '../../src/identify/identifier.ts';
import type { IssuerOptions } from '../../src/identify/options.ts';
import { createPdp } from '../../src/pdp.ts';
import { createBoundedCache } from '../../src/stores/bounded-cache.ts';
import { CircuitBreaker } from '../../src/stores/circuit-breaker.ts';
import { formPost } from '../../src/stores/form-post.ts';
import { httpFetch } from '../../src/stores/http-fetch.ts';
import { createMemoryReplays } from '../../src/stores/memory-replays.ts';
import type { MmdbDatabase } from '../../src/stores/mmdb.ts';
import { readDocumentFile } from '../../src/stores/read-file.ts';
import type { ReplayMemory } from '../../src/stores/replay-memory.ts';
import type { Counts, EntityCounts, WindowStore } from '../../src/stores/windows.ts';
import { SILENT } from '../decide/fixtures.ts';
import { createProofKey, makeProof, type ProofKeyPair } from '../support/dpop.ts';
import { createCaseLists } from './lists.ts';
import { memoriesOf } from './memories.ts';
import { txnIssuers } from './txn-token.ts';

/* Levels `pdp` and `wire`: the real stages run; only what they ask at the outermost edge (a database, a store) answers by `given`. */

const ISSUER = 'https://as.cases.example';
const AUDIENCE = 'https://api.cases.example';
const KEY_ID = 'cases-1';

/** The test key set as a file, who signs with it, and the keys of clients. */
export type TestIssuer = {
  readonly jwksFile: string;
  readonly key: KeyObject;
  readonly otherKey: KeyObject;
  readonly proofKey: ProofKeyPair;
  readonly otherProofKey: ProofKeyPair;
};

export async function createTestIssuer(): Promise<TestIssuer> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwksFile = join(mkdtempSync(join(tmpdir(), 'countersign-cases-')), 'jwks.json');
  const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'ES256', use: 'sig' };
  writeFileSync(jwksFile, JSON.stringify({ keys: [jwk] }));
  return {
    jwksFile,
    key: privateKey,
    otherKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    proofKey: await createProofKey(),
    otherProofKey: await createProofKey(),
  };
}

/** The value of `authorization` that a case's client sends, or null. */
export async function authorizationOf({ given }: Case, issuer: TestIssuer): Promise<string | null> {
  if (given.token === undefined) return null;
  const defect = given.token_defect ?? null;
  if (defect === 'token_malformed') return 'Bearer garbage';
  if (defect === 'scheme_unsupported') return 'Basic Y2FzZXM6Y2FzZXM=';
  const now = Math.floor(Date.parse(given.time) / 1000);
  const expired = defect === 'token_expired';
  const bound = given.dpop?.bound === true ? { cnf: { jkt: issuer.proofKey.jkt } } : {};
  const token = await new SignJWT({ ...given.token, ...bound })
    .setProtectedHeader({ alg: 'ES256', kid: KEY_ID, typ: 'at+jwt' })
    .setIssuer(defect === 'issuer_unknown' ? 'https://stranger.example' : ISSUER)
    .setAudience(defect === 'audience_mismatch' ? 'https://other.example' : AUDIENCE)
    .setIssuedAt(expired ? now - 7200 : now - 10)
    .setExpirationTime(expired ? now - 3600 : now + 300)
    .sign(defect === 'signature_invalid' ? issuer.otherKey : issuer.key);
  return `${given.dpop?.scheme ?? 'Bearer'} ${token}`;
}

/** The `dpop` headers that a case's client sends beside its `authorization`. */
export async function proofsOf({ given, ask }: Case, authorization: string | null, issuer: TestIssuer): Promise<readonly string[]> {
  const { dpop } = given;
  if (dpop === undefined || authorization === null || dpop.defect === 'dpop_proof_missing') return [];
  const { defect } = dpop;
  const request = isJsonObject(ask['request']) ? ask['request'] : {};
  const { method, scheme, host, path } = request;
  const now = Math.floor(Date.parse(given.time) / 1000);
  const token = authorization.slice(authorization.indexOf(' ') + 1);
  const proof = await makeProof(defect === 'dpop_key_mismatch' ? issuer.otherProofKey : issuer.proofKey, {
    htm: defect === 'dpop_method_mismatch' ? 'PATCH' : String(method),
    htu: defect === 'dpop_uri_mismatch' ? 'https://other.example/' : `${scheme}://${host}${path}`,
    token: defect === 'dpop_token_mismatch' ? `${token}x` : token,
    iat: defect === 'dpop_expired' ? now - 3600 : now,
    ...(defect === 'dpop_type_invalid' ? { header: { typ: 'jwt' } } : {}),
    ...(defect === 'dpop_signature_invalid' ? { signer: issuer.otherProofKey.privateKey } : {}),
  });
  return defect === 'dpop_proof_multiple' ? [proof, proof] : [proof];
}

/** The real path with what a case gives; `records` gets one entry a decision. */
export type CasePath = { readonly pdp: Pdp; readonly clock: Clock; readonly records: DecisionRecord[]; readonly stop: () => void };

export async function createCasePath(one: Case, policies: Policies, issuer: TestIssuer): Promise<CasePath> {
  const nowMs = Date.parse(one.given.time);
  const clock: Clock = { now: () => nowMs, monotonic: () => performance.now() };
  const identifier = createCaseIdentifier(one, clock, issuer);
  await identifier.start();
  const enricher = createEnricher({
    databases: one.given.network === undefined ? [] : [databaseOf(one.given.network)],
    registryCountry: null,
    trustedProxies: [],
    windows: windowsOf(one.given.rate),
    memories: memoriesOf(one.given),
    lists: await createCaseLists(one, clock),
    clock,
  });
  const records: DecisionRecord[] = [];
  const recorder = { record: (record: DecisionRecord) => void records.push(record) };
  return {
    pdp: createPdp({ policies, identifier, enricher, sources: { introspection: identifier.introspect }, recorder, clock }),
    clock,
    records,
    stop: () => identifier.stop(),
  };
}

function createCaseIdentifier(one: Case, clock: Clock, issuer: TestIssuer): RunningIdentifier {
  const { given } = one;
  const missing = `${issuer.jwksFile}.missing`;
  const access: IssuerOptions = {
    kind: 'jwt',
    issuer: ISSUER,
    audiences: [AUDIENCE],
    allowAnyAudience: false,
    jwksUrl: null,
    jwksFile: given.token_defect === 'keys_unavailable' ? missing : issuer.jwksFile,
    discovery: false,
    algorithms: ['ES256'],
    types: ['at+jwt'],
    clockSkewSeconds: 5,
    ageMaxSeconds: null,
    refreshSeconds: 300,
    fetchTimeoutMs: 1000,
    allowInsecureHttp: false,
    introspection: null,
  };
  return createIdentifier(
    {
      issuers: [access, ...txnIssuers(given, access, issuer.jwksFile)],
      keyWaitMs: 100,
      tokenBytesMax: 16_384,
      actorDepthMax: 8,
      tokenCache: { bytesMax: 1 << 20, ttlSeconds: 300 },
      introspectionCache: { bytesMax: 1 << 20 },
      negativeCache: { entriesMax: 100, ttlSeconds: 10 },
      verificationBudget: { failuresPerMinute: 60, addressesMax: 100 },
      certificateCache: { entriesMax: 10 },
      certificates: { trustBundles: [], crl: { required: false, sources: [] }, denied: { sha256: [], serials: [], file: null } },
      publicOrigins: [],
      signatures: { profiles: [], webBotAuth: null, clockSkewSeconds: 5, fieldBytesMax: 8192 },
      dpop: {
        algorithms: ['ES256'],
        ageMaxSeconds: 60,
        clockSkewSeconds: 5,
        proofBytesMax: 8192,
        keyCache: { entriesMax: 10 },
        nonce: given.dpop?.defect === 'dpop_nonce_required' ? { secret: null, lifetimeSeconds: 300 } : null,
      },
      clients: [],
      agreement: { rules: [], withoutBuiltIn: [] },
    },
    {
      clock,
      logger: SILENT,
      httpFetch,
      formPost,
      createBreaker: () => new CircuitBreaker({ failuresMax: 5, openMs: 2000 }, () => clock.monotonic()),
      readFile: readDocumentFile,
      createCache: createBoundedCache,
      accountOf: ({ source }) => source.ip,
      replays: replaysOf(given.dpop),
      signatureReplays: createMemoryReplays({ entriesMax: 10, startedAtMs: 0 }),
      createGuardedFetch: () => () => Promise.resolve({ ok: false, failure: 'url_not_allowed' }),
      registry: registryOf(given.registry, one)?.parts,
    },
  );
}

function replaysOf(dpop: Case['given']['dpop']): ReplayMemory {
  const memory = createMemoryReplays({ entriesMax: 10, startedAtMs: 0 });
  if (dpop?.defect === 'store_unavailable') return { ...memory, remember: () => 'store_unavailable' };
  return dpop?.defect === 'dpop_replayed' ? { ...memory, remember: () => 'replayed' } : memory;
}

const KIND_TRAITS: Readonly<Record<string, string>> = {
  hosting: 'is_hosting_provider',
  vpn: 'is_anonymous_vpn',
  tor: 'is_tor_exit_node',
  proxy: 'is_public_proxy',
  residential: 'is_residential_proxy',
};

function databaseOf(network: NonNullable<Case['given']['network']>): MmdbDatabase {
  const status = () => ({ name: 'cases.mmdb', state: 'ready', type: 'Cases', builtAt: null, sizeBytes: 1, lastError: null }) as const;
  if ('unavailable' in network) return { lookup: () => network.unavailable, status };
  const traits = Object.fromEntries(network.kinds.map((kind) => [KIND_TRAITS[kind] ?? `unknown_kind_${kind}`, true]));
  const country = network.country === null ? {} : { country: { iso_code: network.country } };
  return { lookup: () => ({ record: { ...country, ...traits }, source: { type: 'Cases', builtAt: null } }), status };
}

function windowsOf(rate: Case['given']['rate']): WindowStore {
  const status = () => ({ kind: 'memory', state: 'ready', entries: 0, lastError: null }) as const;
  const close = async () => {};
  const failure = rate !== undefined && 'unavailable' in rate ? rate.unavailable : null;
  const given = rate !== undefined && 'degraded' in rate ? rate : null;
  const answer = (key: string | null, counts: Partial<Counts> | undefined): EntityCounts => {
    if (key === null) return null;
    if (failure !== null) return failure;
    if (counts === undefined && given?.degraded) return 'store_unavailable';
    const ten = counts?.['10s'] ?? 1;
    const minute = counts?.['1m'] ?? ten;
    const tenMinutes = counts?.['10m'] ?? minute;
    return { '10s': ten, '1m': minute, '10m': tenMinutes, '1h': counts?.['1h'] ?? tenMinutes };
  };
  return {
    count: (keys) => ({
      client: answer(keys.client, given?.client),
      address: answer(keys.address, given?.address),
      token: answer(keys.token, given?.token),
      route: answer(keys.route, given?.route),
      historyLost: false,
    }),
    add: (hits) => hits.map(() => 'store_unavailable' as const),
    status,
    close,
  };
}

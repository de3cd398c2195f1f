import { NOTHING_COMPARED } from '../../src/contract/agreement.ts';
import type { Decision } from '../../src/contract/decision.ts';
import type { Identity } from '../../src/contract/identity.ts';
import type { DecisionRecord } from '../../src/contract/record.ts';
import type { DecisionRequest, HttpFacts } from '../../src/contract/request.ts';
import type { TokenValue } from '../../src/contract/signals.ts';
import type { ServiceStatus } from '../../src/contract/status.ts';

export const http: HttpFacts = {
  method: 'GET',
  scheme: 'https',
  host: 'api.example.com',
  port: null,
  path: '/orders/42',
  pathRaw: '/orders/42',
  segments: ['orders', '42'],
  query: new Map(),
  headers: new Map([['user-agent', ['curl/8']]]),
  body: { status: 'absent', reason: null, contentType: null, size: null, json: null },
  pathAmbiguous: false,
};

export const request: DecisionRequest = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  requestId: 'r-1',
  endpoint: 'decide',
  receivedAtMs: 1_700_000_000_123,
  deadlineAtMs: 150,
  pep: {
    name: 'edge',
    trusts: new Set(['client_address']),
    policies: ['default'],
    certificateHeader: { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null },
    forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
  },
  policyName: null,
  http,
  source: { ip: '203.0.113.7', port: 40_312, forwardedFor: [] },
  tls: { sni: null, version: null, ja3: null, ja4: null },
  credentials: { authorization: [], apiKeys: [], dpop: [], txnToken: [], claims: null, certificates: [], principal: null },
  subject: null,
  action: null,
  resource: null,
  context: {},
  pepRate: null,
  flags: [],
  explain: false,
};

export const token: TokenValue = {
  issuer: 'https://as.example',
  subject: 'agent-7',
  clientId: 'agent-7',
  audience: ['api'],
  scopes: ['orders:read'],
  expiresAt: 1_700_000_300,
  issuedAt: 1_700_000_000,
  notBefore: null,
  acr: null,
  amr: [],
  authTime: null,
  jtiHash: null,
  binding: 'none',
  actor: null,
  delegation: null,
  authorizationDetails: [],
  roles: [],
  groups: [],
  entitlements: [],
  claims: {},
  verifiedBy: 'countersign',
  keysFetchedAt: null,
};

export const identity: Identity = {
  signals: {
    token: { status: 'present', value: token },
    certificate: { status: 'absent', code: 'certificate_missing' },
    binding: { status: 'absent', code: 'token_not_bound' },
    apiKey: { status: 'absent', code: 'api_key_missing' },
    txnToken: { status: 'absent', code: 'txn_token_missing' },
    signature: { status: 'absent', code: 'signature_unchecked' },
  },
  subject: { type: 'client', id: 'agent-7', asserted: false, client: 'agent-7', record: null, properties: {} },
  evidence: { methods: ['token'], assurance: 2, binding: 'none', agreement: { client: 'single', ...NOTHING_COMPARED } },
  tokenKey: 'hash-of-the-token',
  challenge: { scheme: 'Bearer', dpopNonce: null },
};

export const allow: Decision = {
  id: request.id,
  effect: 'allow',
  reasons: [{ code: 'access.scope_granted', effect: 'allow', title: 'A scope grants it', public: false, details: {} }],
  assurance: { level: 2, required: 2 },
  risk: { score: 0, factors: [] },
  stepUp: null,
  obligations: [],
  upstream: { headersToSet: {}, headersToRemove: [] },
  response: null,
  policy: { name: 'default', revision: 'r1' },
  error: null,
  explanation: null,
};

export const deny: Decision = {
  ...allow,
  effect: 'deny',
  reasons: [
    { code: 'rate.exceeded', effect: 'deny', title: 'Too many', public: true, details: { limit: 10 } },
    { code: 'access.scope_granted', effect: 'allow', title: 'A scope grants it', public: false, details: {} },
  ],
  risk: { score: 20, factors: [{ code: 'network.country_new', points: 20 }] },
  response: { status: 429, headers: { 'retry-after': '10' }, body: { title: 'Too many requests' } },
};

export const allowed: DecisionRecord = {
  request,
  decision: allow,
  route: {
    status: 'matched',
    catalogue: 'default',
    id: 'orders.read',
    tier: 'medium',
    scopes: ['orders:read'],
    public: false,
    resourceMetadataUrl: null,
    parameters: {},
  },
  identity,
  enrichment: {
    network: {
      status: 'present',
      value: {
        address: '203.0.113.7',
        addressFlags: [],
        family: 4,
        prefix: '203.0.113.7/32',
        country: 'DE',
        countrySource: 'registry',
        continent: null,
        city: null,
        coordinates: null,
        inEu: true,
        asn: null,
        asOrg: null,
        kinds: [],
        dataBuiltAt: null,
        dataAgeSeconds: null,
        dataFlags: [],
        code: null,
      },
    },
    rate: { status: 'unavailable', code: 'store_unavailable' },
    device: { status: 'absent', code: 'device_missing' },
    behaviour: { status: 'unavailable', code: 'store_full' },
  },
  times: { identify: 0.0123456, enrich: 0.02, decide: 0.05, total: 0.1 },
  slow: false,
  input: () => ({ request: { method: 'GET' } }),
  cause: null,
};

export const denied: DecisionRecord = { ...allowed, decision: deny };

/** A decision that could not be made: no stage ended. */
export const failed: DecisionRecord = {
  ...allowed,
  decision: {
    ...allow,
    effect: 'deny',
    reasons: [{ code: 'policy_not_loaded', effect: 'undecided', title: 'No policy is active', public: false, details: {} }],
    response: { status: 503, headers: {}, body: {} },
    error: { code: 'policy_not_loaded' },
  },
  route: null,
  identity: null,
  enrichment: null,
  input: () => null,
  cause: new Error('no policy'),
};

export const status: ServiceStatus = {
  version: '0.1.0',
  startedAt: 1_700_000_000,
  draining: false,
  policies: [
    {
      name: 'default',
      state: 'active',
      revision: 'r1',
      activatedAt: 1_700_000_001,
      rules: 14,
      routes: 20,
      lastError: { code: 'bundle_unreadable', text: 'The bundle could not be read', at: 1_700_000_050 },
    },
  ],
  identify: {
    keySets: [
      { issuer: 'https://as.example', state: 'stale', ageSeconds: 600, keys: 2, lastError: 'fetch_failed' },
      { issuer: 'https://new.example', state: 'never_fetched', ageSeconds: null, keys: 0, lastError: null },
    ],
    tokenCache: { hits: 90, misses: 10, entries: 5 },
    negativeCache: { hits: 1, misses: 9, entries: 2 },
    certificateCache: { hits: 0, misses: 0, entries: 0 },
    certificates: {
      trustBundles: [{ name: 'td', trustDomain: 'td.example', state: 'ready', ageSeconds: 3, certificates: 2, lastError: null }],
      crls: [
        {
          name: 'root',
          state: 'stale',
          thisUpdate: 1_699_900_000,
          nextUpdate: 1_699_990_000,
          ageSeconds: 100_000,
          entries: 3,
          lastError: 'fetch_failed',
        },
      ],
      denied: { state: 'none', entries: 0 },
    },
    txnTokenCache: { hits: 0, misses: 0, entries: 0 },
    proofKeyCache: { hits: 0, misses: 0, entries: 0 },
    replays: { kind: 'redis', state: 'unavailable', entries: null, lastError: 'store_unavailable' },
    introspection: {
      servers: [
        {
          issuer: 'https://as.example',
          state: 'open',
          inFlight: 0,
          answers: { active: 5, inactive: 3, failed: 9 },
          shed: 4,
          lastError: 'fetch_failed',
        },
      ],
      cache: { hits: 70, misses: 17, entries: 6 },
    },
    signatures: {
      keySets: [{ issuer: 'partners', state: 'ready', ageSeconds: 7, keys: 2, lastError: null }],
      directories: { hits: 6, misses: 2, entries: 1 },
      fetching: 1,
      failures: 3,
      replays: { kind: 'memory', state: 'ready', entries: 4, lastError: null },
    },
  },
  registry: {
    records: {
      state: 'stale',
      ageSeconds: 30,
      lastError: 'registry_invalid',
      problems: ['keys.yaml:3 keys[0].hash'],
      clients: 12,
      apiKeys: 34,
    },
    revocations: { state: 'never_loaded', ageSeconds: null, lastError: 'registry_missing', problems: [], entries: 0 },
  },
  enrich: {
    databases: [
      {
        name: 'city.mmdb',
        state: 'stale',
        type: 'GeoIP2-City',
        builtAt: 1_699_999_000,
        ageSeconds: 1000,
        sizeBytes: 9,
        lastError: 'file_empty',
      },
      { name: 'asn.mmdb', state: 'missing', type: null, builtAt: null, ageSeconds: null, sizeBytes: null, lastError: 'file_missing' },
    ],
    store: { kind: 'redis', state: 'unavailable', entries: null, lastError: 'store_unavailable' },
    remembered: { entries: { clients: 12, fingerprints: 3 }, feedback: { accepted: 8, repeated: 1, unknown: 2, entries: 5 } },
    lists: [
      {
        ...{ name: 'drop', kind: 'addresses', state: 'held_back', entries: 1200, ranges: 1100, badLines: 3, sha256: 'ab'.repeat(32) },
        ...{ ageSeconds: 90, tooOld: false, heldBack: { sha256: 'cd'.repeat(32), entries: 7 }, lastError: 'list_shrunk' },
      },
      {
        ...{ name: 'hosters', kind: 'asns', state: 'never_loaded', entries: 0, ranges: 0, badLines: 0, sha256: null },
        ...{ ageSeconds: null, tooOld: false, heldBack: null, lastError: 'fetch_failed' },
      },
    ],
    sources: [
      {
        ...{ name: 'risk', when: 'collect', state: 'open', inFlight: 2, shed: 6, entries: 8, lastError: 'timeout' },
        answers: { present: 11, absent: 12, invalid: 13, unavailable: 14, cached: 15 },
        secondsTotal: 1.25,
      },
    ],
  },
  record: { written: 7, dropped: 2 },
  strict: true,
};

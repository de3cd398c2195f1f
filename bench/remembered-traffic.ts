import { NOTHING_COMPARED } from '../src/contract/agreement.ts';
import type { Identity } from '../src/contract/identity.ts';
import type { NetworkSignal } from '../src/contract/network.ts';
import type { DecisionRecord } from '../src/contract/record.ts';
import type { DecisionRequest } from '../src/contract/request.ts';

/** One request of a client that has a JA4 fingerprint and a user agent. */
export function behaviourRequest(receivedAtMs: number, path: string): DecisionRequest {
  return {
    id: '01999999-0000-7000-8000-000000000001',
    requestId: null,
    endpoint: 'decide',
    receivedAtMs,
    deadlineAtMs: 150,
    pep: {
      name: 'edge',
      trusts: new Set(['client_address', 'fingerprint']),
      policies: ['default'],
      certificateHeader: null,
      forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
    },
    policyName: null,
    http: {
      method: 'GET',
      scheme: 'https',
      host: 'api.example.com',
      port: null,
      path,
      pathRaw: path,
      segments: path.split('/').slice(1),
      query: new Map(),
      headers: new Map([['user-agent', ['python-requests/2.32.5']]]),
      body: { status: 'absent', reason: null, contentType: null, size: null, json: null },
      pathAmbiguous: false,
    },
    source: { ip: '203.0.113.7', port: null, forwardedFor: [] },
    tls: { sni: null, version: null, ja3: null, ja4: 't13d1516h2_8daaf6152771_b186095e22b6' },
    credentials: {
      authorization: ['Bearer a-refused-credential'],
      apiKeys: [],
      dpop: [],
      txnToken: [],
      claims: null,
      certificates: [],
      principal: null,
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

export function clientIdentity(client: string | null, token: 'absent' | 'invalid'): Identity {
  return {
    signals: {
      token: token === 'absent' ? { status: 'absent', code: 'token_missing' } : { status: 'invalid', code: 'signature_invalid' },
      certificate: { status: 'absent', code: 'certificate_missing' },
      binding: { status: 'absent', code: 'token_not_verified' },
      apiKey: { status: 'absent', code: 'api_key_missing' },
      txnToken: { status: 'absent', code: 'txn_token_missing' },
      signature: { status: 'absent', code: 'signature_unchecked' },
    },
    subject: { type: 'client', id: client, asserted: false, client, record: null, properties: {} },
    evidence: { methods: [], assurance: 2, binding: 'none', agreement: { client: 'single', ...NOTHING_COMPARED } },
    tokenKey: null,
    challenge: { scheme: 'Bearer', dpopNonce: null },
  };
}

/** An address in an AS of its own, by number, `east` degrees east of Berlin. */
export function placeOf(asn: number, east: number): NetworkSignal {
  return {
    status: 'present',
    value: {
      address: '203.0.113.7',
      family: 4,
      prefix: '203.0.113.7/32',
      country: 'DE',
      countrySource: 'database',
      continent: 'EU',
      city: 'Berlin',
      coordinates: { latitude: 52.52, longitude: 13.4 + east, accuracyKm: 20 },
      inEu: true,
      asn: 64_500 + asn,
      asOrg: 'Example',
      kinds: [],
      dataBuiltAt: null,
      dataAgeSeconds: null,
      dataFlags: [],
      code: null,
      addressFlags: [],
    },
  };
}

export function allowedRecord(request: DecisionRequest, identity: Identity, network: NetworkSignal): DecisionRecord {
  return {
    request,
    identity,
    route: null,
    enrichment: {
      network,
      rate: { status: 'unavailable', code: 'store_unavailable' },
      device: { status: 'absent', code: 'device_missing' },
      behaviour: { status: 'absent', code: 'client_unknown' },
    },
    decision: {
      id: request.id,
      effect: 'allow',
      reasons: [{ code: 'access.scope_granted', effect: 'allow', title: 'granted', public: false, details: {} }],
      assurance: { level: 2, required: 2 },
      risk: { score: 0, factors: [] },
      stepUp: null,
      obligations: [],
      upstream: { headersToSet: {}, headersToRemove: [] },
      response: null,
      policy: { name: 'default', revision: 'r1' },
      error: null,
      explanation: null,
    },
    times: { identify: 0, enrich: 0, decide: 0, total: 0 },
    slow: false,
    input: () => null,
    cause: null,
  };
}

import { NOTHING_COMPARED } from '../contract/agreement.ts';
import type { InputFacts } from './input.ts';

/** The facts of a request about which nothing is known; every bundle is tried on them before it becomes active. */
export const SMOKE_FACTS: InputFacts = {
  request: {
    id: '00000000-0000-7000-8000-000000000000',
    requestId: null,
    endpoint: 'decide',
    receivedAtMs: 0,
    deadlineAtMs: 0,
    pep: {
      name: 'smoke',
      trusts: new Set(),
      policies: ['default'],
      certificateHeader: null,
      forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
    },
    policyName: null,
    http: null,
    source: { ip: null, port: null, forwardedFor: [] },
    tls: { sni: null, version: null, ja3: null, ja4: null },
    credentials: { authorization: [], apiKeys: [], dpop: [], txnToken: [], claims: null, certificates: [], principal: null },
    subject: null,
    action: null,
    resource: null,
    context: {},
    pepRate: null,
    flags: [],
    explain: false,
  },
  identity: {
    signals: {
      token: { status: 'absent', code: 'token_missing' },
      certificate: { status: 'absent', code: 'certificate_missing' },
      binding: { status: 'absent', code: 'token_not_verified' },
      apiKey: { status: 'absent', code: 'api_key_missing' },
      txnToken: { status: 'absent', code: 'txn_token_missing' },
      signature: { status: 'absent', code: 'signature_unchecked' },
    },
    subject: { type: 'client', id: null, asserted: false, client: null, record: null, properties: {} },
    evidence: { methods: [], assurance: 0, binding: 'none', agreement: { client: 'none', ...NOTHING_COMPARED } },
    tokenKey: null,
    challenge: { scheme: 'Bearer', dpopNonce: null },
  },
  enrichment: {
    network: { status: 'absent', code: 'address_missing' },
    rate: { status: 'unavailable', code: 'store_unavailable' },
    device: { status: 'absent', code: 'device_missing' },
    behaviour: { status: 'absent', code: 'client_unknown' },
  },
  route: {
    status: 'unknown',
    catalogue: 'smoke',
    id: 'unknown',
    tier: 'critical',
    scopes: [],
    public: false,
    resourceMetadataUrl: null,
    parameters: {},
  },
  lists: [],
};

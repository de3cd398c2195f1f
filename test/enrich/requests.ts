import { NOTHING_COMPARED } from '../../src/contract/agreement.ts';
import type { Identity } from '../../src/contract/identity.ts';
import type { ForwardedFor } from '../../src/contract/pep.ts';
import type { DecisionRequest, SourceFacts } from '../../src/contract/request.ts';
import type { Route } from '../../src/contract/route.ts';

/** 2026-09-21T13:33:20Z */
export const NOW_MS = 1_790_000_000_000;

export const TRUSTED_WALK: ForwardedFor = { header: 'x-forwarded-for', appendsPeer: false, hops: null };

export function sourceOf(ip: string | null, ...forwardedFor: readonly string[]): SourceFacts {
  return { ip, port: null, forwardedFor };
}

/** A request with nothing but what enrich reads. */
export function requestOf(
  parts: { source?: SourceFacts; forwardedFor?: ForwardedFor; receivedAtMs?: number; deadlineAtMs?: number } = {},
): DecisionRequest {
  return {
    id: '01999999-0000-7000-8000-000000000001',
    requestId: null,
    endpoint: 'decide',
    receivedAtMs: parts.receivedAtMs ?? NOW_MS,
    deadlineAtMs: parts.deadlineAtMs ?? 150,
    pep: {
      name: 'edge',
      trusts: new Set(['client_address']),
      policies: ['default'],
      certificateHeader: { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null },
      forwardedFor: parts.forwardedFor ?? TRUSTED_WALK,
    },
    policyName: null,
    http: null,
    source: parts.source ?? sourceOf('203.0.113.7'),
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
}

export function identityOf(parts: { client?: string | null; asserted?: boolean; tokenKey?: string | null } = {}): Identity {
  const { client = 'agent-1', asserted = false, tokenKey = 'token-hash' } = parts;
  return {
    signals: {
      token: { status: 'absent', code: 'token_missing' },
      certificate: { status: 'absent', code: 'certificate_missing' },
      binding: { status: 'absent', code: 'token_not_verified' },
      apiKey: { status: 'absent', code: 'api_key_missing' },
      txnToken: { status: 'absent', code: 'txn_token_missing' },
      signature: { status: 'absent', code: 'signature_unchecked' },
    },
    subject: { type: 'client', id: client, asserted, client, record: null, properties: {} },
    evidence: { methods: [], assurance: 0, binding: 'none', agreement: { client: 'none', ...NOTHING_COMPARED } },
    tokenKey,
    challenge: { scheme: 'Bearer', dpopNonce: null },
  };
}

export function routeOf(parts: Partial<Route> = {}): Route {
  return {
    status: 'matched',
    catalogue: 'default',
    id: 'orders',
    tier: 'low',
    scopes: [],
    public: false,
    resourceMetadataUrl: null,
    parameters: {},
    ...parts,
  };
}

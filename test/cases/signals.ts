import type { AssuranceLevel, Identity } from '../../src/contract/identity.ts';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import type { Pep } from '../../src/contract/pep.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import type { CertificateValue, EnrichmentSignals, IdentitySignals, TokenValue, WindowCounts } from '../../src/contract/signals.ts';
import { receiveDecide } from '../../src/endpoints/decide/receive.ts';
import type { Case } from './schema.ts';

/* Level `wasm`: the question is received as POST /decide receives it; what identify and enrich would say comes from `given`. */

/** The question of a case, by the border's own parser. */
export function requestOf({ given, ask }: Case): DecisionRequest {
  const pep: Pep = {
    name: 'cases',
    trusts: new Set(given.trusts),
    policies: ['default'],
    certificateHeader: { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null },
    forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
  };
  const receivedAtMs = Date.parse(given.time);
  const asked = { id: '01978a3c-0000-7000-8000-000000000001', pep, receivedAtMs, deadlineAtMs: Number.MAX_SAFE_INTEGER, explain: false };
  const request = receiveDecide(new TextEncoder().encode(JSON.stringify(ask)), asked);
  if ('refused' in request) throw new Error(`the case's question is refused: ${request.refused} ${request.field ?? ''}`);
  return request;
}

export function identityOf({ given }: Case, request: DecisionRequest): Identity {
  const nowSeconds = Math.floor(request.receivedAtMs / 1000);
  const signals: IdentitySignals = { token: tokenOf(given, request, nowSeconds), certificate: certificateOf(given, request) };
  const token = signals.token.status === 'present' ? signals.token.value : null;
  const certificate = signals.certificate.status === 'present' ? signals.certificate.value : null;
  const verified = token?.verifiedBy === 'countersign' ? token : null;
  const usable =
    certificate !== null && certificate.sha256 !== null && (certificate.notAfter === null || certificate.notAfter >= nowSeconds);
  const assurance: AssuranceLevel = verified === null ? 0 : usable ? 3 : 2;
  const id = token === null ? (request.subject?.id ?? null) : (token.subject ?? token.clientId);
  return {
    signals,
    subject: {
      type: id === null ? 'unknown' : id === token?.clientId ? 'client' : 'user',
      id,
      asserted: verified === null && id !== null,
      client: verified?.clientId ?? null,
      properties: {},
    },
    evidence: {
      methods: [...(verified === null ? [] : ['token']), ...(certificate === null ? [] : ['certificate'])],
      assurance,
      agreement: { client: verified === null ? 'none' : 'single' },
    },
    tokenKey: verified === null ? null : 'token-key',
  };
}

function tokenOf(given: Case['given'], request: DecisionRequest, nowSeconds: number): IdentitySignals['token'] {
  if (given.token_defect === 'keys_unavailable') return { status: 'unavailable', code: 'keys_unavailable' };
  if (given.token_defect !== undefined) return { status: 'invalid', code: given.token_defect };
  if (given.token !== undefined) return { status: 'present', value: tokenValue(given.token, nowSeconds, 'countersign') };
  const { claims } = request.credentials;
  return claims === null
    ? { status: 'absent', code: 'token_missing' }
    : { status: 'present', value: tokenValue(claims, nowSeconds, 'pep') };
}

function tokenValue(claims: JsonObject, nowSeconds: number, verifiedBy: TokenValue['verifiedBy']): TokenValue {
  const text = (name: string): string | null => (typeof claims[name] === 'string' ? claims[name] : null);
  const act = claims['act'];
  return {
    issuer: text('iss') ?? 'https://issuer.cases.example',
    subject: text('sub'),
    clientId: text('client_id'),
    audience: ['https://api.example'],
    scopes: text('scope')?.split(' ') ?? [],
    expiresAt: nowSeconds + 300,
    issuedAt: nowSeconds - 10,
    notBefore: null,
    acr: text('acr'),
    amr: [],
    authTime: null,
    jtiHash: null,
    binding: 'none',
    actor: isJsonObject(act) && typeof act['sub'] === 'string' ? { subject: act['sub'], depth: depthOf(act) } : null,
    authorizationDetails: [],
    claims,
    verifiedBy,
  };
}

function depthOf(act: JsonObject): number {
  return isJsonObject(act['act']) ? 1 + depthOf(act['act']) : 1;
}

function certificateOf(given: Case['given'], request: DecisionRequest): IdentitySignals['certificate'] {
  if (given.certificate_defect === 'revocation_unavailable') return { status: 'unavailable', code: 'revocation_unavailable' };
  if (given.certificate_defect !== undefined) return { status: 'invalid', code: given.certificate_defect };
  const offer = request.credentials.certificates[0];
  if (offer === undefined) return { status: 'absent', code: 'certificate_missing' };
  if (offer.form !== 'fields') throw new Error('cases give certificates by their fields');
  const { form: _form, ...fields } = offer;
  const value: CertificateValue = {
    ...fields,
    spiffeId: null,
    svid: 'none',
    notBefore: null,
    keyUsage: [],
    chain: 'unchecked',
    trustBundle: null,
    revocation: 'unchecked',
  };
  return { status: 'present', value };
}

export function enrichmentOf({ given }: Case, request: DecisionRequest, identity: Identity): EnrichmentSignals {
  return { network: networkOf(given, request), rate: rateOf(given, request, identity) };
}

function networkOf({ network }: Case['given'], { source }: DecisionRequest): EnrichmentSignals['network'] {
  if (network !== undefined && 'unavailable' in network) {
    const { unavailable: code } = network;
    return source.ip === null ? { status: 'unavailable', code } : { status: 'unavailable', code, address: source.ip };
  }
  if (source.ip === null && network === undefined) return { status: 'absent', code: 'address_missing' };
  const address = source.ip ?? '203.0.113.7';
  const family = address.includes(':') ? 6 : 4;
  return {
    status: 'present',
    value: {
      address,
      family,
      prefix: `${address}/${family === 4 ? 32 : 64}`,
      country: network?.country ?? null,
      countrySource: network?.country ? 'database' : null,
      continent: null,
      city: null,
      asn: null,
      asOrg: null,
      kinds: network?.kinds ?? [],
      addressFlags: [],
      code: null,
    },
  };
}

function rateOf({ rate }: Case['given'], { source }: DecisionRequest, identity: Identity): EnrichmentSignals['rate'] {
  if (rate !== undefined && 'unavailable' in rate) return { status: 'unavailable', code: rate.unavailable };
  const degraded = rate?.degraded ?? false;
  const counts = (known: boolean, given: Partial<WindowCounts> | undefined): WindowCounts | null => {
    if (given === undefined && (degraded || !known)) return null;
    const ten = given?.['10s'] ?? 1;
    const minute = given?.['1m'] ?? ten;
    const tenMinutes = given?.['10m'] ?? minute;
    return { '10s': ten, '1m': minute, '10m': tenMinutes, '1h': given?.['1h'] ?? tenMinutes };
  };
  return {
    status: 'present',
    value: {
      client: counts(identity.subject.client !== null, rate?.client),
      address: counts(source.ip !== null, rate?.address),
      token: counts(identity.tokenKey !== null, rate?.token),
      route: counts(true, rate?.route),
      degraded,
      historyLost: false,
      pep: null,
    },
  };
}

import type { AssuranceLevel, Identity } from '../contract/identity.ts';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import type { Pep } from '../contract/pep.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type {
  BindingCode,
  BindingState,
  BindingValue,
  CertificateValue,
  EnrichmentSignals,
  IdentitySignals,
  TokenCode,
  TokenValue,
  WindowCounts,
} from '../contract/signals.ts';
import { receiveDecide } from '../endpoints/decide/receive.ts';
import { readDelegation } from '../identify/delegation.ts';
import { createRegistered } from '../identify/registered.ts';
import { createBoundedCache } from '../stores/bounded-cache.ts';
import { CaseError } from './case-error.ts';
import { listFactsOfCase } from './lists.ts';
import { registryOf, withApiKey } from './registered.ts';
import { behaviourOf, deviceOf } from './remembered.ts';
import type { Case } from './schema.ts';
import { agreementOf, txnSignalOf } from './txn-token.ts';

/* The question is received as POST /decide receives it; what identify and enrich would say comes from `given`. */

/** The question of a case, by the border's own parser. */
export function requestOf(one: Case): DecisionRequest {
  const { given } = one;
  const ask = withApiKey(one.ask as JsonObject, registryOf(given.registry, one));
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
  if ('refused' in request) throw new CaseError(`the question is refused: ${request.refused} ${request.field ?? ''}`.trimEnd());
  return request;
}

/** What identify would say, by `given` and by what the question brings. */
export function identityOf(one: Case, request: DecisionRequest): Identity {
  const { given } = one;
  const nowSeconds = Math.floor(request.receivedAtMs / 1000);
  const certificateSignal = certificateOf(given, request);
  const registered = createRegistered(
    { clients: [], verificationBudget: { failuresPerMinute: 60, addressesMax: 10 } },
    { registry: registryOf(given.registry, one)?.parts, createCache: createBoundedCache, accountOf: () => null },
  );
  const outcome = { signal: tokenOf(given, request, nowSeconds), tokenKey: null, confirmation: null, identityAlone: null };
  const offered = registered.token(outcome).signal;
  const apiKey = registered.apiKeyOf(request);
  const byKey = apiKey.status === 'present' ? apiKey.value.clientId : null;
  const bound = boundOf(given, offered, certificateSignal);
  const signals: IdentitySignals = {
    token: bound.token,
    certificate: certificateSignal,
    binding: bound.binding,
    apiKey,
    txnToken: txnSignalOf(given, nowSeconds),
    signature: { status: 'absent', code: 'signature_unchecked' },
  };
  const token = signals.token.status === 'present' ? signals.token.value : null;
  const certificate = signals.certificate.status === 'present' ? signals.certificate.value : null;
  const verified = token?.verifiedBy === 'countersign' ? token : null;
  const usable =
    certificate !== null && certificate.sha256 !== null && (certificate.notAfter === null || certificate.notAfter >= nowSeconds);
  const proven = signals.binding.status === 'present' && signals.binding.value.proven;
  const alone = verified !== null ? 2 : byKey !== null ? 1 : 0;
  const assurance: AssuranceLevel = alone === 0 ? 0 : verified !== null && proven ? 4 : usable ? 3 : alone;
  const byToken = verified?.clientId ?? null;
  const conflict = byToken !== null && byKey !== null && byToken !== byKey;
  const client = conflict ? null : (byToken ?? byKey);
  const id = token === null ? (byKey ?? request.subject?.id ?? null) : (token.subject ?? token.clientId);
  return {
    signals,
    subject: {
      type: id === null ? 'unknown' : id === (token === null ? byKey : token.clientId) ? 'client' : 'user',
      id,
      asserted: verified === null && byKey === null && id !== null,
      client,
      record: registered.recordOf(client),
      properties: {},
    },
    evidence: {
      methods: [
        ...(verified === null ? [] : ['token']),
        ...(byKey === null ? [] : ['api_key']),
        ...(certificate === null ? [] : ['certificate']),
      ],
      assurance,
      binding: bound.state,
      agreement: {
        client: conflict ? 'conflict' : byToken !== null && byKey !== null ? 'agreed' : client === null ? 'none' : 'single',
        ...agreementOf(token, signals.txnToken),
      },
    },
    tokenKey: verified === null ? null : 'token-key',
    challenge: {
      scheme: given.dpop === undefined || (given.dpop.scheme === 'Bearer' && !given.dpop.bound) ? 'Bearer' : 'DPoP',
      dpopNonce: given.dpop?.defect === 'dpop_nonce_required' ? 'a-nonce' : null,
    },
  };
}

type BoundSignals = Pick<IdentitySignals, 'token' | 'binding'> & { readonly state: BindingState };

/** What the binding judge would make of the token: DPoP by `given.dpop`, mTLS by the token's own `cnf`. */
function boundOf({ dpop }: Case['given'], token: IdentitySignals['token'], certificate: IdentitySignals['certificate']): BoundSignals {
  if (token.status !== 'present') return { token, binding: { status: 'absent', code: 'token_not_verified' }, state: 'none' };
  const refused = (code: BindingCode, why: TokenCode = 'token_binding_mismatch'): BoundSignals => ({
    token: { status: 'invalid', code: why },
    binding: { status: 'invalid', code },
    state: 'mismatched',
  });
  const matched = (value: BindingValue): BoundSignals => ({
    token: { status: 'present', value: { ...token.value, binding: 'matched' } },
    binding: { status: 'present', value },
    state: 'matched',
  });
  if (dpop?.defect === 'store_unavailable') {
    const binding = { status: 'unavailable', code: 'store_unavailable' } as const;
    return { token: { status: 'unavailable', code: 'binding_unavailable' }, binding, state: 'unchecked' };
  }
  if (dpop !== undefined) {
    if (!dpop.bound) return refused('dpop_token_unbound', 'token_unbound');
    if (dpop.scheme === 'Bearer') return refused('dpop_scheme_required');
    if (dpop.defect !== undefined) return refused(dpop.defect);
    return matched({ method: 'dpop', thumbprint: 'jkt', proven: true, issuedAt: token.value.issuedAt, nonce: false });
  }
  const { cnf } = token.value.claims;
  const wanted = isJsonObject(cnf) ? cnf['x5t#S256'] : undefined;
  if (typeof wanted !== 'string') return { token, binding: { status: 'absent', code: 'token_not_bound' }, state: 'none' };
  if (certificate.status !== 'present') return refused('certificate_required');
  if (Buffer.from(certificate.value.sha256 ?? '', 'hex').toString('base64url') !== wanted) return refused('certificate_mismatch');
  return matched({ method: 'mtls', thumbprint: wanted, proven: false, issuedAt: null, nonce: false });
}

function tokenOf(given: Case['given'], request: DecisionRequest, nowSeconds: number): IdentitySignals['token'] {
  if (given.token_defect === 'keys_unavailable') return { status: 'unavailable', code: 'keys_unavailable' };
  if (given.token_defect !== undefined) return { status: 'invalid', code: given.token_defect };
  if (given.token !== undefined) return tokenSignal(given.token, nowSeconds, 'countersign');
  const { claims } = request.credentials;
  return claims === null ? { status: 'absent', code: 'token_missing' } : tokenSignal(claims, nowSeconds, 'pep');
}

function tokenSignal(claims: JsonObject, nowSeconds: number, verifiedBy: TokenValue['verifiedBy']): IdentitySignals['token'] {
  const text = (name: string): string | null => (typeof claims[name] === 'string' ? claims[name] : null);
  const texts = (name: string): string[] => {
    const list = claims[name];
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
  };
  const scopes = (text('scope') ?? '').split(' ').filter((one) => one !== '');
  const delegated = readDelegation(claims['act'], scopes, 8);
  if (typeof delegated === 'string') return { status: 'invalid', code: delegated };
  const value: TokenValue = {
    issuer: text('iss') ?? 'https://issuer.cases.example',
    subject: text('sub'),
    clientId: text('client_id'),
    audience: ['https://api.example'],
    scopes,
    expiresAt: nowSeconds + 300,
    issuedAt: nowSeconds - 10,
    notBefore: null,
    acr: text('acr'),
    amr: texts('amr'),
    authTime: typeof claims['auth_time'] === 'number' ? claims['auth_time'] : null,
    jtiHash: null,
    binding: 'none',
    actor: delegated?.actor ?? null,
    delegation: delegated?.delegation ?? null,
    authorizationDetails: [],
    roles: texts('roles'),
    groups: texts('groups'),
    entitlements: texts('entitlements'),
    claims,
    verifiedBy,
    keysFetchedAt: verifiedBy === 'countersign' ? nowSeconds - 30 : null,
  };
  return { status: 'present', value };
}

function certificateOf(given: Case['given'], request: DecisionRequest): IdentitySignals['certificate'] {
  if (given.certificate_defect === 'revocation_unavailable') return { status: 'unavailable', code: 'revocation_unavailable' };
  if (given.certificate_defect !== undefined) return { status: 'invalid', code: given.certificate_defect };
  const offer = request.credentials.certificates[0];
  if (offer === undefined) return { status: 'absent', code: 'certificate_missing' };
  if (offer.form !== 'fields') throw new CaseError('a certificate is given by its fields, not as a PEM');
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

/** What enrich would say, by `given`. */
export function enrichmentOf({ given }: Case, request: DecisionRequest, identity: Identity): EnrichmentSignals {
  return {
    network: networkOf(given, request),
    rate: rateOf(given, request, identity),
    device: deviceOf(given),
    behaviour: behaviourOf(given),
  };
}

function networkOf(given: Case['given'], { source }: DecisionRequest): EnrichmentSignals['network'] {
  const { network } = given;
  const lists = listFactsOfCase(given);
  if (network !== undefined && 'unavailable' in network) {
    const { unavailable: code } = network;
    return source.ip === null ? { status: 'unavailable', code } : { status: 'unavailable', code, address: source.ip, lists };
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
      coordinates: null,
      inEu: network?.country ? network.country === 'DE' : null,
      asn: null,
      asOrg: null,
      kinds: network?.kinds ?? [],
      dataBuiltAt: null,
      dataAgeSeconds: null,
      dataFlags: [],
      lists,
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

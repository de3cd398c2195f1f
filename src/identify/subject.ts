import type { ApiKeyValue } from '../contract/api-key.ts';
import type { Identity, Subject } from '../contract/identity.ts';
import type { ClientRecord } from '../contract/registry.ts';
import type { AssertedSubject } from '../contract/request.ts';
import type { BindingValue, CertificateValue, TokenValue } from '../contract/signals.ts';
import type { SignatureValue } from '../contract/signature.ts';
import type { TxnTokenValue } from '../contract/txn-token.ts';
import { isValidAt } from './certificate.ts';

/** What is present of the evidence. */
export type Evidence = {
  readonly token: TokenValue | null;
  readonly apiKey: ApiKeyValue | null;
  readonly certificate: CertificateValue | null;
  /** What the token is bound to, where that was proven. */
  readonly binding: BindingValue | null;
  readonly txnToken: TxnTokenValue | null;
  readonly signature: SignatureValue | null;
  /** From a gateway trusted for `subject`. */
  readonly asserted: AssertedSubject | null;
};

export type ClientAgreement = Identity['evidence']['agreement']['client'];

/** Client ids by SPIFFE id. */
export type ClientMap = { get(spiffeId: string): string | undefined };

const UNKNOWN: Subject = { type: 'unknown', id: null, asserted: false, client: null, record: null, properties: {} };

/**
 * The client that the evidence names (DESIGN 3): the token's, else the API key's, else that of the certificate's SPIFFE id, else that of the key set
 * which signed the message. Two that differ are a conflict and name nobody. Claims that only the gateway vouches for, and a certificate that is not
 * valid now, name no client, but can contradict one.
 */
export function agreeOnClient(
  { token, apiKey, certificate, signature }: Pick<Evidence, 'token' | 'apiKey' | 'certificate' | 'signature'>,
  clients: ClientMap,
  nowSeconds: number,
): { readonly client: string | null; readonly agreement: ClientAgreement } {
  const byToken = token === null ? null : clientOfToken(token, clients);
  const byKey = apiKey === null ? null : apiKey.clientId;
  const byCertificate = certificate === null ? null : clientOfCertificate(certificate, clients);
  const bySignature = signature?.clientId ?? null;
  const named = byToken ?? byKey ?? byCertificate ?? bySignature;
  if (differ(named, byKey) || differ(named, byCertificate) || differ(named, bySignature)) return { client: null, agreement: 'conflict' };
  const verified = isVerified(token) ? byToken : null;
  const certified = certificate !== null && isValidAt(certificate, nowSeconds) ? byCertificate : null;
  const client = verified ?? byKey ?? certified ?? bySignature;
  const voices = Number(verified !== null) + Number(byKey !== null) + Number(certified !== null) + Number(bySignature !== null);
  return { client, agreement: voices === 0 ? 'none' : voices === 1 ? 'single' : 'agreed' };
}

function differ(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one !== other;
}

/** True where more than the gateway vouches for the token: its signature, or its authorization server. */
export function isVerified(token: TokenValue | null): token is TokenValue {
  return token !== null && token.verifiedBy !== 'pep';
}

/** A JWT-SVID names no client but its own SPIFFE id, as an X.509-SVID does. */
export function clientOfToken({ clientId, issuer, subject }: TokenValue, clients: ClientMap): string | null {
  return clientId ?? (subject !== null && issuer.startsWith('spiffe://') ? (clients.get(subject) ?? null) : null);
}

/** The client that the SPIFFE id is mapped to. */
export function clientOfCertificate({ spiffeId }: CertificateValue, clients: ClientMap): string | null {
  return spiffeId === null ? null : (clients.get(spiffeId) ?? null);
}

/**
 * AuthZEN's subject (DESIGN 3): of the verified token, else of the API key's or the mapped client, else of the agent whose published key signed, else
 * what the gateway says: the claims that it verified, or the subject that it names. The last two are marked `asserted`; an asserted subject has a
 * client only by certificate.
 */
export function deriveSubject({ token, asserted, signature }: Evidence, client: string | null, record: ClientRecord | null): Subject {
  if (isVerified(token)) return subjectOf(token, false, client, record);
  if (client !== null) return { type: 'client', id: client, asserted: false, client, record, properties: {} };
  if (signature !== null && signature.agent !== null) {
    return { type: 'agent', id: signature.agent, asserted: false, client: null, record: null, properties: {} };
  }
  if (token !== null) return subjectOf(token, true, null, null);
  if (asserted !== null) {
    return { type: asserted.type, id: asserted.id, asserted: true, client: null, record: null, properties: asserted.properties };
  }
  return UNKNOWN;
}

/** A subject that is the token's own client is a client; one that differs from it is a user. */
function subjectOf({ subject, clientId }: TokenValue, asserted: boolean, client: string | null, record: ClientRecord | null): Subject {
  const id = subject ?? clientId;
  const type = id === null ? 'unknown' : id === clientId ? 'client' : 'user';
  return { type, id, asserted, client, record, properties: {} };
}

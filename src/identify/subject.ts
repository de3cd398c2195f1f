import type { Identity, Subject } from '../contract/identity.ts';
import type { AssertedSubject } from '../contract/request.ts';
import type { BindingValue, CertificateValue, TokenValue } from '../contract/signals.ts';
import type { SignatureValue } from '../contract/signature.ts';
import type { TxnTokenValue } from '../contract/txn-token.ts';
import { isValidAt } from './certificate.ts';

/** What is present of the evidence. */
export type Evidence = {
  readonly token: TokenValue | null;
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
export type ClientMap = ReadonlyMap<string, string>;

const UNKNOWN: Subject = { type: 'unknown', id: null, asserted: false, client: null, properties: {} };

/**
 * The client that the evidence names (DESIGN 3): the token's, else that of the certificate's SPIFFE id, else that of the key set which signed the
 * message. Two that differ are a conflict and
 * name nobody. Claims that only the gateway vouches for, and a certificate that is not valid now, name no client, but can contradict one.
 */
export function agreeOnClient(
  { token, certificate, signature }: Pick<Evidence, 'token' | 'certificate' | 'signature'>,
  clients: ClientMap,
  nowSeconds: number,
): { readonly client: string | null; readonly agreement: ClientAgreement } {
  const byToken = token === null ? null : clientOfToken(token, clients);
  const byCertificate = certificate === null ? null : clientOfCertificate(certificate, clients);
  const bySignature = signature?.clientId ?? null;
  if (differ(byToken, byCertificate) || differ(byToken, bySignature) || differ(byCertificate, bySignature)) {
    return { client: null, agreement: 'conflict' };
  }
  const verified = isVerified(token) ? byToken : null;
  const certified = certificate !== null && isValidAt(certificate, nowSeconds) ? byCertificate : null;
  const [client = null, second] = [verified, certified, bySignature].filter((one) => one !== null);
  return { client, agreement: client === null ? 'none' : second === undefined ? 'single' : 'agreed' };
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
 * AuthZEN's subject (DESIGN 3): of the verified token, else of the mapped client, else of the agent whose published key signed, else what the gateway says: the claims that it verified, or
 * the subject that it names. The last two are marked `asserted`; an asserted subject has a client only by certificate.
 */
export function deriveSubject({ token, asserted, signature }: Evidence, client: string | null): Subject {
  if (isVerified(token)) return subjectOf(token, false, client);
  if (client !== null) return { type: 'client', id: client, asserted: false, client, properties: {} };
  if (signature !== null && signature.agent !== null) {
    return { type: 'agent', id: signature.agent, asserted: false, client: null, properties: {} };
  }
  if (token !== null) return subjectOf(token, true, null);
  if (asserted !== null) return { type: asserted.type, id: asserted.id, asserted: true, client: null, properties: asserted.properties };
  return UNKNOWN;
}

/** A subject that is the token's own client is a client; one that differs from it is a user. */
function subjectOf({ subject, clientId }: TokenValue, asserted: boolean, client: string | null): Subject {
  const id = subject ?? clientId;
  const type = id === null ? 'unknown' : id === clientId ? 'client' : 'user';
  return { type, id, asserted, client, properties: {} };
}

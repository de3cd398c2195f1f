/** What a gateway may be trusted for; a closed list. What it is not trusted for is ignored and flagged in the input. */
export const TRUSTS = [
  'client_address',
  'forwarded',
  'client_certificate',
  'claims',
  'subject',
  'fingerprint',
  'rate',
  'feedback',
  'explain',
] as const;
export type Trust = (typeof TRUSTS)[number];

/** How the chain of client addresses is read for one gateway. */
export type ForwardedFor = {
  /** Lower-case name of the header that carries the chain, usually `x-forwarded-for`. */
  readonly header: string;
  /** True where the gateway has already appended its own peer to the header (Envoy with `use_remote_address`). */
  readonly appendsPeer: boolean;
  /** Exactly this many proxies vouch for the chain; null means that `trustedProxies` decide. */
  readonly hops: number | null;
};

/**
 * How a gateway hands on client certificates in headers: `xfcc` Envoy's elements; `rfc9440` a Byte Sequence; `pem_escaped` URL-encoded PEM (nginx
 * `$ssl_client_escaped_cert`); `der_base64` DER in base64 (HAProxy `ssl_c_der,base64`).
 */
export const CERTIFICATE_FORMS = ['xfcc', 'rfc9440', 'pem_escaped', 'der_base64'] as const;

/** The one header that a gateway sets for the client certificate; every other spelling or form is the client's own and means nothing. */
export type CertificateHeader = {
  /** Lower case. */
  readonly name: string;
  readonly form: (typeof CERTIFICATE_FORMS)[number];
  /** Lower-case name of the header with the issuers' certificates (RFC 9440 `client-cert-chain`), or null. */
  readonly chainName: string | null;
};

/** Headers that a gateway sets for the fingerprints of the client's TLS connection, lower case; null where it sets none. */
export type FingerprintHeaders = { readonly ja3: string | null; readonly ja4: string | null };

/** Gateways that ask by forward auth, each with headers of its own. */
export const DIALECTS = ['nginx', 'traefik', 'caddy', 'haproxy', 'apisix'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** The gateway that asks and enforces, as configured. */
export type Pep = {
  readonly name: string;
  readonly trusts: ReadonlySet<Trust>;
  /** Names of the policies that it may ask for; never empty. */
  readonly policies: readonly string[];
  /** Names of all policies of this process; left out: those of this gateway are all that is known. */
  readonly policiesKnown?: readonly string[];
  readonly forwardedFor: ForwardedFor;
  /** Null where no header counts. */
  readonly certificateHeader: CertificateHeader | null;
  /** Left out: none. */
  readonly fingerprintHeaders?: FingerprintHeaders;
  /** Names of the gateways on whose decisions it may report beside its own; left out: none. */
  readonly feedbackFor?: readonly string[];
  /** How it speaks at `/forward-auth`; left out or null: it may not ask there. */
  readonly dialect?: Dialect | null;
};

/** Whether a policy belongs to others: a gateway that asks for it is refused. A name that nobody configured is the PDP's deny `policy_unknown`. */
export function isForeignPolicy(pep: Pep, name: string): boolean {
  return !pep.policies.includes(name) && (pep.policiesKnown?.includes(name) ?? true);
}

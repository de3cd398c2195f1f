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

/** The gateway that asks and enforces, as configured. */
export type Pep = {
  readonly name: string;
  readonly trusts: ReadonlySet<Trust>;
  /** Names of the policies that it may ask for; never empty. */
  readonly policies: readonly string[];
  readonly forwardedFor: ForwardedFor;
};

/** How client certificates are verified here: the configuration's section `identity.certificates`. */
export type CertificateTrustOptions = {
  /** Without any, chains are the gateways' to verify. */
  readonly trustBundles: readonly TrustBundleOptions[];
  readonly crl: {
    /** True where a certificate counts only with a fresh list that does not name it, nor any of its issuers below the anchor. */
    readonly required: boolean;
    readonly sources: readonly CrlSourceOptions[];
  };
  /** Certificates that are refused whatever else is said of them. */
  readonly denied: { readonly sha256: readonly string[]; readonly serials: readonly string[]; readonly file: string | null };
};

export type TrustBundleOptions = {
  readonly name: string;
  /** PEM or a SPIFFE bundle. */
  readonly file: string;
  /** The bundle vouches for SPIFFE ids of this trust domain only; null: for certificates without a SPIFFE id only. */
  readonly trustDomain: string | null;
};

/** Exactly one of `file` and `url`. */
export type CrlSourceOptions = {
  readonly name: string;
  readonly file: string | null;
  readonly url: string | null;
  readonly refreshSeconds: number;
  readonly fetchTimeoutMs: number;
};

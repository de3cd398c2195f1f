/** A file of certificates that the service itself needs, and when it is of no use any more. */
export type CertificateEnd = {
  /** Key of the configuration that names the file: `http.tls.certFile`. */
  readonly key: string;
  /**
   * Unix seconds: of an own certificate with its intermediates the first to end; of several that are trusted the first that is still to
   * end, or the last where all have. Null where the file could never be read.
   */
  readonly endsAt: number | null;
  /** From its beginning to that end; those of hours are renewed hours before it. */
  readonly lifetimeSeconds: number | null;
};

/** What a client is registered by: certificates as lower-case hex of the SHA-256, TLS clients by JA3 and JA4. */
export type RegisteredFingerprints = {
  readonly certificates: readonly string[];
  readonly ja3: readonly string[];
  readonly ja4: readonly string[];
};

/** What a request brought of each kind. */
export type OfferedFingerprints = { readonly certificate: string | null; readonly ja3: string | null; readonly ja4: string | null };

/**
 * Whether a request comes from a registered device. One that matches is enough, a certificate first of all. A client that is registered by a
 * certificate and shows none is not known; a fingerprint that the gateway did not hand on says nothing. Null where nothing is registered, or nothing
 * could be compared.
 */
export function isKnownDevice(registered: RegisteredFingerprints | null, offered: OfferedFingerprints): boolean | null {
  if (registered === null) return null;
  const { certificates, ja3, ja4 } = registered;
  if (offered.certificate !== null && certificates.includes(offered.certificate)) return true;
  if (offered.ja4 !== null && ja4.includes(offered.ja4)) return true;
  if (offered.ja3 !== null && ja3.includes(offered.ja3)) return true;
  const missed = certificates.length > 0 || (offered.ja4 !== null && ja4.length > 0) || (offered.ja3 !== null && ja3.length > 0);
  return missed ? false : null;
}

/** One line of `device.known`. */
export type KnownDevice = {
  readonly client: string;
  readonly ja3: string | null;
  readonly ja4: string | null;
  readonly certificateSha256: string | null;
};

/** Looks up what a client is registered by; null where by nothing. */
export type RegisteredOf = (client: string) => RegisteredFingerprints | null;

/** The configuration's list as a look-up, together with the client's record where it has one. */
export function createRegistered(devices: readonly KnownDevice[], ofRecord: RegisteredOf = () => null): RegisteredOf {
  const byClient = new Map<string, { certificates: string[]; ja3: string[]; ja4: string[] }>();
  for (const { client, ja3, ja4, certificateSha256 } of devices) {
    const known = byClient.get(client) ?? { certificates: [], ja3: [], ja4: [] };
    byClient.set(client, known);
    if (certificateSha256 !== null) known.certificates.push(certificateSha256);
    if (ja3 !== null) known.ja3.push(ja3);
    if (ja4 !== null) known.ja4.push(ja4);
  }
  return (client) => {
    const listed = byClient.get(client);
    const recorded = ofRecord(client);
    if (listed === undefined || recorded === null) return listed ?? recorded;
    return {
      certificates: [...listed.certificates, ...recorded.certificates],
      ja3: [...listed.ja3, ...recorded.ja3],
      ja4: [...listed.ja4, ...recorded.ja4],
    };
  };
}

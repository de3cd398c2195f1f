import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/**
 * X.509 v3 certificates made at test time: node:crypto reads certificates but makes none, and `openssl` is not on every machine.
 * A DER writer of the few forms that are needed (RFC 5280 4.1, X.690); ECDSA P-256 with SHA-256 throughout.
 */

export type MadeCertificate = {
  readonly pem: string;
  readonly keyPem: string;
  readonly der: Buffer /** Lower-case hex. */;
  readonly serial: string;
};

type Days = readonly [number, number];

/** What may be odd about a CA. */
export type AuthorityOptions = {
  readonly pathLength?: number;
  readonly uris?: readonly string[];
  readonly validDays?: Days;
  /** Bits of the key usage: 0x06 keyCertSign and cRLSign. */
  readonly keyUsage?: number;
  readonly ca?: boolean;
  readonly extensions?: readonly Buffer[];
};

/** What may be odd about a client's leaf. */
export type ClientOptions = {
  readonly commonName: string;
  readonly uris: readonly string[];
  readonly validDays?: Days;
  readonly purpose?: 'clientAuth' | 'serverAuth' | null;
  readonly keyUsage?: readonly [number, number];
};

export type CrlOptions = {
  /** Serials in hex. */
  readonly revoked?: readonly string[];
  readonly thisUpdateDays?: number;
  readonly nextUpdateDays?: number;
  readonly extensions?: readonly Buffer[];
};

export type Authority = MadeCertificate & {
  /** A leaf for a server: DNS and IP SANs. */
  server(names: { readonly dns: readonly string[]; readonly ips: readonly string[] }): MadeCertificate;
  /** A leaf for a client, by default valid now: SPIFFE URIs as SANs. */
  client(options: ClientOptions): MadeCertificate;
  /** A CA below this one. */
  intermediate(commonName: string, options?: AuthorityOptions): Authority;
  /** A revocation list in DER, by default from yesterday until tomorrow. */
  crl(options?: CrlOptions): Buffer;
};

/** A new CA with a fresh key. */
export function createAuthority(commonName = 'Countersign Test CA', options: AuthorityOptions = {}): Authority {
  const keys = newKeys();
  return authorityOf(commonName, commonName, keys, keys.privateKey, options);
}

type Keys = ReturnType<typeof newKeys>;

function authorityOf(commonName: string, issuer: string, keys: Keys, signer: KeyObject, options: AuthorityOptions): Authority {
  const { pathLength, uris = [], validDays = [-1, 365], keyUsage: usage = 0x06, ca = true, extensions = [] } = options;
  const constraints = [...(ca ? [der(0x01, [0xff])] : []), ...(pathLength === undefined ? [] : [der(0x02, [pathLength])])];
  const own = certificate({
    subject: commonName,
    issuer,
    subjectKey: keys.publicKey,
    signer,
    validDays,
    extensions: [
      extension(OID.basicConstraints, true, sequence(...constraints)),
      extension(OID.keyUsage, true, keyUsage(usage, 1)),
      extension(OID.subjectKeyIdentifier, false, der(0x04, keyId(keys.publicKey))),
      ...(uris.length === 0 ? [] : [extension(OID.subjectAltName, false, sequence(...uris.map(uriName)))]),
      ...extensions,
    ],
  });
  const leaf = (subject: string, names: Buffer[], purpose: readonly number[] | null, days: Days, bits: readonly [number, number]) => {
    const ofLeaf = newKeys();
    const made = certificate({
      subject,
      issuer: commonName,
      subjectKey: ofLeaf.publicKey,
      signer: keys.privateKey,
      validDays: days,
      extensions: [
        extension(OID.basicConstraints, true, sequence()),
        extension(OID.keyUsage, true, keyUsage(...bits)),
        ...(purpose === null ? [] : [extension(OID.extendedKeyUsage, false, sequence(oid(purpose)))]),
        extension(OID.subjectAltName, false, sequence(...names)),
        extension(OID.authorityKeyIdentifier, false, sequence(der(0x80, keyId(keys.publicKey)))),
      ],
    });
    return madeOf(made, ofLeaf.privateKey);
  };
  return {
    ...madeOf(own, keys.privateKey),
    server: ({ dns, ips }) =>
      leaf(
        dns[0] ?? 'server',
        [...dns.map((name) => der(0x82, Buffer.from(name))), ...ips.map((ip) => der(0x87, ip.split('.').map(Number)))],
        OID.serverAuth,
        [-1, 30],
        [0x80, 7],
      ),
    client: ({ commonName: name, uris: own, validDays: days = [-1, 30], purpose = 'clientAuth', keyUsage: bits = [0x80, 7] }) =>
      leaf(name, own.map(uriName), purpose === null ? null : OID[purpose], days, bits),
    intermediate(name, more = {}) {
      return authorityOf(name, commonName, newKeys(), keys.privateKey, more);
    },
    crl: (more = {}) => revocationList(commonName, keys.privateKey, more),
  };
}

function madeOf(made: { readonly der: Buffer; readonly serial: Buffer }, key: KeyObject): MadeCertificate {
  return { pem: toPem(made.der), keyPem: privatePem(key), der: made.der, serial: made.serial.toString('hex').replace(/^0+/, '') };
}

function revocationList(issuer: string, signer: KeyObject, options: CrlOptions): Buffer {
  const { revoked = [], thisUpdateDays = -1, nextUpdateDays = 1, extensions = [] } = options;
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const entries = revoked.map((serial) =>
    sequence(der(0x02, Buffer.from(serial.padStart(serial.length + (serial.length % 2), '0'), 'hex')), time(-1)),
  );
  const body = sequence(
    der(0x02, [1]),
    algorithm,
    commonNameOf(issuer),
    time(thisUpdateDays),
    time(nextUpdateDays),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    der(0xa0, sequence(extension(OID.crlNumber, false, der(0x02, [1])), ...extensions)),
  );
  return sequence(body, algorithm, bits(sign('sha256', body, signer), 0));
}

const OID = {
  ecdsaWithSha256: [1, 2, 840, 10045, 4, 3, 2],
  commonName: [2, 5, 4, 3],
  subjectKeyIdentifier: [2, 5, 29, 14],
  authorityKeyIdentifier: [2, 5, 29, 35],
  keyUsage: [2, 5, 29, 15],
  subjectAltName: [2, 5, 29, 17],
  basicConstraints: [2, 5, 29, 19],
  extendedKeyUsage: [2, 5, 29, 37],
  serverAuth: [1, 3, 6, 1, 5, 5, 7, 3, 1],
  clientAuth: [1, 3, 6, 1, 5, 5, 7, 3, 2],
  crlNumber: [2, 5, 29, 20],
  nameConstraints: [2, 5, 29, 30],
  issuingDistributionPoint: [2, 5, 29, 28],
} as const;

type Parts = {
  readonly subject: string;
  readonly issuer: string;
  readonly subjectKey: KeyObject;
  readonly signer: KeyObject;
  /** Days from now: first and last of the validity. */
  readonly validDays: readonly [number, number];
  readonly extensions: readonly Buffer[];
};

function certificate(parts: Parts): { readonly der: Buffer; readonly serial: Buffer } {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const serial = randomBytes(12);
  serial[0] = 0x01 | ((serial[0] ?? 0) & 0x7f); // positive and without a leading zero
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, serial),
    algorithm,
    commonNameOf(parts.issuer),
    sequence(time(parts.validDays[0]), time(parts.validDays[1])),
    commonNameOf(parts.subject),
    parts.subjectKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(...parts.extensions)),
  );
  return { der: sequence(body, algorithm, bits(sign('sha256', body, parts.signer), 0)), serial };
}

function der(tag: number, content: Buffer | readonly number[]): Buffer {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content);
  const size = bytes.length;
  const length =
    size < 0x80
      ? [size]
      : size < 0x100
        ? [0x81, size]
        : size < 0x10000
          ? [0x82, size >> 8, size & 0xff]
          : [0x83, size >> 16, (size >> 8) & 0xff, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
}

function sequence(...items: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(items));
}

function oid(arcs: readonly number[]): Buffer {
  const [first = 0, second = 0, ...rest] = arcs;
  return der(0x06, [first * 40 + second, ...rest.flatMap(base128)]);
}

function base128(arc: number): number[] {
  const out = [arc & 0x7f];
  for (let left = arc >>> 7; left > 0; left >>>= 7) out.unshift(0x80 | (left & 0x7f));
  return out;
}

function bits(bytes: Buffer, unused: number): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([unused]), bytes]));
}

/** An extension that a test makes odd: name constraints, or one of a list that is about a part of the certificates. */
export function oddExtension(kind: 'nameConstraints' | 'issuingDistributionPoint', critical: boolean): Buffer {
  return extension(OID[kind], critical, sequence(der(0xa0, sequence(sequence(der(0x82, Buffer.from('example.com')))))));
}

function uriName(uri: string): Buffer {
  return der(0x86, Buffer.from(uri));
}

function keyUsage(byte: number, unused: number): Buffer {
  return bits(Buffer.from([byte]), unused);
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest();
}

function commonNameOf(text: string): Buffer {
  return sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(text)))));
}

function time(days: number): Buffer {
  const iso = new Date(Date.now() + days * 86_400_000).toISOString(); // UTCTime: YYMMDDHHMMSSZ
  return der(0x17, Buffer.from(`${iso.slice(2, 19).replace(/[-T:]/g, '')}Z`));
}

function extension(id: readonly number[], critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [der(0x01, [0xff])] : []), der(0x04, value));
}

function newKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function privatePem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function toPem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

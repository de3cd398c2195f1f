import { constants, createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bits, der, oid, sequence } from './der-writer.ts';

/**
 * X.509 v3 certificates made at test time: node:crypto reads certificates but makes none, and `openssl` is not on every machine.
 * A DER writer of the few forms that are needed (RFC 5280 4.1, X.690); ECDSA P-256 with SHA-256 unless a test asks for something odd.
 */

export type MadeCertificate = {
  readonly pem: string;
  readonly keyPem: string;
  readonly der: Buffer /** Lower-case hex. */;
  readonly serial: string;
};

type Days = readonly [number, number];
export type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
/** How a certificate is signed; the weak ones are what no path may go over. */
export type Signature = 'ecdsa' | 'rsa' | 'rsa-sha1' | 'pss' | 'pss-sha1';

/** What may be odd about a CA. */
export type AuthorityOptions = {
  readonly pathLength?: number;
  readonly uris?: readonly string[];
  readonly validDays?: Days;
  /** Bits of the key usage: 0x06 keyCertSign and cRLSign. */
  readonly keyUsage?: number;
  readonly ca?: boolean;
  readonly extensions?: readonly Buffer[];
  readonly purpose?: 'clientAuth' | 'serverAuth';
  /** Another key than a fresh one of P-256; one of RSA needs `signature` for what it signs. */
  readonly keys?: Keys;
  /** How this authority signs what it issues. */
  readonly signature?: Signature;
};

/** What may be odd about a client's leaf. */
export type ClientOptions = {
  readonly commonName: string;
  readonly uris: readonly string[];
  readonly validDays?: Days;
  readonly purpose?: 'clientAuth' | 'serverAuth' | null;
  readonly keyUsage?: readonly [number, number];
  readonly keys?: Keys;
  /** Content of the INTEGER in hex, as it is. */
  readonly serial?: string;
  readonly extensions?: readonly Buffer[];
  /** Content of `notAfter`, of 13 characters. */
  readonly notAfter?: string;
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
  const keys = options.keys ?? newKeys();
  return authorityOf(commonName, commonName, keys, { key: keys.privateKey, as: options.signature ?? 'ecdsa' }, options);
}

type Signer = { readonly key: KeyObject; readonly as: Signature };

function authorityOf(commonName: string, issuer: string, keys: Keys, signer: Signer, options: AuthorityOptions): Authority {
  const { pathLength, uris = [], validDays = [-1, 365], keyUsage: usage = 0x06, ca = true, extensions = [], purpose: only } = options;
  const ownSigner: Signer = { key: keys.privateKey, as: options.signature ?? 'ecdsa' };
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
      ...(only === undefined ? [] : [extension(OID.extendedKeyUsage, false, sequence(oid(OID[only])))]),
      ...extensions,
    ],
  });
  type Oddities = Pick<ClientOptions, 'keys' | 'serial' | 'extensions' | 'notAfter'>;
  const leaf = (
    subject: string,
    names: Buffer[],
    purpose: readonly number[] | null,
    days: Days,
    bits: readonly [number, number],
    { keys: ofLeaf = newKeys(), extensions: more = [], ...odd }: Oddities = {},
  ) => {
    const made = certificate({
      subject,
      issuer: commonName,
      subjectKey: ofLeaf.publicKey,
      signer: ownSigner,
      validDays: days,
      ...odd,
      extensions: [
        extension(OID.basicConstraints, true, sequence()),
        extension(OID.keyUsage, true, keyUsage(...bits)),
        ...(purpose === null ? [] : [extension(OID.extendedKeyUsage, false, sequence(oid(purpose)))]),
        extension(OID.subjectAltName, false, sequence(...names)),
        extension(OID.authorityKeyIdentifier, false, sequence(der(0x80, keyId(keys.publicKey)))),
        ...more,
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
    client: ({ commonName: name, uris: own, validDays: days = [-1, 30], purpose = 'clientAuth', keyUsage: bits = [0x80, 7], ...odd }) =>
      leaf(name, own.map(uriName), purpose === null ? null : OID[purpose], days, bits, odd),
    intermediate(name, more = {}) {
      return authorityOf(name, commonName, more.keys ?? newKeys(), ownSigner, more);
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
  deltaIndicator: [2, 5, 29, 27],
  pkcs1: [1, 2, 840, 113549, 1, 1],
  sha256: [2, 16, 840, 1, 101, 3, 4, 2, 1],
  mgf1: [1, 2, 840, 113549, 1, 1, 8],
} as const;

type Parts = {
  readonly subject: string;
  readonly issuer: string;
  readonly subjectKey: KeyObject;
  readonly signer: Signer;
  /** Days from now: first and last of the validity. */
  readonly validDays: readonly [number, number];
  readonly extensions: readonly Buffer[];
  readonly serial?: string;
  readonly notAfter?: string;
};

function certificate(parts: Parts): { readonly der: Buffer; readonly serial: Buffer } {
  const algorithm = algorithmOf(parts.signer.as);
  const serial = parts.serial === undefined ? randomBytes(12) : Buffer.from(parts.serial, 'hex');
  if (parts.serial === undefined) serial[0] = 0x01 | ((serial[0] ?? 0) & 0x7f); // positive and without a leading zero
  const notAfter = parts.notAfter === undefined ? time(parts.validDays[1]) : der(0x17, Buffer.from(parts.notAfter));
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, serial),
    algorithm,
    commonNameOf(parts.issuer),
    sequence(time(parts.validDays[0]), notAfter),
    commonNameOf(parts.subject),
    parts.subjectKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(...parts.extensions)),
  );
  return { der: sequence(body, algorithm, bits(signed(body, parts.signer), 0)), serial };
}

/** RFC 8017: the parameters of PSS name the hash; those that are left out mean SHA-1. */
function algorithmOf(as: Signature): Buffer {
  const sha256 = sequence(oid(OID.sha256));
  const mask = sequence(oid(OID.mgf1), sha256);
  switch (as) {
    case 'ecdsa':
      return sequence(oid(OID.ecdsaWithSha256));
    case 'rsa':
      return sequence(oid([...OID.pkcs1, 11]), der(0x05, []));
    case 'rsa-sha1':
      return sequence(oid([...OID.pkcs1, 5]), der(0x05, []));
    case 'pss':
      return sequence(oid([...OID.pkcs1, 10]), sequence(der(0xa0, sha256), der(0xa1, mask), der(0xa2, der(0x02, [32]))));
    case 'pss-sha1':
      return sequence(oid([...OID.pkcs1, 10]), sequence());
  }
}

function signed(body: Buffer, { key, as }: Signer): Buffer {
  const hash = as.endsWith('sha1') ? 'sha1' : 'sha256';
  if (!as.startsWith('pss')) return sign(hash, body, key);
  return sign(hash, body, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

/** An extension that a test makes odd: name constraints, or one of a list that is about a part of the certificates. */
export function oddExtension(kind: 'nameConstraints' | 'issuingDistributionPoint' | 'deltaIndicator', critical: boolean): Buffer {
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

function newKeys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function privatePem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function toPem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

import type { CertificateOffer } from '../../src/contract/request.ts';
import { parseAltNames } from '../../src/endpoints/peer-certificate.ts';
import { parseFieldDictionary, parseFieldItem, parseFieldList } from '../../src/formats/structured-fields.ts';
import { readCertificate } from '../../src/identify/certificate.ts';
import { readExtensions } from '../../src/identify/certificate-der.ts';
import { createCertificateReader } from '../../src/identify/certificate-offers.ts';
import { parseTrustBundle } from '../../src/identify/trust/bundle.ts';
import { readRevocationList } from '../../src/identify/trust/crl-der.ts';
import { parseXfcc } from '../../src/identify/xfcc.ts';
import { createBoundedCache } from '../../src/stores/bounded-cache.ts';
import { createAuthority } from '../../test/support/certificates.ts';
import { casesOf, filled, type HostileCase, USUAL_SIZES } from './case.ts';

/* Certificates in all forms, and what is around them. The reader's caches are off. */

const reader = createCertificateReader({ entriesMax: 0 }, createBoundedCache);
const offered = (make: (header: string) => CertificateOffer) => (text: string) => reader.read([make(text)]);
const leaf = createAuthority().client({ commonName: 'a', uris: ['spiffe://td.example/a'] });

/** A DER element with a length of two bytes. */
function der(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, 0x82, content.length >> 8, content.length & 255]), content]);
}

/** Extensions with an id and a value of a few bytes each, no two the same: 14 bytes. */
function extensions(bytes: number): Buffer[] {
  return Array.from({ length: Math.floor(bytes / 14) }, (_, index) =>
    Buffer.from([0x30, 0x0c, 0x06, 0x06, 0x2a, 0x03, 1 + (index >> 14), 0x80 | (index & 127), 1 + ((index >> 7) & 127), 4, 4, 2, 5, 0]),
  );
}

/** Names of one URI each: 10 bytes. */
function names(bytes: number): Buffer {
  return der(0x30, Buffer.concat(Array.from({ length: Math.floor(bytes / 10) }, () => Buffer.from([0x86, 8, ...Buffer.from('urn:a:bc')]))));
}

const SUBJECT_ALT_NAME = Buffer.from([0x06, 3, 0x55, 0x1d, 0x11]);
const withExtensions = (bytes: number) => createAuthority('Hostile', { extensions: extensions(bytes - 400) }).der;
const withNames = (bytes: number) =>
  createAuthority('Hostile', { extensions: [der(0x30, Buffer.concat([SUBJECT_ALT_NAME, der(4, names(bytes - 400))]))] }).der;

function caseOf(parser: string, input: string, bytesOf: (bytes: number) => Buffer, parse: (bytes: Buffer) => unknown): HostileCase {
  return {
    parser,
    input,
    make(bytes) {
      const made = bytesOf(bytes);
      return () => parse(made);
    },
  };
}

const list = (bytes: Buffer): Promise<unknown> => readRevocationList(bytes).catch((thrown: unknown) => thrown);
const authority = createAuthority();
const serials = (bytes: number) =>
  Array.from({ length: Math.floor(bytes / 24) }, (_, index) => `7a${index.toString(16).padStart(10, '0')}`);

function bundle(text: string): unknown {
  try {
    return parseTrustBundle(Buffer.from(text));
  } catch (thrown) {
    // a typed refusal
    return thrown;
  }
}

function structuredCases(sizes: readonly [number, number]): readonly HostileCase[] {
  const item = { parameters: filled('a', (index) => `;k${index}=1`), digits: filled('', '1'), text: filled('"', '\\\\', '"') };
  const list = { members: filled('a', ',a'), 'inner members': filled('(', 'a ', ')'), blanks: filled('a', ' ', ',a') };
  const dictionary = {
    members: filled('a', (index) => `,k${index}=1`),
    'one name again and again': filled('a', ',a=1'),
    'parameters of one name': filled('a', ';a=1'),
  };
  const kib = `up to ${sizes[1] / 1024} KiB`;
  return [
    ...casesOf(`structured item ${kib}`, parseFieldItem, item, sizes),
    ...casesOf(`structured list ${kib}`, parseFieldList, list, sizes),
    ...casesOf(`structured dictionary ${kib}`, parseFieldDictionary, dictionary, sizes),
  ];
}

export const certificateCases: readonly HostileCase[] = [
  ...casesOf('XFCC', parseXfcc, {
    pairs: filled('', (index) => `k${index}=v;`, 'k=v'),
    'empty values': filled('', 'a=;', 'a='),
    'escapes in quotes': filled('a="', '\\"', '"'),
    'backslashes and no end': filled('a="', '\\\\'),
    'a key without an end': filled('', 'k'),
    'blanks between elements': filled('a=b', ' ', ',a=b'),
    'names of hosts': filled('Hash=a;', 'URI=u;', 'URI=u'),
  }),
  ...casesOf(
    'XFCC, as a certificate',
    offered((header) => ({ form: 'xfcc', header })),
    {
      'URIs beside a certificate': filled(`Cert="${encodeURIComponent(leaf.pem)}"`, ';URI=u'),
      'URIs without a certificate': filled('Subject="CN=a"', (index) => `;URI=spiffe://a/${index}`),
      'escaped blanks': filled('Cert="', '%20', '"'),
      'beginnings of PEM': filled('Chain="', '-----BEGIN CERTIFICATE-----', '"'),
    },
  ),
  ...casesOf(
    'Client-Cert',
    offered((header) => ({ form: 'rfc9440', header, chain: null })),
    {
      'bytes that are no certificate': filled(':', 'MAAA', ':'),
      parameters: filled(':AA==:', (index) => `;a${index}`),
      'no end': filled(':', 'A'),
      'a text of escapes': filled('"', '\\"', '"'),
    },
  ),
  ...casesOf(
    'Client-Cert-Chain',
    offered((chain) => ({ form: 'rfc9440', header: `:${leaf.der.toString('base64')}:`, chain })),
    {
      'tiny members': filled(':AA==:', ',:AA==:'),
      'blanks between members': filled(':AA==:', ' ', ',:AA==:'),
      'inner lists': filled('()', ',()'),
      'open brackets': filled('', '('),
    },
  ),
  ...casesOf(
    "nginx's escaped PEM",
    offered((header) => ({ form: 'pem_escaped', header, chain: null })),
    {
      'escaped letters': filled('-----BEGIN%20CERTIFICATE-----', '%41', '-----END%20CERTIFICATE-----'),
      'beginnings of blocks': filled('', '-----BEGIN%20CERTIFICATE-----%0A'),
      dashes: filled('-----BEGIN CERTIFICATE-----A', '-'),
      'a broken escape at the end': filled('', '%41', '%'),
      'many blocks': filled('', '-----BEGIN CERTIFICATE-----A-----END CERTIFICATE-----'),
    },
  ),
  ...casesOf(
    "HAProxy's base64",
    offered((header) => ({ form: 'der_base64', header, chain: null })),
    {
      'no certificate': filled('', 'MAAA'),
      'an end that is none': filled('', 'A', '==='),
    },
  ),
  ...casesOf(
    "HAProxy's chain",
    offered((chain) => ({ form: 'der_base64', header: leaf.der.toString('base64'), chain })),
    {
      'empty elements': filled('', 'MAAwADAA'),
    },
  ),
  caseOf('certificate DER', 'extensions', withExtensions, readCertificate),
  caseOf('certificate DER', 'names', withNames, readCertificate),
  caseOf('certificate DER, extensions alone', 'extensions', withExtensions, readExtensions),
  caseOf('certificate DER, extensions alone', 'names', withNames, readExtensions),
  caseOf('CRL DER', 'entries', (bytes) => authority.crl({ revoked: serials(bytes) }), list),
  caseOf('CRL DER', 'extensions', (bytes) => authority.crl({ extensions: extensions(bytes) }), list),
  caseOf('CRL DER', 'a PEM without an end', (bytes) => Buffer.from(filled('-----BEGIN X509 CRL-----', 'A')(bytes)), list),
  ...casesOf('trust bundle', bundle, {
    'beginnings of blocks': filled('', '-----BEGIN CERTIFICATE-----\n'),
    'blocks that are none': filled('', '-----BEGIN CERTIFICATE-----A-----END CERTIFICATE-----'),
    'keys that are none': filled('{"keys":[{}', ',{}', ']}'),
  }),
  ...casesOf('names of a peer', parseAltNames, {
    names: filled('', 'URI:a, '),
    'escapes in quotes': filled('URI:"', '\\"', '"'),
    'quotes without an end': filled('URI:"', '\\\\'),
    'blanks before a colon': filled('', ' '),
  }),
  ...structuredCases(USUAL_SIZES),
  // what passes the bound on delimiters
  ...structuredCases([2048, 4096]),
];

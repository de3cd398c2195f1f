import { childrenOf, type Element, type Extension, elementAt, TAG } from '../../formats/der.ts';
import { addressText } from './address.ts';
import { atMost, BuiltinLimitError } from './builtin.ts';
import { parseUri } from './uri.ts';
import { objectOf, type RegoValue } from './value.ts';
import { arcsOf } from './x509-name.ts';

/* Extensions as Go's `x509.Certificate` has them in its fields (RFC 5280 section 4.2). */

type Fields = Map<string, RegoValue>;

/** Extended key usages, in the order of Go's constants; `2.5.29.37.0` is the first. */
const PURPOSES = ['2.5.29.37.0', ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((last) => `1.3.6.1.5.5.7.3.${last}`)].concat(
  ...['1.3.6.1.4.1.311.10.3.3', '2.16.840.1.113730.4.1', '1.3.6.1.4.1.311.2.1.22', '1.3.6.1.4.1.311.61.1.1'],
);

/** Constraints whose fields are not made here: better no answer than half of one. */
const CONSTRAINTS = new Set(['2.5.29.30', '2.5.29.33', '2.5.29.36', '2.5.29.54']);
/** Those whose value is a sequence of what they say. */
const LISTS = new Set(['2.5.29.17', '2.5.29.19', '2.5.29.31', '2.5.29.32', '2.5.29.35', '2.5.29.37', '1.3.6.1.5.5.7.1.1']);
const CRITICAL_HANDLED = new Set([
  '2.5.29.14',
  '2.5.29.15',
  '2.5.29.17',
  '2.5.29.19',
  '2.5.29.31',
  '2.5.29.32',
  '2.5.29.35',
  '2.5.29.37',
  '1.3.6.1.5.5.7.1.1',
]);

/** Of a certificate without extensions. */
export function emptyExtensions(): Fields {
  const lists = ['AuthorityKeyId', 'CRLDistributionPoints', 'DNSNames', 'EmailAddresses', 'ExcludedDNSDomains', 'ExcludedEmailAddresses'];
  const more = [
    'ExcludedIPRanges',
    'ExcludedURIDomains',
    'ExtKeyUsage',
    'Extensions',
    'ExtraExtensions',
    'IPAddresses',
    'IssuingCertificateURL',
  ];
  const last = ['OCSPServer', 'PermittedDNSDomains', 'PermittedEmailAddresses', 'PermittedIPRanges', 'PermittedURIDomains', 'Policies'];
  const rest = [
    'PolicyIdentifiers',
    'PolicyMappings',
    'SubjectKeyId',
    'URIStrings',
    'URIs',
    'UnhandledCriticalExtensions',
    'UnknownExtKeyUsage',
  ];
  const flags = [
    'BasicConstraintsValid',
    'InhibitAnyPolicyZero',
    'InhibitPolicyMappingZero',
    'IsCA',
    'MaxPathLenZero',
    'PermittedDNSDomainsCritical',
    'RequireExplicitPolicyZero',
  ];
  const numbers = ['InhibitAnyPolicy', 'InhibitPolicyMapping', 'KeyUsage', 'MaxPathLen', 'RequireExplicitPolicy'];
  return new Map<string, RegoValue>([
    ...[...lists, ...more, ...last, ...rest].map((name): [string, RegoValue] => [name, null]),
    ...flags.map((name): [string, RegoValue] => [name, false]),
    ...numbers.map((name): [string, RegoValue] => [name, 0]),
  ]);
}

function push(fields: Fields, name: string, value: RegoValue): void {
  const before = fields.get(name);
  fields.set(name, [...(Array.isArray(before) ? before : []), value]);
}

/** Undefined where an extension is malformed. */
export function extensionFields(der: Buffer, ids: readonly string[], extensions: readonly Extension[]): Fields | undefined {
  const fields = emptyExtensions();
  for (const [index, { critical, value }] of extensions.entries()) {
    const id = ids[index] ?? '';
    if (CONSTRAINTS.has(id)) throw new BuiltinLimitError(`the extension ${id} is not read`);
    push(
      fields,
      'Extensions',
      objectOf([
        ['Id', id.split('.').map(Number)],
        ['Critical', critical],
        ['Value', der.toString('base64', value.start, value.end)],
      ]),
    );
    const inner = elementAt(der, value.start, value.end);
    if (CRITICAL_HANDLED.has(id) ? inner === null || !readExtension(fields, der, id, inner) : false) return undefined;
    if (critical && !CRITICAL_HANDLED.has(id)) push(fields, 'UnhandledCriticalExtensions', id.split('.').map(Number));
  }
  return fields;
}

/** Names of a certificate are some hundreds at the most; a part of them would be taken for all. */
const ITEMS_MAX = 1000;

/** Null where it is malformed. @throws BuiltinLimitError */
function listOf(der: Buffer, list: Element): readonly Element[] | null {
  const items = childrenOf(der, list, Number.POSITIVE_INFINITY);
  if (items !== null) atMost(items.length, ITEMS_MAX, 'items of an extension');
  return items;
}

function readExtension(fields: Fields, der: Buffer, id: string, inner: Element): boolean {
  const children = inner.tag === TAG.sequence ? listOf(der, inner) : [];
  if (children === null || (LISTS.has(id) && inner.tag !== TAG.sequence)) return false;
  switch (id) {
    case '2.5.29.14':
      fields.set('SubjectKeyId', der.toString('base64', inner.start, inner.end));
      return inner.tag === TAG.octetString;
    case '2.5.29.15':
      fields.set('KeyUsage', keyUsage(der, inner));
      return inner.tag === TAG.bitString;
    case '2.5.29.17':
      return children.every((name) => readName(fields, der, name));
    case '2.5.29.19':
      return readConstraints(fields, der, children);
    case '2.5.29.31':
      for (const point of children) for (const uri of urisWithin(der, point, [0xa0, 0xa0])) push(fields, 'CRLDistributionPoints', uri);
      return true;
    case '2.5.29.32':
      for (const policy of children) readPolicy(fields, der, policy);
      return true;
    case '2.5.29.35': {
      const key = children.find(({ tag }) => tag === 0x80);
      if (key !== undefined) fields.set('AuthorityKeyId', der.toString('base64', key.start, key.end));
      return true;
    }
    case '2.5.29.37':
      for (const purpose of children) readPurpose(fields, der, purpose);
      return true;
    default:
      for (const access of children) readAccess(fields, der, access);
      return true;
  }
}

/** The bits in Go's order: the first bit is the lowest. */
function keyUsage(der: Buffer, { start, end }: Element): number {
  const unused = der[start] ?? 0;
  const bytes = der.subarray(start + 1, end);
  let usage = 0;
  for (let bit = 0; bit < Math.min(bytes.length * 8 - unused, 9); bit++)
    if ((((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1) usage |= 1 << bit;
  return usage;
}

function readConstraints(fields: Fields, der: Buffer, children: readonly Element[]): boolean {
  const [first, second] = children;
  const isCa = first?.tag === TAG.boolean && der[first.start] !== 0;
  const length = first?.tag === TAG.integer ? first : second;
  const path = length?.tag === TAG.integer && length.end - length.start <= 4 ? der.readUIntBE(length.start, length.end - length.start) : -1;
  fields.set('BasicConstraintsValid', true);
  fields.set('IsCA', isCa);
  fields.set('MaxPathLen', path);
  fields.set('MaxPathLenZero', path === 0);
  return true;
}

function readName(fields: Fields, der: Buffer, { tag, start, end }: Element): boolean {
  const text = der.toString('latin1', start, end);
  if (tag === 0x81) push(fields, 'EmailAddresses', text);
  else if (tag === 0x82) push(fields, 'DNSNames', text);
  else if (tag === 0x87) {
    const bits = (end - start) * 8;
    if (bits !== 32 && bits !== 128) return false;
    push(fields, 'IPAddresses', addressText({ bits, value: BigInt(`0x${der.toString('hex', start, end)}`) }));
  } else if (tag === 0x86) {
    const uri = parseUri(text);
    // Go writes the reference anew; what would come out otherwise is not guessed
    if (uri === undefined || !/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]*(?:\/[A-Za-z0-9\-._~/]*)?$/.test(text))
      throw new BuiltinLimitError('a URI of this form is not read');
    push(fields, 'URIStrings', text);
    push(fields, 'URIs', objectOf(uriFields(uri)));
  }
  return true;
}

function uriFields(uri: NonNullable<ReturnType<typeof parseUri>>): [string, RegoValue][] {
  const texts: [string, RegoValue][] = [
    ['Scheme', uri.scheme],
    ['Host', uri.host],
    ['Path', uri.path],
    ['RawPath', uri.rawPath],
    ['RawQuery', ''],
    ['Fragment', ''],
    ['RawFragment', ''],
  ];
  return [...texts, ['Opaque', ''], ['User', null], ['ForceQuery', false], ['OmitHost', false]];
}

/** Texts of the URIs that lie within elements of these tags. */
function urisWithin(der: Buffer, parent: Element, tags: readonly number[]): readonly string[] {
  const [tag, ...rest] = tags;
  const children = childrenOf(der, parent) ?? [];
  if (tag === undefined) return children.filter((one) => one.tag === 0x86).map(({ start, end }) => der.toString('latin1', start, end));
  return children.filter((one) => one.tag === tag).flatMap((one) => urisWithin(der, one, rest));
}

function readPolicy(fields: Fields, der: Buffer, policy: Element): void {
  const id = childrenOf(der, policy)?.[0];
  if (id === undefined) return;
  const arcs = arcsOf(der, id);
  push(fields, 'PolicyIdentifiers', arcs);
  push(fields, 'Policies', arcs.join('.'));
}

function readPurpose(fields: Fields, der: Buffer, purpose: Element): void {
  const arcs = arcsOf(der, purpose);
  const index = PURPOSES.indexOf(arcs.join('.'));
  if (index >= 0) push(fields, 'ExtKeyUsage', index);
  else push(fields, 'UnknownExtKeyUsage', arcs);
}

function readAccess(fields: Fields, der: Buffer, access: Element): void {
  const [method, location] = childrenOf(der, access) ?? [];
  if (method === undefined || location?.tag !== 0x86) return;
  const id = arcsOf(der, method).join('.');
  const uri = der.toString('latin1', location.start, location.end);
  if (id === '1.3.6.1.5.5.7.48.1') push(fields, 'OCSPServer', uri);
  if (id === '1.3.6.1.5.5.7.48.2') push(fields, 'IssuingCertificateURL', uri);
}

import { createHmac } from 'node:crypto';
import type { Builtin, BuiltinTable } from './builtin.ts';
import { bytesOfText } from './bytes.ts';
import { canonical, objectOf, type RegoValue, wholeNumber, wholeOf } from './value.ts';

/* What OPA draws by chance is drawn here from the decision's id and the key, so that the record of a decision replays to the same one. */

/** 256 bits that are the same for the same decision and key. */
function drawn(seed: string, purpose: string, key: string): Buffer {
  return createHmac('sha256', seed).update(`${purpose}\n`).update(bytesOfText(key)).digest();
}

/** A version 4 UUID (RFC 9562), one a key. */
const uuid: Builtin = ([key], moment) => {
  const { seed } = moment();
  if (key === undefined || seed === undefined) return undefined;
  const bytes = drawn(seed, 'uuid.rfc4122', canonical(key)).subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return hyphened(bytes.toString('hex'));
};

function hyphened(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** A whole number from 0 up to, and without, the second argument; its sign does not count. */
const intn: Builtin = ([key, limit], moment) => {
  const { seed } = moment();
  const wanted = wholeOf(limit);
  if (typeof key !== 'string' || wanted === undefined || BigInt.asIntN(64, wanted) !== wanted) return undefined;
  const below = wanted < 0n ? -wanted : wanted;
  if (below === 0n) return 0;
  if (seed === undefined) return undefined;
  // 192 bits over a range of at most 63: what the remainder prefers is below 2^-128
  const number = BigInt(`0x${drawn(seed, 'rand.intn', `${key}-${below}`).subarray(0, 24).toString('hex')}`);
  return wholeNumber(number % below);
};

const UUID_FORM = /^(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$/i;
/** Between 1582-10-15 and 1970, in steps of 100 ns. */
const GREGORIAN = 122192928000000000n;
const DOMAINS = ['Person', 'Group', 'Org'];

/** What is in a UUID. */
const parse: Builtin = ([text]) => {
  const found = typeof text === 'string' && isUuidForm(text) ? UUID_FORM.exec(text) : null;
  if (found === null) return undefined;
  const bytes = Buffer.from(found.slice(1).join(''), 'hex');
  const version = (bytes[6] ?? 0) >> 4;
  const common: [string, RegoValue][] = [
    ['version', version],
    ['variant', variantOf(bytes[8] ?? 0)],
  ];
  return objectOf(version === 1 || version === 2 ? [...common, ...timedFields(bytes, version)] : common);
};

/** Plain, with `urn:uuid:`, in braces, or 32 digits. */
function isUuidForm(text: string): boolean {
  const braced = text.startsWith('{');
  return (braced ? 38 : text.toLowerCase().startsWith('urn:uuid:') ? 45 : 36) === text.length
    ? braced === text.endsWith('}')
    : /^[0-9a-f]{32}$/i.test(text);
}

function variantOf(byte: number): string {
  if ((byte & 0xc0) === 0x80) return 'RFC4122';
  if ((byte & 0xe0) === 0xc0) return 'Microsoft';
  return (byte & 0xe0) === 0xe0 ? 'Future' : 'Reserved';
}

function timedFields(bytes: Buffer, version: number): [string, RegoValue][] {
  const low = BigInt(bytes.readUInt32BE(0)) | (BigInt(bytes.readUInt16BE(4)) << 32n);
  const time = low | (BigInt(bytes.readUInt16BE(6) & 0x0fff) << 48n);
  const first = bytes[10] ?? 0;
  const domain = bytes[9] ?? 0;
  const fields: [string, RegoValue][] = [
    ['time', wholeNumber(BigInt.asIntN(64, (time - GREGORIAN) * 100n))],
    ['nodeid', [...bytes.subarray(10)].map((one) => one.toString(16).padStart(2, '0')).join('-')],
    ['macvariables', `${(first & 2) === 2 ? 'local' : 'global'}:${(first & 1) === 1 ? 'multicast' : 'unicast'}`],
    ['clocksequence', bytes.readUInt16BE(8) & 0x3fff],
  ];
  if (version === 1) return fields;
  return [...fields, ['id', bytes.readUInt32BE(0)], ['domain', DOMAINS[domain] ?? `Domain${domain}`]];
}

export const CHANCE: BuiltinTable = { 'uuid.rfc4122': uuid, 'rand.intn': intn, 'uuid.parse': parse };

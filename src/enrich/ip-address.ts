import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * One IP address in the only form that the rest of enrich sees: strictly parsed, IPv4-mapped IPv6 made IPv4, text as RFC 5952 writes it.
 * The owner file of `ipaddr.js`.
 */
export type IpAddress = {
  readonly family: 4 | 6;
  readonly text: string;
  /** 16-bit groups from the left: two for IPv4, eight for IPv6. */
  readonly groups: readonly number[];
};

/** An address block: the groups are masked, host bits are zero. */
export type IpBlock = { readonly family: 4 | 6; readonly groups: readonly number[]; readonly bits: number };

/** Name of a special-purpose range (IANA registries, spelled as in ipaddr.js); `unicast` is all the rest, the global addresses. */
export type IpRange = string;

const MAPPED_PREFIX_BITS = 96;
/** The longest IPv6 text with an embedded IPv4 address; anything longer is not looked at. */
const TEXT_MAX = 45;

/**
 * Parses an address strictly: four decimal octets without leading zeros, or RFC 4291 text. Octal, hex, short forms, zones, ports,
 * brackets and white space are refused.
 * @returns null where the text is not an address.
 */
export function parseIpAddress(text: string): IpAddress | null {
  if (text.length > TEXT_MAX) return null;
  const octets = parseOctets(text);
  if (octets !== null) return fromOctets(text, octets);
  // isIPv6 lets a zone pass, which has no meaning from the network
  if (!isIPv6(text) || text.includes('%')) return null;
  const groups = groupsOf(text);
  if (isMapped(groups)) {
    const mapped = [groups[6] ?? 0, groups[7] ?? 0];
    return { family: 4, text: dotted(mapped), groups: mapped };
  }
  return { family: 6, text: textOf(groups), groups };
}

/**
 * The groups of an address as `parseIpAddress` has them, without the cost of its text: for lists of hundreds of thousands.
 * @returns null where the text is not an address.
 */
export function parseIpGroups(text: string): readonly number[] | null {
  if (text.length > TEXT_MAX) return null;
  const bits = parseOctets(text);
  if (bits !== null) return [Math.floor(bits / 65536), bits % 65536];
  if (!isIPv6(text) || text.includes('%')) return null;
  const groups = groupsOf(text);
  return isMapped(groups) ? groups.slice(6) : groups;
}

/**
 * Parses `address/bits`; host bits are masked, an IPv4-mapped block of 96 bits and more becomes its IPv4 block.
 * @returns null for anything else, a bare address included.
 */
export function parseIpBlock(text: string): IpBlock | null {
  const slash = text.indexOf('/');
  if (slash < 0) return null;
  const written = text.slice(0, slash);
  const address = parseIpAddress(written);
  const suffix = text.slice(slash + 1);
  if (address === null || !/^(0|[1-9]\d{0,2})$/.test(suffix)) return null;
  const mapped = address.family === 4 && written.includes(':');
  const bits = Number(suffix);
  if (mapped && bits < MAPPED_PREFIX_BITS) return blockOf(groupsOf(written), 6, bits);
  const own = mapped ? bits - MAPPED_PREFIX_BITS : bits;
  if (own > (address.family === 4 ? 32 : 128)) return null;
  return blockOf(address.groups, address.family, own);
}

/** A trusted proxy or list entry as people write it: a block, or a bare address that stands for itself. */
export function parseAddressOrBlock(text: string): IpBlock | null {
  if (text.includes('/')) return parseIpBlock(text);
  const address = parseIpAddress(text);
  return address === null ? null : { family: address.family, groups: address.groups, bits: address.family === 4 ? 32 : 128 };
}

/** True where the address lies in the block; families never match each other. */
export function blockContains(block: IpBlock, address: IpAddress): boolean {
  if (block.family !== address.family) return false;
  const whole = block.bits >> 4;
  for (let index = 0; index < whole; index += 1) {
    if (block.groups[index] !== address.groups[index]) return false;
  }
  const rest = block.bits & 15;
  if (rest === 0) return true;
  return ((address.groups[whole] ?? 0) & maskOf(rest)) === block.groups[whole];
}

/** The block's text, `10.0.0.0/8`. */
export function blockText(block: IpBlock): string {
  return `${textOf(block.groups)}/${block.bits}`;
}

/**
 * The prefix that counters and policies use: the address itself for IPv4 (/32), its network for IPv6 (/64), since a host owns a /64. Below 64:ff9b::/96
 * (RFC 6052) a translator puts IPv4 addresses, all of them in one /64: there it is the address (/128).
 */
export function countedPrefix(address: IpAddress): string {
  if (address.family === 4) return `${address.text}/32`;
  if (isTranslated(address.groups)) return `${address.text}/128`;
  const [first = 0, second = 0, third = 0, fourth = 0] = address.groups;
  return `${textOf([first, second, third, fourth, 0, 0, 0, 0])}/64`;
}

/**
 * True where an IPv4 address, by its upper half, cannot lie in any special-purpose range: those all begin with one of these octets (a test
 * holds this to the library's table). Nearly every client ends here, and the library compares with 20 blocks.
 */
function isOrdinary(high: number): boolean {
  return !SPECIAL_OCTETS.has(high >> 8) && high < 0xe000;
}
const SPECIAL_OCTETS: ReadonlySet<number> = new Set([0, 10, 100, 127, 169, 172, 192, 198, 203]);

/** The special-purpose range that the address lies in, or `unicast`. */
export function rangeOf(address: IpAddress): IpRange {
  const { groups } = address;
  if (address.family === 6) return new ipaddr.IPv6([...groups]).range();
  const [high = 0, low = 0] = groups;
  if (isOrdinary(high)) return 'unicast';
  return new ipaddr.IPv4([high >> 8, high & 255, low >> 8, low & 255]).range();
}

/** RFC 1918, RFC 4193, RFC 6598, loopback, link-local and the old site-local. */
const PRIVATE_RANGES: ReadonlySet<IpRange> = new Set([
  'private',
  'uniqueLocal',
  'carrierGradeNat',
  'loopback',
  'linkLocal',
  'deprecatedSiteLocal',
]);

/** True for the ranges of networks that no public database knows. */
export function isPrivateRange(range: IpRange): boolean {
  return PRIVATE_RANGES.has(range);
}

/** 0.0.0.0 and :: name no host. */
export function isUnspecified(address: IpAddress): boolean {
  return address.groups.every((group) => group === 0);
}

/** The 32 bits of a dotted quad as a number, or null; by hand, since every request passes here. */
function parseOctets(text: string): number | null {
  if (text.length < 7 || text.length > 15) return null;
  let bits = 0;
  let octet = -1;
  let octets = 0;
  for (let index = 0; index <= text.length; index += 1) {
    const code = index === text.length ? 0x2e : text.charCodeAt(index);
    if (code === 0x2e) {
      if (octet < 0) return null;
      bits = bits * 256 + octet;
      octets += 1;
      octet = -1;
      continue;
    }
    if (code < 0x30 || code > 0x39 || octet === 0) return null;
    octet = (octet < 0 ? 0 : octet * 10) + (code - 0x30);
    if (octet > 255) return null;
  }
  return octets === 4 ? bits : null;
}

function fromOctets(text: string, bits: number): IpAddress {
  return { family: 4, text, groups: [Math.floor(bits / 65536), bits % 65536] };
}

/** The groups of well-formed IPv6 text; by hand, since ipaddr.js takes the old IPv4-compatible `::1.2.3.4` for IPv4-mapped. */
function groupsOf(text: string): readonly number[] {
  const gap = text.indexOf('::');
  const left = listOf(gap < 0 ? text : text.slice(0, gap));
  const right = gap < 0 ? [] : listOf(text.slice(gap + 2));
  while (left.length + right.length < 8) left.push(0);
  return [...left, ...right];
}

function listOf(text: string): number[] {
  const groups: number[] = [];
  if (text === '') return groups;
  for (const part of text.split(':')) {
    if (part.includes('.')) {
      const bits = parseOctets(part) ?? 0;
      groups.push(Math.floor(bits / 65536), bits % 65536);
    } else groups.push(Number.parseInt(part, 16));
  }
  return groups;
}

function isTranslated(groups: readonly number[]): boolean {
  if (groups[0] !== 0x64 || groups[1] !== 0xff9b) return false;
  for (let index = 2; index < 6; index += 1) if (groups[index] !== 0) return false;
  return true;
}

function isMapped(groups: readonly number[]): boolean {
  for (let index = 0; index < 5; index += 1) if (groups[index] !== 0) return false;
  return groups[5] === 0xffff;
}

function maskOf(bits: number): number {
  return (0xffff << (16 - bits)) & 0xffff;
}

function blockOf(groups: readonly number[], family: 4 | 6, bits: number): IpBlock {
  const masked = groups.map((group, index) => {
    const own = Math.min(16, Math.max(0, bits - index * 16));
    return group & maskOf(own);
  });
  return { family, groups: masked, bits };
}

function dotted([high = 0, low = 0]: readonly number[]): string {
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function textOf(groups: readonly number[]): string {
  return groups.length === 2 ? dotted(groups) : new ipaddr.IPv6([...groups]).toRFC5952String();
}

import { parseIpGroups } from '../ip-address.ts';

/** Why a line gives no entry. */
export type EntryProblem =
  | 'no entry'
  | 'not an address, block or range'
  | 'not an AS number'
  | 'mixed families'
  | 'ends before it starts'
  | 'too wide';

/** Room for one range, used again for every line: 32-bit words from the left, one for IPv4 and four for IPv6; both ends belong to it. */
export type RangeSlot = { width: 1 | 4; readonly start: Uint32Array; readonly end: Uint32Array };

/** A new, empty room. */
export function createRangeSlot(): RangeSlot {
  return { width: 1, start: new Uint32Array(4), end: new Uint32Array(4) };
}

const FORM: EntryProblem = 'not an address, block or range';
const PREFIX = /^(0|[1-9]\d{0,2})$/;
const AS_NUMBER = /^(?:AS)?([1-9]\d{0,9})$/i;
const ASN_MAX = 0xffff_ffff;
/** Of an IPv4 /8. */
const WIDE_4 = 0x00ff_ffff;
/** Of the first 32 bits, in an IPv6 /16. */
const WIDE_6 = 0xffff;

/**
 * Reads `address`, `address/bits` (host bits are masked) or `first-last` into the slot. Addresses are parsed strictly; IPv4-mapped IPv6 is IPv4.
 * @returns null where it was read
 */
export function readRange(text: string, slot: RangeSlot, allowWide: boolean): EntryProblem | null {
  const slash = text.indexOf('/');
  const dash = slash < 0 ? text.indexOf('-') : -1;
  const problem = slash >= 0 ? readBlock(text, slash, slot) : dash >= 0 ? readEnds(text, dash, slot) : readOne(text, slot);
  if (problem !== null || allowWide) return problem;
  return isWide(slot) ? 'too wide' : null;
}

function readOne(text: string, slot: RangeSlot): EntryProblem | null {
  const groups = parseIpGroups(text);
  if (groups === null) return FORM;
  fill(slot, slot.start, groups);
  slot.end.set(slot.start);
  return null;
}

function readEnds(text: string, dash: number, slot: RangeSlot): EntryProblem | null {
  const first = parseIpGroups(text.slice(0, dash).trimEnd());
  const last = parseIpGroups(text.slice(dash + 1).trimStart());
  if (first === null || last === null) return FORM;
  if (first.length !== last.length) return 'mixed families';
  fill(slot, slot.start, first);
  fill(slot, slot.end, last);
  for (let word = 0; word < slot.width; word += 1) {
    const difference = (slot.end[word] ?? 0) - (slot.start[word] ?? 0);
    if (difference !== 0) return difference > 0 ? null : 'ends before it starts';
  }
  return null;
}

function readBlock(text: string, slash: number, slot: RangeSlot): EntryProblem | null {
  const written = text.slice(0, slash);
  const suffix = text.slice(slash + 1);
  const groups = parseIpGroups(written);
  if (groups === null || !PREFIX.test(suffix)) return FORM;
  fill(slot, slot.start, groups);
  // the prefix of an IPv4-mapped block counts from the front of its IPv6 form
  const bits = Number(suffix) - (slot.width === 1 && written.includes(':') ? 96 : 0);
  if (bits < 0 || bits > slot.width * 32) return FORM;
  for (let word = 0; word < slot.width; word += 1) {
    const own = Math.min(32, Math.max(0, bits - word * 32));
    const hosts = own === 32 ? 0 : 0xffff_ffff >>> own;
    const base = ((slot.start[word] ?? 0) & ~hosts) >>> 0;
    slot.start[word] = base;
    slot.end[word] = base + hosts;
  }
  return null;
}

function fill(slot: RangeSlot, words: Uint32Array, groups: readonly number[]): void {
  slot.width = groups.length === 2 ? 1 : 4;
  for (let word = 0; word < slot.width; word += 1) words[word] = (groups[2 * word] ?? 0) * 65_536 + (groups[2 * word + 1] ?? 0);
}

function isWide({ width, start, end }: RangeSlot): boolean {
  return (end[0] ?? 0) - (start[0] ?? 0) > (width === 1 ? WIDE_4 : WIDE_6);
}

/** `AS64496` or `64496`; null for anything else, AS 0 (RFC 7607) included. */
export function readAsn(text: string): number | null {
  const number = Number(AS_NUMBER.exec(text)?.[1]);
  return number <= ASN_MAX ? number : null;
}

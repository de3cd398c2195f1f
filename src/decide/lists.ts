import { isIPv4, isIPv6 } from 'node:net';
import { CountersignError } from '../contract/errors.ts';

/** A list that the address is on; `input.request.address_lists` and `input.signals.network.value.lists`. */
export type ListHit = {
  readonly name: string;
  readonly tags: readonly string[];
  readonly age_seconds: number | null;
  readonly stale: boolean;
};

/** The hit of an address that `countersign.limits.network.addresses_blocked` holds. */
export const BLOCKED_LIST: ListHit = { name: 'addresses_blocked', tags: [], age_seconds: null, stale: false };

/** Addresses and prefixes, matched before Rego. */
export interface AddressList {
  readonly size: number;
  /** Whether the canonical address text lies in one of the prefixes. Costs a look-up for each prefix length in use. */
  has(address: string): boolean;
}

type Prefixes = { readonly shift: bigint; readonly masked: Set<bigint> };

/**
 * Compiles addresses and CIDR prefixes (`192.0.2.0/24`, `2001:db8::/32`, `192.0.2.7`). IPv4-mapped IPv6 is IPv4.
 * @throws CountersignError bundle_data_invalid, the field is the index of the entry
 */
export function createAddressList(entries: readonly unknown[], field: string): AddressList {
  const builder = createAddressListBuilder(field);
  builder.add(entries);
  return builder.list();
}

/** The same, filled portion after portion. */
export function createAddressListBuilder(field: string): { add(entries: readonly unknown[]): void; list(): AddressList } {
  let size = 0;
  const v4 = new Map<number, Set<number>>();
  const v6 = new Map<number, Prefixes>();
  const add = (entries: readonly unknown[]): void => {
    for (const entry of entries) {
      const prefix = typeof entry === 'string' ? parsePrefix(entry) : null;
      if (prefix === null) {
        throw new CountersignError('bundle_data_invalid', { field: `${field}.${size}`, detail: 'not an address or CIDR prefix' });
      }
      size += 1;
      const { address, length } = prefix;
      if (typeof address === 'number') {
        const set = v4.get(length) ?? new Set();
        v4.set(length, set.add(mask4(address, length)));
      } else {
        const shift = BigInt(128 - length);
        const prefixes = v6.get(length) ?? { shift, masked: new Set<bigint>() };
        prefixes.masked.add(address >> shift);
        v6.set(length, prefixes);
      }
    }
  };
  return { add, list: () => listOf(size, [...v4], [...v6.values()]) };
}

function listOf(size: number, lengths4: readonly [number, Set<number>][], lengths6: readonly Prefixes[]): AddressList {
  return {
    size,
    has(text) {
      const address = parseAddress(text);
      if (address === null) return false;
      if (typeof address === 'number') return lengths4.some(([length, set]) => set.has(mask4(address, length)));
      return lengths6.some(({ shift, masked }) => masked.has(address >> shift));
    },
  };
}

function mask4(address: number, length: number): number {
  return length === 0 ? 0 : (address & (0xffffffff << (32 - length))) >>> 0;
}

function parsePrefix(text: string): { readonly address: number | bigint; readonly length: number } | null {
  const [part = '', bits, more] = text.split('/');
  if (more !== undefined || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return null;
  const address = parseAddress(part);
  if (address === null) return null;
  const width = typeof address === 'number' ? 32 : 128;
  // the prefix of an IPv4-mapped address counts from the front of the IPv6 form
  const length = bits === undefined ? width : Number(bits) - (width === 32 && part.includes(':') ? 96 : 0);
  return length < 0 || length > width ? null : { address, length };
}

/** A number for IPv4 (and IPv4-mapped IPv6), a bigint for IPv6, null for anything else. */
export function parseAddress(text: string): number | bigint | null {
  if (isIPv4(text)) return parseIPv4(text);
  if (!isIPv6(text) || text.includes('%')) return null;
  const dotted = text.lastIndexOf('.') === -1 ? null : text.slice(text.lastIndexOf(':') + 1);
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  let plain = text;
  if (dotted !== null) {
    const low = parseIPv4(dotted);
    plain = `${text.slice(0, text.length - dotted.length)}${(low >>> 16).toString(16)}:${(low & 0xffff).toString(16)}`;
  }
  const [head = '', tail] = plain.split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  const value = all.reduce((sum, group) => (sum << 16n) | BigInt(Number.parseInt(group, 16)), 0n);
  return value >> 32n === 0xffffn ? Number(value & 0xffffffffn) : value;
}

function parseIPv4(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

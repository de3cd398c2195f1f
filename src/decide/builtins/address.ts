import { isIPv4, isIPv6 } from 'node:net';

/* Addresses and networks as numbers, read and written as Go's package `net` does. */

/** 32 or 128 bits; an IPv4-mapped address is an IPv4 one. */
export type Address = { readonly bits: 32 | 128; readonly value: bigint };
export type Network = { readonly first: Address; readonly prefix: number };

const MAPPED = 0xffffn << 32n;
const IPV4_MAX = 2n ** 32n - 1n;

/** An address without a zone; an IPv4-mapped one stays 128 bits long. */
function parsePlain(text: string): Address | undefined {
  if (isIPv4(text)) return { bits: 32, value: v4Value(text) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const tail = /(?<=:)\d+\.\d+\.\d+\.\d+$/.exec(text)?.[0];
  const groups = tail === undefined ? text : `${text.slice(0, -tail.length)}${hexGroups(v4Value(tail))}`;
  const [head = '', back] = groups.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = back === undefined || back === '' ? [] : back.split(':');
  const zeros = Array.from({ length: back === undefined ? 0 : 8 - before.length - after.length }, () => '0');
  return { bits: 128, value: BigInt(`0x${[...before, ...zeros, ...after].map((one) => one.padStart(4, '0')).join('')}`) };
}

function v4Value(text: string): bigint {
  return text.split('.').reduce((sum, one) => sum * 256n + BigInt(one), 0n);
}

function hexGroups(value: bigint): string {
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}

/** `net.ParseIP`. */
export function parseAddress(text: string): Address | undefined {
  const plain = parsePlain(text);
  return plain === undefined ? undefined : unmapped(plain);
}

function unmapped(address: Address): Address {
  return address.bits === 128 && address.value >> 32n === 0xffffn ? { bits: 32, value: address.value & IPV4_MAX } : address;
}

/** `net.ParseCIDR`: the bits after the prefix are dropped. */
export function parseNetwork(text: string): Network | undefined {
  const [, name = '', length = ''] = /^([^/]*)\/(\d{1,6})$/.exec(text) ?? [];
  const address = parsePlain(name);
  const prefix = Number(length);
  if (address === undefined || length === '' || prefix > address.bits) return undefined;
  const first = { bits: address.bits, value: masked(address, prefix) };
  const short = unmapped(first);
  return short.bits === first.bits || prefix < 96 ? { first, prefix } : { first: short, prefix: prefix - 96 };
}

function masked({ bits, value }: Address, prefix: number): bigint {
  const rest = BigInt(bits - prefix);
  return (value >> rest) << rest;
}

/** How many addresses a network has. */
export function sizeOf({ first, prefix }: Network): bigint {
  return 1n << BigInt(first.bits - prefix);
}

/** The last address of a network. */
export function lastOf(network: Network): bigint {
  return network.first.value + sizeOf(network) - 1n;
}

/** True where an address of the same family lies in a network. */
export function contains(network: Network, address: Address): boolean {
  return network.first.bits === address.bits && masked(address, network.prefix) === network.first.value;
}

/** True where all of a network lies in another one. */
export function containsNetwork(outer: Network, inner: Network): boolean {
  return outer.prefix <= inner.prefix && contains(outer, inner.first);
}

/** As 128 bits, an IPv4 address mapped. */
export function wide({ bits, value }: Address): bigint {
  return bits === 32 ? value | MAPPED : value;
}

/** RFC 5952; a mapped address as IPv4. */
export function addressText(address: Address): string {
  const { bits, value } = unmapped(address);
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.');
  const groups =
    value
      .toString(16)
      .padStart(32, '0')
      .match(/.{4}/g)
      ?.map((one) => one.replace(/^0{1,3}/, '')) ?? [];
  const runs = [
    ...groups
      .map((one) => (one === '0' ? '0' : '.'))
      .join('')
      .matchAll(/0{2,}/g),
  ];
  const longest = runs.reduce<{ index: number; length: number } | null>(
    (best, { index, 0: run }) => (best === null || run.length > best.length ? { index, length: run.length } : best),
    null,
  );
  if (longest === null) return groups.join(':');
  return `${groups.slice(0, longest.index).join(':')}::${groups.slice(longest.index + longest.length).join(':')}`;
}

/** CIDR notation. */
export function networkText({ first, prefix }: Network): string {
  return `${addressText(first)}/${prefix}`;
}
